from kerasdl._progress import show_progress


def lines_of(capsys):
    return capsys.readouterr().err.splitlines()


def test_ten_lines_where_there_is_no_terminal(capsys):
    assert list(show_progress(range(200), 200, "photos")) == list(range(200))
    assert lines_of(capsys) == [f"photos: {n} of 200" for n in range(20, 201, 20)]


def test_goes_on_in_steps_from_where_it_was(capsys):
    # 64 of 100 were done; two batches of 32 follow, the last one short.
    assert list(show_progress("ab", 100, "photos", start=64, step=32)) == ["a", "b"]
    assert lines_of(capsys) == ["photos: 96 of 100", "photos: 100 of 100"]


def test_nothing_to_do(capsys):
    assert list(show_progress([], 0, "photos")) == []
    assert lines_of(capsys) == []

"""kill -9 at moments drawn from a seed: in a batch, in a file, around a rename."""

import json

import pytest


@pytest.mark.parametrize(
    ("count", "seed"), [(3, 1), pytest.param(10, 2, marks=pytest.mark.slow)]
)
def test_at_most_the_current_epoch_is_lost_and_no_file_is_half_there(
    count, seed, forks, programs, tmp_path
):
    command = [programs / "trials_of_kills.py", tmp_path, count, seed]
    ((code, printed, errors),) = forks(command)
    assert code == 0, errors
    found = json.loads(printed.splitlines()[-1])
    whole = found["whole"]
    assert len(found["trials"]) == count
    for trial in found["trials"]:
        assert trial["status"] == 9, trial  # it was killed
        assert trial["saved"] in (trial["begun"] - 1, trial["begun"]), trial
        assert trial["second"] == 0 and trial["restored"] == trial["saved"], trial
        # The end is that of the run that was left alone, and nothing lies about.
        for name in ("rates", "losses", "weights"):
            assert trial[name] == whole[name], trial
        assert trial["files"] == whole["files"], trial

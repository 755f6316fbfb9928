"""Every row of a file of texts is answered, in its order."""

import pandas as pd
import pytest

from kerasdl import text


@pytest.fixture(scope="module")
def predictor(data):
    return text.Predictor(text.nbsvm(data, 2), data.tokenizer, ["bad", "good"])


def test_each_row_of_a_file_is_answered(predictor, file_of_texts, written):
    path, encoding, texts, column = file_of_texts
    header, (given, labels, chances) = written(predictor.predict(path, None, encoding))
    assert header == [column, "label", "probability"]
    assert given == texts
    expected = predictor.answer(texts)
    assert labels == [["bad", "good"][row.argmax()] for row in expected]
    assert [float(chance) for chance in chances] == pytest.approx(expected.max(axis=1))


def test_it_says_what_it_is(predictor):
    told = repr(predictor)
    assert told.startswith("Predictor\n  network  ")
    known = len(predictor.tokenizer.vocabulary)
    assert f"  classes  2: bad, good\n  texts    {known:,} " in told


def test_texts_of_any_iterable_are_answered(predictor):
    expected = predictor.predict(["很好", "太差"])
    for texts in (
        ("很好", "太差"),
        iter(["很好", "太差"]),
        pd.Series(["很好", "太差"]),
    ):
        assert predictor.predict(texts).equals(expected)


@pytest.mark.parametrize("texts", [None, 3, b"a", {"text": "a"}, ["\ud83d"]])
def test_what_is_no_text_at_all_is_refused(predictor, texts):
    with pytest.raises(ValueError, match="`texts` must be strings in a list"):
        predictor.predict(texts)


def test_a_column_is_of_a_table(predictor, tmp_path):
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(ValueError, match="`text_column` must be of a .csv or .tsv"):
        predictor.predict(tmp_path / "a.txt", "said")

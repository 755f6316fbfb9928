"""Every row of a file of texts is answered, in its order."""

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

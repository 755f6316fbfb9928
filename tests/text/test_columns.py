import pandas as pd
import pytest

from kerasdl.text import columns


@pytest.mark.parametrize(
    ("table", "text", "label"),
    [
        ({"label": ["1"], "review": ["a"]}, "review", "label"),
        ({"text": ["a"], "comment": ["b"], "sentiment": ["x"]}, "text", "sentiment"),
        ({"said": ["a"], "stars": ["5"]}, "said", "stars"),
        ({"said": ["a"], "class": ["bad"], "id": ["7"]}, "said", "class"),
    ],
)
def test_the_columns_are_found(table, text, label):
    table = pd.DataFrame(table)
    assert columns.find_text_column(table) == text
    assert columns.find_label_column(table, text) == label


def test_the_column_of_the_training_or_the_only_one_is_taken():
    table = pd.DataFrame({"review": ["a"], "said": ["b"]})
    assert columns.find_text_column(table, usual="said") == "said"
    assert columns.find_text_column(table, "review", "said") == "review"
    assert columns.find_text_column(pd.DataFrame({"said": ["7"]}), usual="no") == "said"


@pytest.mark.parametrize(
    ("find", "match"),
    [
        (lambda t: columns.find_text_column(t), "--text-column"),
        (lambda t: columns.find_text_column(t, "no"), "text_column='no'"),
        (lambda t: columns.find_label_column(t, "a"), "--label-column"),
        (lambda t: columns.find_label_column(t, "a", "a"), "another column"),
        (lambda t: columns.find_label_column(t, "a", "no"), "label_column='no'"),
    ],
)
def test_columns_that_cannot_be_found_are_to_be_named(find, match):
    table = pd.DataFrame({"a": ["x"], "b": ["y"], "c": ["z"]})
    with pytest.raises(ValueError, match=match):
        find(table)


def test_a_column_that_is_there_twice_is_named():
    table = pd.DataFrame([["a", "b"]], columns=["review", "review"])
    for name in (None, "review"):
        with pytest.raises(ValueError, match="each column once.*'review' more than"):
            columns.find_text_column(table, name)

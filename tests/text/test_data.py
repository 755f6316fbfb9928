import json

import numpy as np
import pandas as pd
import pytest

from kerasdl.text import (
    TextData,
    Tokenizer,
    read_tokenizer,
    reading,
    splits,
    text_statistics,
)
from kerasdl.text.tokenizer import pad


def test_no_text_is_there_twice_and_what_was_left_out_is_said(reviews, capsys):
    data = TextData.from_frame(reviews, seed=0)
    assert len(data.frame) == 120
    printed = capsys.readouterr().out
    assert "texts: column 'review'; labels: column 'label'" in printed
    assert (
        "124 rows; left out: 1 empty, 1 repeated, 2 of texts with several labels"
        in printed
    )


def test_splits_are_stratified_and_repeat(reviews):
    makes = [
        TextData.from_frame(reviews, valid=0.2, test=0.2, seed=seed)
        for seed in (3, 3, 4)
    ]
    counts = makes[0].frame.groupby(["split", "label"]).size()
    assert counts.to_dict() == {
        ("test", "0"): 12,
        ("test", "1"): 12,
        ("train", "0"): 36,
        ("train", "1"): 36,
        ("valid", "0"): 12,
        ("valid", "1"): 12,
    }
    assert makes[0].facts() == makes[1].facts() != makes[2].facts()


def test_a_leak_between_given_files_is_named_and_not_used(tmp_path, capsys):
    files = {
        "train": ["好 一", "差 二", "好 三", "差 四", "好 三"],
        "test": ["好　三", "差 五"],
    }
    paths = {}
    for split, texts in files.items():
        paths[split] = tmp_path / f"{split}.csv"
        labels = [int("好" in text) for text in texts]
        pd.DataFrame({"label": labels, "text": texts}).to_csv(paths[split], index=False)
    data = TextData.from_csv(paths, min_count=1, seed=0)
    assert "leak: 1 rows of test (50.0%) stand in train too" in capsys.readouterr().out
    assert data.rows("test")["text"].tolist() == ["好　三", "差 五"]
    assert data.rows("train")["text"].tolist() == ["好 一", "差 二", "差 四"]


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({"label": "1"}, {}, "from 2 to 1000 different labels.*1 in 'label'"),
        ({"label": ""}, {}, "a label for each text.*rows 0, 1"),
        ({}, {"valid": 1.5}, "`valid` must be at least 0 and below 1"),
        ({}, {"valid": 0.5, "test": 0.5}, "leave rows for training"),
        ({}, {"unit": "letters"}, "`unit` must be one of"),
        ({}, {"clean": ["wash"]}, "`clean` must be one of"),
        ({}, {"min_count": 10**6}, "must leave characters that are known"),
        ({}, {"split_column": "no"}, "`split_column` must be a column"),
        ({"part": "later"}, {"split_column": "part"}, "must say train, valid or test"),
        ({"part": "train"}, {"split_column": "part", "test": 0.1}, "must be left out"),
    ],
)
def test_bad_tables_are_refused(reviews, change, options, match):
    with pytest.raises(ValueError, match=match):
        TextData.from_frame(reviews.assign(**change), seed=0, **options)


def test_texts_and_labels_may_be_of_any_type_and_have_holes(reviews):
    said = reviews["review"].where(reviews.index != 3)
    for column in (said.astype("category"), said.astype("string"), said.astype(object)):
        data = TextData.from_frame(reviews.assign(review=column), seed=0)
        assert data.repeats.empty == 2  # one was there before
    days = pd.date_range("2020-01-01", periods=len(reviews)).to_series(reviews.index)
    found = reading.given_texts(pd.DataFrame({"day": days.where(days.index > 0)}))
    assert found[0].tolist()[:2] == ["", "2020-01-02 00:00:00"]


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        ([1.0, None, 3.0], ["1", "", "3"]),
        (pd.Categorical([1.0, None, 3.0]), ["1", "", "3"]),
        (pd.array([1, None, 3], "Int8"), ["1", "", "3"]),
        ([1, 1.0, "1"], ["1", "1", "1"]),
        ([True, False, None], ["True", "False", ""]),
        ([1e20, 0.5, np.inf], ["100000000000000000000", "0.5", "inf"]),
        (["nan", " a ", ""], ["nan", "a", ""]),
        ([2**60, 2**60 + 1, 0], [str(2**60), str(2**60 + 1), "0"]),
    ],
)
def test_labels_as_text(labels, texts):
    assert splits.label_texts(pd.Series(labels)).tolist() == texts


def test_a_label_that_training_does_not_know_is_refused(reviews):
    part = np.where(reviews.index < 100, "train", "valid")
    label = reviews["label"].where(reviews.index != 119, "2")
    with pytest.raises(ValueError, match="labels that training has.*'2' in 'label'"):
        TextData.from_frame(
            reviews.assign(part=part, label=label), split_column="part", seed=0
        )
    with pytest.raises(ValueError, match="DataFrame with rows.*of 0 rows"):
        TextData.from_frame(reviews.iloc[:0])


def test_an_epoch_shows_each_text_once_in_batches_of_like_length(data):
    batches = [data._make(1, index) for index in range(data.stream.num_batches)]
    shown = np.concatenate([labels for _, labels in batches])
    assert len(shown) == 90 and shown.sum() == data.labels("train").sum()
    widths = [tokens.shape[1] for tokens, _ in batches]
    assert max(widths) > min(widths)
    again = data._make(1, 2)[0]
    np.testing.assert_array_equal(again, batches[2][0])
    names = data.batch_files(0)
    assert len(names) == 16 and names[0].startswith("row ")


def test_word_dropout_hides_a_share_of_the_tokens(data):
    tokens = np.concatenate([data._make(0, i)[0].ravel() for i in range(5)])
    share = (tokens == 1).sum() / (tokens != 0).sum()
    plain = np.concatenate(data.encoded("train"))
    assert 0.05 < share - (plain == 1).mean() < 0.15


def test_folds_hold_each_text_out_once(data):
    held = [fold.rows("valid").index.tolist() for fold in data.folds(4)]
    assert sorted(sum(held, [])) == list(range(120))
    whole = data.all_for_training()
    assert len(whole.rows("train")) == 120 and whole.valid is None


def test_from_csv_and_from_folder(tmp_path, reviews):
    reviews.to_csv(tmp_path / "a.csv", index=False)
    data = TextData.from_csv(tmp_path / "a.csv", seed=0)
    for number, row in data.frame.iterrows():
        folder = tmp_path / "texts" / row["label"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:03}.txt").write_text(row["text"], "utf-8")
    again = TextData.from_folder(tmp_path / "texts", seed=0)
    assert sorted(again.frame["text"]) == sorted(data.frame["text"])


def test_statistics_count_texts_and_tokens(data):
    table = text_statistics(data)
    assert table["texts"].tolist() == [45, 45, 15, 15]
    own = data.rows("valid")
    lengths = own[own["label"] == "1"]["text"].str.len()
    assert table["mean_length"]["valid 1"] == pytest.approx(lengths.mean())


def test_numbers_are_those_of_keras(data):
    from keras import layers

    texts = ["房间很好 ABC", "", "完全陌生饕餮"]
    own = Tokenizer.of([*data.rows("train")["text"], "abc" * 3])[0]
    find = layers.TextVectorization(
        standardize="lower", split="character", vocabulary=list(own.vocabulary)
    )
    np.testing.assert_array_equal(find(texts), pad(own.encode(texts)))


def test_words_by_frequency_and_a_file_of_them(tmp_path):
    own, prepared = Tokenizer.of(
        ["牛奶 牛奶 超市", "超市 牛奶"], "words", max_words=1, max_len=2
    )
    assert prepared == ["牛奶 牛奶 超市", "超市 牛奶"]
    assert own.vocabulary == ("牛奶",)
    assert [part.tolist() for part in own.encode(prepared)] == [[2, 2], [1, 2]]
    assert own.tokens([2, 1, 0]) == ["牛奶", "[UNK]", ""]
    own.save(tmp_path / "text.json", class_names=["0", "1"])
    assert read_tokenizer(tmp_path / "text.json") == (own, {"class_names": ["0", "1"]})
    (tmp_path / "text.json").write_text(json.dumps({"unit": "words"}))
    with pytest.raises(ValueError, match="must be a text.json"):
        read_tokenizer(tmp_path / "text.json")

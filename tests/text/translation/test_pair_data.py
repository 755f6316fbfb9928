"""Vocabulary, batches of like length, and what a resumed run finds again."""

import numpy as np
import pandas as pd
import pytest

from kerasdl.batches import is_training_data
from kerasdl.text import PairData
from kerasdl.text.translation import BucketPlan, Subwords


@pytest.fixture(scope="module")
def data(counting):
    return PairData(counting, 60, 64, seed=2)


def test_batches_hold_each_pair_once_in_another_order_each_epoch(data):
    assert is_training_data(data)
    epochs = []
    for _ in range(2):
        seen = []
        for inputs, truth in data.train.as_numpy_iterator():
            source, target = inputs["source"], inputs["target"]
            assert (target[:, 0] == 2).all() and target.shape == truth.shape
            assert (truth == 3).sum() == len(truth) == len(source)
            np.testing.assert_array_equal(
                target[:, 1:], np.where(truth[:, :-1] == 3, 0, truth[:, :-1])
            )
            assert len(source) == 1 or max(source.size, truth.size) <= 64
            texts = data.subwords.decode(source)
            seen += zip(texts, data.subwords.decode(truth), strict=True)
        epochs.append(seen)
    rows = data.rows("train")
    expected = sorted(zip(rows["source"], rows["target"], strict=True))
    assert [sorted(seen) for seen in epochs] == [expected, expected]
    assert epochs[0] != epochs[1]
    data.start_epoch(0)
    inputs, _ = next(data.train.as_numpy_iterator())
    first = data.subwords.decode(inputs["source"])
    assert first == [source for source, _ in epochs[0][: len(first)]]
    assert data.batch_files(0) == first


def test_what_decides_a_training_is_told(data, counting):
    assert data.splits == ["train", "valid", "test"]
    assert data.counts()["pairs"].tolist() == [60, 10, 10]
    assert "60 train, 10 valid, 10 test" in repr(data)
    facts = data.facts()
    assert PairData(counting, 60, 64, seed=2).facts() == facts
    other = counting.replace({"source": {counting["source"][0]: "other"}})
    assert PairData(other, 60, 64, seed=2).facts() != facts


def test_long_pairs_are_left_out_and_counted(counting, capsys):
    long = {"split": "train", "source": "no1 q " * 30, "target": "eins"}
    pairs = pd.concat([counting, pd.DataFrame([long])], ignore_index=True)
    data = PairData(pairs, 60, 64, max_length=20, seed=2)
    batches = [inputs["source"] for inputs, _ in data.train.as_numpy_iterator()]
    assert sum(map(len, batches)) == 60 and max(b.shape[1] for b in batches) <= 20
    assert "1 train pairs with 20 pieces or more are left" in capsys.readouterr().out
    with pytest.raises(ValueError, match="`max_length` must leave pairs"):
        PairData(counting, 60, 64, max_length=2, seed=2)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"pieces": 8}, "`size` must be at least 16"),
        ({"batch_tokens": 0}, "`batch_tokens` must be an integer of at least 1"),
        ({"max_length": 0}, "`max_length` must be an integer of at least 1"),
        ({"valid": 0.5}, "`valid` must be above 0 and below 0.5"),
        ({"kind": "bytes"}, "`kind` must be one of 'unigram', 'word'"),
    ],
)
def test_wrong_arguments_are_refused(counting, options, match):
    with pytest.raises(ValueError, match=match):
        PairData(counting, seed=1, **{"pieces": 60, **options})


def test_a_plan_has_as_many_batches_each_epoch(rng):
    lengths = rng.integers(1, 40, (500, 2))
    plan = BucketPlan(lengths, 200, True, seed=5)
    for epoch in range(3):
        batches = [plan.rows(epoch, index) for index in range(plan.num_batches)]
        assert sorted(np.concatenate(batches)) == list(range(500))
        sizes = [len(rows) * lengths[rows].max() for rows in batches]
        assert max(sizes) <= 200 and np.mean(sizes) > 150
    assert not np.array_equal(plan.rows(0, 0), plan.rows(1, 0))
    assert max(len(rows) for rows in batches) == plan.batch_size
    # One that is too long is alone.
    plan = BucketPlan(np.array([[3, 3], [900, 2]]), 100)
    assert [plan.rows(0, i).tolist() for i in range(plan.num_batches)] == [[0], [1]]


def test_pieces_give_back_the_text_and_are_the_same_each_time(data, tmp_path):
    text = "no12 three seven"
    (ids,) = data.subwords.encode([text])
    assert data.subwords.decode([[*ids, 3, 9, 9], [0, 1, 2]]) == [text, ""]
    assert "1" in data.subwords.pieces(ids)  # digits stand alone
    rows = data.rows("train")
    again = Subwords.train([*rows["source"], *rows["target"]], 60)
    assert again.model == data.subwords.model
    data.subwords.save(tmp_path / "pieces.model")
    assert Subwords.load(tmp_path / "pieces.model").encode([text]) == [ids]
    assert (
        Subwords.train(["a b c d e f g h i j k l m n o"], 30, "word").encode(["c q"])[
            0
        ][1]
        == 1
    )
    with pytest.raises(ValueError, match="`model` must be a model of sentencepiece"):
        Subwords(b"nothing")
    with pytest.raises(ValueError, match="`path` must be an existing file"):
        Subwords.load(tmp_path / "gone")


@pytest.mark.parametrize(
    ("texts", "match"),
    [
        ([chr(0x4E00 + i) for i in range(40)], r"`size` must be at least 4\d.*size=20"),
        (["a" * 5000], "of at most 4,192 bytes. Received: 1 others"),
        (["   "], "`texts` must hold some of letters"),
        ([], "`texts` must hold some. Received: size=20, 0 texts"),
    ],
)
def test_texts_that_no_vocabulary_can_be_made_of(texts, match):
    with pytest.raises(ValueError, match=match):
        Subwords.train(texts, 20)

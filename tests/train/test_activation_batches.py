import numpy as np
import pytest

from kerasdl.train import ActivationBatches

PHOTOS = 10


def batches(views, **kwargs):
    labels = np.arange(PHOTOS, dtype="float32")[:, None]
    return ActivationBatches(views, labels, 4, **kwargs)


@pytest.fixture
def views():
    """Row i of view v holds 100 * v + i."""
    rows = np.arange(PHOTOS, dtype="float32")[:, None] * np.ones((1, 3), "float32")
    return [rows, rows + 100]


def epoch_of(source):
    return [
        np.concatenate([np.asarray(part) for part in parts])
        for parts in zip(*source.dataset(), strict=True)
    ]


def test_in_order_without_shuffle(views):
    activations, labels = epoch_of(batches(views[:1]))
    np.testing.assert_array_equal(activations, views[0])
    np.testing.assert_array_equal(labels[:, 0], range(PHOTOS))


def test_a_balanced_epoch_shows_each_class_equally_often(views):
    classes = np.array([0] * 6 + [1] * 4)
    source = batches(views, balance=classes, seed=1)
    orders = []
    for _ in range(2):
        activations, labels = epoch_of(source)
        rows = labels[:, 0].astype(int)
        np.testing.assert_array_equal(activations[:, 0] % 100, rows)
        assert np.bincount(classes[rows]).tolist() == [6, 6]
        assert set(rows) == set(range(PHOTOS))
        orders.append(tuple(rows))
    assert orders[0] != orders[1]
    source.stream.next_epoch = 1
    assert tuple(epoch_of(source)[1][:, 0].astype(int)) == orders[1]


def test_each_photo_once_in_a_drawn_view(views):
    source = batches(views, shuffle=True, seed=1)
    seen = set()
    for _ in range(4):
        activations, labels = epoch_of(source)
        assert sorted(labels[:, 0]) == list(range(PHOTOS))
        np.testing.assert_array_equal(activations[:, 0] % 100, labels[:, 0])
        seen |= set(activations[:, 0] // 100)
    assert seen == {0, 1}


def test_epochs_differ_and_repeat(views):
    source = batches(views, shuffle=True, seed=1)
    first, second = epoch_of(source), epoch_of(source)
    assert not np.array_equal(first[1], second[1])
    source.stream.next_epoch = 1
    np.testing.assert_array_equal(epoch_of(source)[0], second[0])


def test_views_of_other_lengths(views):
    with pytest.raises(ValueError, match="`views` must hold a row for each"):
        batches([views[0], views[1][:5]])

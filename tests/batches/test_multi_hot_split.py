import numpy as np
import pytest

from kerasdl.batches._multi_hot_split import multi_hot_parts


@pytest.fixture
def labels(rng):
    """Some common labels, some rare ones, that come together."""
    hot = rng.random((600, 6)) < [0.6, 0.4, 0.3, 0.1, 0.05, 0.02]
    hot[:, 0] |= ~hot.any(axis=1)
    return hot.astype("float32")


@pytest.mark.parametrize("shares", [(0.8, 0.2), (0.2,) * 5])
def test_every_label_in_proportion(labels, shares):
    parts = multi_hot_parts(labels, shares, seed=1)
    sizes = np.bincount(parts, minlength=len(shares))
    np.testing.assert_allclose(sizes, np.multiply(600, shares), atol=6)
    for part, share in enumerate(shares):
        counts = labels[parts == part].sum(axis=0)
        np.testing.assert_allclose(counts, labels.sum(axis=0) * share, atol=6)
        # The rarest label was dealt out first: as even as whole numbers are.
        assert abs(counts[5] - labels[:, 5].sum() * share) <= 1


def test_better_than_chance(labels):
    expected = labels.sum(axis=0) * 0.2

    def error(parts):
        return np.abs(labels[parts == 1].sum(axis=0) - expected).sum()

    ours = [error(multi_hot_parts(labels, (0.8, 0.2), seed)) for seed in range(5)]
    rng = np.random.default_rng(0)
    chance = [error((rng.random(600) < 0.2).astype(int)) for _ in range(200)]
    assert max(ours) < np.quantile(chance, 0.05)


def test_photos_without_labels_are_dealt_out_too(labels):
    labels[::3] = 0
    parts = multi_hot_parts(labels, (0.75, 0.25), seed=1)
    assert np.bincount(parts).tolist() == [450, 150]
    counts = labels[parts == 1].sum(axis=0)
    np.testing.assert_allclose(counts, labels.sum(axis=0) / 4, atol=6)


def test_one_label_each_is_a_stratified_split():
    labels = np.repeat(np.eye(3), [50, 30, 20], axis=0)
    parts = multi_hot_parts(labels, (0.7, 0.3), seed=1)
    assert labels[parts == 1].sum(axis=0).tolist() == [15, 9, 6]


def test_the_seed_repeats_the_draw(labels):
    first, again, other = (
        multi_hot_parts(labels, (0.8, 0.2), seed).tolist() for seed in (1, 1, 2)
    )
    assert first == again != other

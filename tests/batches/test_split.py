import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from kerasdl.batches.split import stratified_split


def test_parts_are_disjoint_sorted_and_cover_everything():
    labels = np.random.default_rng(0).integers(0, 5, 200)
    train, valid = stratified_split(labels, 0.3, seed=1)
    assert (np.diff(train) > 0).all() and (np.diff(valid) > 0).all()
    assert sorted([*train, *valid]) == list(range(200))


def test_classes_have_the_shares_that_scikit_learn_gives():
    labels = np.repeat(["cat", "dog", "owl"], [100, 60, 40])
    _, valid = stratified_split(labels, 0.25, seed=1)
    _, expected = train_test_split(
        labels, test_size=0.25, stratify=labels, random_state=0
    )
    np.testing.assert_array_equal(np.sort(labels[valid]), np.sort(expected))


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99])
def test_each_class_has_at_least_one_in_each_part(fraction):
    labels = np.repeat([0, 1, 2], [2, 3, 100])
    for part in stratified_split(labels, fraction, seed=1):
        assert set(labels[part]) == {0, 1, 2}


def test_the_seed_repeats_the_draw(capsys):
    labels = [0, 1] * 50
    first, again, other = (
        stratified_split(labels, 0.2, seed=seed)[1].tolist() for seed in (1, 1, 2)
    )
    assert first == again != other
    drawn = stratified_split(labels, 0.2, seed=None)[1].tolist()
    seed = int(capsys.readouterr().out.split()[0].removeprefix("seed="))
    assert drawn == stratified_split(labels, 0.2, seed=seed)[1].tolist()


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_a_fraction_out_of_range_is_an_error(fraction):
    with pytest.raises(ValueError, match="`fraction` must be above 0 and below 1"):
        stratified_split([0, 0, 1, 1], fraction, seed=1)


def test_a_class_of_one_is_an_error():
    with pytest.raises(ValueError, match="at least twice.*one of 'dog', 'owl'"):
        stratified_split(["cat", "cat", "dog", "owl"], 0.5, seed=1)
    with pytest.raises(ValueError, match=r"'12', \.\.\. \(99 in all\)\. Add more"):
        stratified_split([f"{number}" for number in range(99)], 0.5, seed=1)


@pytest.mark.parametrize("labels", [[], [[0, 1], [1, 0]]])
def test_classes_that_are_not_one_a_row_are_an_error(labels):
    with pytest.raises(ValueError, match="`classes` must be one for each row"):
        stratified_split(labels, 0.5, seed=1)

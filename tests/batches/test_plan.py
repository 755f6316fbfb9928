import numpy as np
import pytest

from kerasdl.batches import BatchPlan, epoch_order


@pytest.mark.parametrize("num_rows", [0, 1, 9, 10, 11])
@pytest.mark.parametrize("shuffle", [False, True])
def test_an_epoch_shows_each_row_once(num_rows, shuffle):
    plan = BatchPlan(num_rows, 5, shuffle, seed=3)
    assert plan.num_batches == int(np.ceil(num_rows / 5))
    for epoch in (0, 4):
        rows = [plan.rows(epoch, index) for index in range(plan.num_batches)]
        assert all(len(batch) == 5 for batch in rows[:-1])
        shown = np.concatenate([[], *rows])
        assert sorted(shown) == list(range(num_rows))
        order = epoch_order(num_rows, None, 3, epoch) if shuffle else range(num_rows)
        np.testing.assert_array_equal(shown, order)


def test_a_batch_is_a_function_of_seed_epoch_and_index():
    plan, same, other = (BatchPlan(50, 8, True, seed=seed) for seed in (1, 1, 2))
    same.rows(7, 0)
    for epoch, index in ((7, 3), (0, 6)):
        rows = plan.rows(epoch, index)
        np.testing.assert_array_equal(same.rows(epoch, index), rows)
        assert not np.array_equal(other.rows(epoch, index), rows)
    assert not np.array_equal(plan.rows(0, 3), plan.rows(7, 3))


def test_balanced_classes_are_shown_alike():
    classes = np.array([0] * 7 + [1] * 2)
    plan = BatchPlan(9, 4, balance=classes, seed=1)
    assert plan.shuffle and plan.num_batches == 4
    shown = np.concatenate([plan.rows(2, index) for index in range(4)])
    assert np.bincount(classes[shown]).tolist() == [7, 7]


def test_a_batch_has_rows():
    with pytest.raises(ValueError, match="`batch_size` must be an integer of at least"):
        BatchPlan(9, 0)

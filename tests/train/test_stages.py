import numpy as np
import pytest

from kerasdl.train import accuracy, check_stages


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["scratch", "magic"], "`stages` must be one of.*magic"),
        (["fine_tuned", "frozen"], "`stages` must hold 'frozen' before 'fine_tuned'"),
        (["practice"], "`stages` must hold 'practice_head' before 'practice'"),
    ],
)
def test_stages_that_do_not_work(names, message):
    with pytest.raises(ValueError, match=message):
        check_stages(names)


def test_accuracy_of_one_unit_and_of_many():
    one = np.array([[0.1], [0.8], [0.6], [0.4]])
    assert accuracy(one, np.array([0, 1, 0, 0])) == 0.75
    many = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    assert accuracy(many, np.array([0, 1])) == 0.5

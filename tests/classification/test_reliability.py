import numpy as np
import pytest

from kerasdl.classification import expected_calibration_error, reliability


def test_error_by_hand():
    # (0.2, 0.4]: 0.3 and 0.4, one of two right; (0.8, 1]: 0.9 twice and 1, all right.
    confidences = [0.3, 0.9, 0.4, 0.9, 1.0]
    hits = [False, True, True, True, True]
    table = reliability(confidences, hits, bins=5)
    np.testing.assert_array_equal(table["count"], [0, 2, 0, 0, 3])
    np.testing.assert_allclose(table["confidence"].dropna(), [0.35, 2.8 / 3])
    np.testing.assert_allclose(table["accuracy"].dropna(), [0.5, 1])
    expected = 2 / 5 * 0.15 + 3 / 5 * (1 - 2.8 / 3)
    assert expected_calibration_error(confidences, hits, 5) == pytest.approx(expected)


def test_error_is_the_slow_sum_over_bins(rng):
    confidences = rng.random(500)
    hits = rng.random(500) < confidences**2
    error = 0.0
    for number in range(15):
        inside = (confidences > number / 15) & (confidences <= (number + 1) / 15)
        if inside.any():
            gap = abs(hits[inside].mean() - confidences[inside].mean())
            error += inside.mean() * gap
    assert expected_calibration_error(confidences, hits) == pytest.approx(error)


def test_error_of_answers_as_right_as_they_claim_is_0():
    confidences = np.repeat([0.25, 0.5, 0.75], 4)
    hits = [1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0]
    assert expected_calibration_error(confidences, hits) == pytest.approx(0)


def test_0_and_1_are_in_the_first_and_last_bin():
    table = reliability([0.0, 1.0], [False, True], bins=3)
    np.testing.assert_array_equal(table["count"], [1, 0, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5], [True], 0), "`bins` must be an integer of at least 1"),
        (([0.5, 0.5], [True]), "`hits` must be one for each"),
        (([[0.5]], [[True]]), "`hits` must be one for each"),
        (([1.5], [True]), r"`confidences` must be in \[0, 1\]"),
        (([np.nan], [True]), r"`confidences` must be in \[0, 1\]"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        reliability(*arguments)

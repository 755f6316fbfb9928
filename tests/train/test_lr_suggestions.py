import numpy as np
import pytest

from kerasdl.train import _lr_suggestions as suggestions

RATES = np.geomspace(1e-7, 10, 100)  # 12.375 steps a decade
STEPS = np.arange(100)
# Flat until step 40, down by 0.02 a step until step 70, up by 0.05 from step 80 on.
RAMP = np.interp(STEPS, [0, 40, 70, 80, 99], [0.9, 0.9, 0.3, 0.3, 1.25])


def sigmoid(middle, width):
    """A fall that is steepest at step `middle`."""
    return 1 / (1 + np.exp((STEPS - middle) / width))


def test_steepest_is_the_turning_point_of_a_sigmoid():
    assert suggestions.steepest(RATES, sigmoid(60, 5)) == RATES[60]


def test_steepest_does_not_trust_the_ends():
    losses = sigmoid(60, 5)
    losses[-1] = -10
    losses[0] = 10
    losses[1] = losses[2]
    assert suggestions.steepest(RATES[1:], losses[1:]) == RATES[98]
    losses[-2] = -10
    assert suggestions.steepest(RATES[:-1], losses[:-1]) == RATES[97]


def test_tenth_of_minimum():
    losses = np.log10(RATES / 0.02) ** 2  # a parabola over decades
    assert suggestions.tenth_of_minimum(RATES, losses) == pytest.approx(2e-3, rel=0.1)


def test_valley_is_the_middle_of_the_longest_fall():
    # Its points are steps 40 to 70, of which any flat one may be the first.
    assert suggestions.valley(RATES, RAMP) == RATES[55]


def test_valley_goes_over_a_bump():
    bumpy = RAMP.copy()
    bumpy[60] += 0.5
    assert suggestions.valley(RATES, bumpy) in RATES[[54, 55, 56]]


def test_valley_prefers_the_longer_one():
    losses = np.interp(STEPS, [0, 10, 20, 80, 99], [9, 0, 9, 3, 9])
    assert suggestions.valley(RATES, losses) == RATES[50]


def test_slide_rests_where_both_ends_are_equally_steep():
    # Between steps 40 and 70 all slopes are equal; from 80 on they are too. Flat until
    # there, a wall of five steps is at the end.
    losses = np.where(STEPS < 95, 1.0, 1.0 + (STEPS - 94))
    assert suggestions.slide(RATES, losses) == RATES[94 - 1 - 15]


def test_slide_on_a_straight_line_rests_at_once():
    assert suggestions.slide(RATES, -STEPS.astype(float)) == RATES[99 - 15]


def test_only_the_middle_of_the_sweep_counts():
    losses = RAMP.copy()
    losses[:10] = np.linspace(5, 0.9, 10)  # unsettled
    losses[-5:] = -1.0
    found = suggestions.suggest(RATES, losses, 100)
    assert found["minimum/10"] == pytest.approx(RATES[70] / 10)
    assert 40 < np.searchsorted(RATES, found["steepest"]) < 70
    assert 40 < np.searchsorted(RATES, found["valley"]) < 70


def test_losses_may_be_shifted_and_multiplied():
    rng = np.random.default_rng(0)
    losses = RAMP + rng.normal(0, 0.02, 100)
    expected = suggestions.suggest(RATES, losses, 100)
    assert suggestions.suggest(RATES, 1000 * losses + 7, 100) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_few_points_are_enough(count):
    found = suggestions.suggest(RATES[:count], RAMP[:count], 100)
    assert set(found) == {"steepest", "valley", "minimum/10", "slide"}
    assert all(0 < rate <= RATES[count - 1] for rate in found.values())

import keras
import numpy as np
import pytest

from kerasdl import schedules


def cycles_one_by_one(cycle_steps, cycle_mult, count):
    """(cycle, step in it, its length) of the first `count` steps, by walking."""
    cycle, length, found = 0, cycle_steps, []
    while len(found) < count:
        found += [(cycle, place, length) for place in range(length)]
        cycle, length = cycle + 1, length * cycle_mult
    return found[:count]


@pytest.mark.parametrize(("steps", "mult"), [(1, 1), (7, 1), (1, 2), (5, 2), (4, 3)])
def test_cycles_are_those_of_a_walk(steps, mult):
    expected = cycles_one_by_one(steps, mult, 200)
    assert [schedules.cycle_at(k, steps, mult) for k in range(200)] == expected


def test_no_restart_is_off_by_one_after_a_million_steps():
    # Cycles of 3, 6, 12, ... end at 3 (2^n - 1), an integer far above float32's 2^24.
    restart = 3 * (2**40 - 1)
    assert schedules.cycle_at(restart - 1, 3, 2) == (39, 3 * 2**39 - 1, 3 * 2**39)
    assert schedules.cycle_at(restart, 3, 2) == (40, 0, 3 * 2**40)
    assert schedules.cosine_restarts(restart, 3, 2) == 1


@pytest.mark.parametrize(("steps", "mult"), [(1, 1), (10, 1), (8, 2), (6, 3)])
def test_cosine_restarts_as_in_keras_and_by_the_formula(steps, mult):
    theirs = keras.optimizers.schedules.CosineDecayRestarts(
        1.0, steps, t_mul=float(mult)
    )
    walk = cycles_one_by_one(steps, mult, 100)
    for step, (_, k, n) in enumerate(walk):
        found = schedules.cosine_restarts(step, steps, mult)
        assert found == pytest.approx(0.5 * (1 + np.cos(np.pi * k / n)), abs=1e-12)
        # Keras looks for the cycle in floats, and may miss a restart by its rounding.
        if k:
            assert found == pytest.approx(float(theirs(step)), abs=1e-5)


def test_total_epochs():
    assert schedules.total_epochs(3, 1, 2) == 1 + 2 + 4
    assert schedules.total_epochs(3, 2, 1) == 6
    assert schedules.total_epochs(2, 3, 3) == 3 + 9


def test_one_cycle_goes_through_the_corners_of_the_paper():
    # 100 steps, a tail of 10: up 45, down 45. Rate and momentum between by straight
    # lines: NumPy draws them.
    corners = [0, 45, 90, 100]
    rates = np.interp(range(120), corners, [0.1, 1, 0.1, 0.001])
    momentums = np.interp(range(120), corners, [1, 0, 1, 1])
    found = np.array([schedules.one_cycle(step, 100) for step in range(120)])
    np.testing.assert_allclose(found, np.stack([rates, momentums], axis=1), atol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
@pytest.mark.parametrize("tail", [0.0, 0.3])
def test_one_cycle_of_few_steps_stays_in_range(steps, tail):
    for step in range(steps + 2):
        rate, momentum = schedules.one_cycle(step, steps, 0.2, tail, 0.0)
        assert 0 <= rate <= 1 and 0 <= momentum <= 1


def test_step_decay_as_keras_piecewise_constant():
    theirs = keras.optimizers.schedules.ExponentialDecay(1.0, 4, 0.5, staircase=True)
    found = [schedules.step_decay(step, 4, 0.5) for step in range(20)]
    np.testing.assert_allclose(found, [float(theirs(k)) for k in range(20)], rtol=1e-6)


def test_warm_up_rises_in_equal_steps():
    found = [schedules.warm_up(step, 4) for step in range(6)]
    np.testing.assert_allclose(found, [0.25, 0.5, 0.75, 1, 1, 1])
    assert schedules.warm_up(0, 0) == 1


def test_gradual_sparsity_is_equation_1_of_the_paper():
    """From 0 to 0.8 between the steps 100 and 500, by hand."""
    by_hand = {
        0: 0.0,
        100: 0.0,
        200: 0.4625,  # 0.8 - 0.8 (3/4)^3
        300: 0.7,  # 0.8 - 0.8 (1/2)^3
        400: 0.7875,  # 0.8 - 0.8 (1/4)^3
        500: 0.8,
        9999: 0.8,
    }
    for step, share in by_hand.items():
        found = schedules.gradual_sparsity(step, 100, 500, 0.8)
        assert found == pytest.approx(share, abs=1e-12)
    # 0.9 + (0.5 - 0.9) (1 - 1/2)^3
    assert schedules.gradual_sparsity(3, 2, 4, 0.9, 0.5) == pytest.approx(0.85)

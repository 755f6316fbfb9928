"""Curves of a training as pure functions of a step, counted from 0.

Those of the learning rate say which fraction of the maximum a step gets. A step's place
in its cycle is found in integers, so that no restart is off by one.
"""

import math


def cycle_at(step: int, cycle_steps: int, cycle_mult: int = 1) -> tuple[int, int, int]:
    """Find the cycle that a step is in.

    Args:
        step: 0 or more.
        cycle_steps: length of the first cycle.
        cycle_mult: each cycle is so many times longer than the one before.

    Returns:
        Number of the cycle (from 0), the step in it (from 0), and its length.
    """
    cycle, length = 0, cycle_steps
    if cycle_mult == 1:
        return step // length, step % length, length
    while step >= length:
        step -= length
        length *= cycle_mult
        cycle += 1
    return cycle, step, length


def total_epochs(cycles: int, cycle_len: int = 1, cycle_mult: int = 1) -> int:
    """Epochs of all cycles: 3 cycles of 1, 2 and 4 epochs are 7."""
    return sum(cycle_len * cycle_mult**cycle for cycle in range(cycles))


def cosine_restarts(step: int, cycle_steps: int, cycle_mult: int = 1) -> float:
    """Half a cosine over each cycle: 1 at its start, near 0 at its last step.

    At step k of a cycle of n steps the fraction is `(1 + cos(pi k / n)) / 2`.

    Args:
        step: 0 or more.
        cycle_steps: length of the first cycle.
        cycle_mult: each cycle is so many times longer than the one before.

    Reference:
        Loshchilov & Hutter, 2017, https://arxiv.org/abs/1608.03983, equation 5.
    """
    _, place, length = cycle_at(step, cycle_steps, cycle_mult)
    return 0.5 * (1 + math.cos(math.pi * place / length))


def one_cycle(
    step: int,
    cycle_steps: int,
    start_fraction: float = 0.1,
    tail_fraction: float = 0.1,
    end_fraction: float = 0.001,
) -> tuple[float, float]:
    """Straight up, straight down for as long, then a tail to almost nothing.

    Args:
        step: 0 or more; from `cycle_steps` on, the end.
        cycle_steps: length of all three parts.
        start_fraction: fraction of the maximum rate at step 0 and where the tail
            begins.
        tail_fraction: share of the steps, in [0, 1), that the tail takes.
        end_fraction: fraction of the maximum rate that the tail reaches.

    Returns:
        The fraction of the maximum rate, and that of the way from the lowest momentum
        (0, where the rate is highest) to the highest (1, at the start and in the tail).

    Reference:
        Smith, 2018, https://arxiv.org/abs/1803.09820, sections 4 and 4.3; the defaults
        are fast.ai's `use_clr_beta=(10, 10, 0.95, 0.85)`.
    """
    step = min(step, cycle_steps)
    rise = cycle_steps * (1 - tail_fraction) / 2
    if step <= 2 * rise:
        height = 1 - abs(step - rise) / rise  # 0, 1 at the top, 0
        return start_fraction + (1 - start_fraction) * height, 1 - height
    done = (step - 2 * rise) / (cycle_steps - 2 * rise)
    return start_fraction + (end_fraction - start_fraction) * done, 1.0


def step_decay(step: int, decay_steps: int, factor: float = 0.1) -> float:
    """`factor` to the power of the whole `decay_steps` that have gone by."""
    return factor ** (step // decay_steps)


def warm_up(step: int, warm_up_steps: int) -> float:
    """Equal steps up to 1, which step `warm_up_steps - 1` and all later ones have.

    Reference:
        Goyal et al., 2017, https://arxiv.org/abs/1706.02677, section 2.2.
    """
    return min(1.0, (step + 1) / warm_up_steps) if warm_up_steps else 1.0


def gradual_sparsity(
    step: int,
    begin_step: int,
    end_step: int,
    final_sparsity: float,
    initial_sparsity: float = 0.0,
) -> float:
    """The share of weights that are 0: fast at first, when many are redundant.

    `s_f + (s_i - s_f) (1 - (step - begin) / (end - begin))^3` between `begin_step` and
    `end_step`; before it the initial one, after it the final one.

    Args:
        step: 0 or more.
        begin_step: first step of the curve.
        end_step: its last, after `begin_step`.
        final_sparsity: in [0, 1].
        initial_sparsity: in [0, 1].

    Reference:
        Zhu & Gupta, 2017, https://arxiv.org/abs/1710.01878, equation 1.
    """
    done = min(max((step - begin_step) / (end_step - begin_step), 0.0), 1.0)
    return final_sparsity + (initial_sparsity - final_sparsity) * (1 - done) ** 3

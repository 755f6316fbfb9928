"""Recurrent layers from their formulas, with the weights of Keras's layers.

Shapes: a series is `(batch, steps, features)`, its states `(batch, steps, units)`;
sigma is the logistic function, * between states is by element. Gates lie beside one
another in a kernel, as in `keras.layers.LSTM` (i, f, c, o) and `GRU` (z, r, h).
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

Tensor = Any
Step = Callable[..., tuple[Tensor, ...]]


def simple_rnn(
    series: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor
) -> Tensor:
    """States s_t = tanh(x_t U + s_(t-1) W + b) from s_0 = 0.

    Args:
        series: `(batch, steps, features)`.
        kernel: U, `(features, units)`.
        recurrent_kernel: W, `(units, units)`.
        bias: b, `(units,)`.
    """

    def step(inputs: Tensor, state: Tensor) -> tuple[Tensor]:
        return (ops.tanh(inputs @ kernel + state @ recurrent_kernel + bias),)

    return _unrolled(step, series, ops.shape(recurrent_kernel)[0], 1)


def lstm(
    series: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor
) -> Tensor:
    """States h_t of a cell c_t that gates write to and forget.

    i, f, o = sigma(x_t W + h_(t-1) U + b) of their parts, g = tanh of its part;
    c_t = f * c_(t-1) + i * g; h_t = o * tanh(c_t).

    Args:
        series: `(batch, steps, features)`.
        kernel: W, `(features, 4 * units)`.
        recurrent_kernel: U, `(units, 4 * units)`.
        bias: b, `(4 * units,)`.

    Reference:
        Hochreiter & Schmidhuber, 1997; Gers et al., 2000 (the forget gate)
    """

    def step(inputs: Tensor, state: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        whole = inputs @ kernel + state @ recurrent_kernel + bias
        write, forget, new, output = ops.split(whole, 4, axis=-1)
        cell = ops.sigmoid(forget) * cell + ops.sigmoid(write) * ops.tanh(new)
        return ops.sigmoid(output) * ops.tanh(cell), cell

    return _unrolled(step, series, ops.shape(recurrent_kernel)[0], 2)


def gru(
    series: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor
) -> Tensor:
    """States h_t between the last state and a new one, by an update gate.

    z, r = sigma(x_t W + b + h_(t-1) U + d) of their parts;
    n = tanh(x_t W_h + b_h + r * (h_(t-1) U_h + d_h)); h_t = z * h_(t-1) + (1 - z) * n.
    The reset gate r comes after the product, as in `GRU(reset_after=True)`.

    Args:
        series: `(batch, steps, features)`.
        kernel: W, `(features, 3 * units)`.
        recurrent_kernel: U, `(units, 3 * units)`.
        bias: b and d, `(2, 3 * units)`.

    Reference:
        Cho et al., 2014, https://arxiv.org/abs/1406.1078
    """

    def step(inputs: Tensor, state: Tensor) -> tuple[Tensor]:
        of_input = ops.split(inputs @ kernel + bias[0], 3, axis=-1)
        of_state = ops.split(state @ recurrent_kernel + bias[1], 3, axis=-1)
        update = ops.sigmoid(of_input[0] + of_state[0])
        reset = ops.sigmoid(of_input[1] + of_state[1])
        new = ops.tanh(of_input[2] + reset * of_state[2])
        return (update * state + (1 - update) * new,)

    return _unrolled(step, series, ops.shape(recurrent_kernel)[0], 1)


def bidirectional(
    layer: Callable[..., Tensor],
    series: Tensor,
    forwards: Sequence[Tensor],
    backwards: Sequence[Tensor],
) -> Tensor:
    """The states of a pass forwards and of one from the end, side by side.

    Args:
        layer: one of this module, such as `lstm`.
        series: `(batch, steps, features)`.
        forwards: weights of the first pass.
        backwards: weights of the second one.

    Returns:
        `(batch, steps, 2 * units)`.

    Reference:
        Schuster & Paliwal, 1997
    """
    there = layer(series, *forwards)
    back = ops.flip(layer(ops.flip(series, axis=1), *backwards), axis=1)
    return ops.concatenate([there, back], axis=-1)


def _unrolled(step: Step, series: Tensor, units: int, num_states: int) -> Tensor:
    """The first state of each step, all states 0 before the first."""
    series = ops.convert_to_tensor(series)
    nothing = ops.zeros((ops.shape(series)[0], units), keras.backend.floatx())
    states, found = (nothing,) * num_states, []
    for inputs in ops.unstack(series, axis=1):
        states = step(inputs, *states)
        found.append(states[0])
    return ops.stack(found, axis=1)

"""Autograd: derivatives by a tape, each beside finite differences."""

import numpy as np
import tensorflow as tf


def _slope(f, x, step=1e-5):
    """Central differences of a function to a number, in float64, place by place."""
    x = np.array(x, "float64")
    slopes = np.empty_like(x)
    for place in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            ends.append(float(f(tf.constant(moved))))
        slopes[place] = (ends[0] - ends[1]) / (2 * step)
    return slopes


def derivative():
    """A tape notes what is done to a variable, and goes back."""
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x**2
    tape.gradient(y, x)
    _slope(lambda x: x**2, 3.0)


def leaves():
    """What a tape watches: variables by themselves, constants when asked."""
    variable, constant = tf.Variable(2.0), tf.constant(2.0)
    with tf.GradientTape() as tape:
        y = variable * constant
    # A constant is no leaf of the tape: it has no gradient. What PyTorch keeps with a
    # tensor, `grad` and `grad_fn`, the tape has.
    str(tape.gradient(y, [variable, constant])[1])
    with tf.GradientTape() as tape:
        tape.watch(constant)
        y = variable * constant
    tape.gradient(y, [variable, constant])
    # As PyTorch's `requires_grad=False`.
    frozen = tf.Variable(2.0, trainable=False)
    with tf.GradientTape() as tape:
        y = frozen * 3.0
    str(tape.gradient(y, frozen))
    [variable.name.split(":")[0] for variable in tape.watched_variables()]


def partial_derivatives():
    """The gradient has a number for each place."""

    def f(x):
        return x[0] ** 2 * x[1] + tf.sin(x[1])

    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = f(x)
    tape.gradient(y, x)
    _slope(f, [1.0, 2.0])
    [2 * 1.0 * 2.0, 1.0 + np.cos(2.0)]


def several_outputs():
    """`output_gradients` weighs them, as PyTorch's backward with a vector."""
    x = tf.constant([0.3, 0.1, 0.9, 0.5])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = 3 * x
    tape.gradient(y, x, output_gradients=tf.constant([1.0, 2.0, 3.0, 4.0]))
    weights = tf.constant([1.0, 2.0, 3.0, 4.0], tf.float64)
    _slope(lambda x: tf.reduce_sum(weights * 3 * x), x)


def persistent():
    """A tape serves once, or more often if it is told to."""
    x = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x**2
        z = y**2
    tape.gradient(z, y)
    tape.gradient(z, x)
    [_slope(lambda y: y**2, 4.0), _slope(lambda x: x**4, 2.0)]
    del tape


def direction():
    """The slope along a direction: the gradient's part in it."""

    def f(x):
        return x[0] ** 2 + 3 * x[0] * x[1]

    x, along = tf.Variable([1.0, 2.0]), tf.constant([0.6, 0.8])
    with tf.GradientTape() as tape:
        y = f(x)
    tf.reduce_sum(tape.gradient(y, x) * along)
    # Forwards, without the whole gradient.
    with tf.autodiff.ForwardAccumulator(x, along) as forward:
        y = f(x)
    forward.jvp(y)
    _slope(lambda t: f([1.0 + 0.6 * t, 2.0 + 0.8 * t]), 0.0)


def second_derivatives():
    """A tape around a tape."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x**3
        first = inner.gradient(y, x)
    first
    outer.gradient(first, x)
    _slope(lambda x: 3 * x**2, 2.0)


def hessian():
    """All second derivatives: the Jacobian of the gradient."""
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x[0] ** 3 * x[1] ** 2
        first = inner.gradient(y, x)
    outer.jacobian(first, x)
    np.stack(
        [
            _slope(lambda x: 3 * x[0] ** 2 * x[1] ** 2, [1.0, 2.0]),
            _slope(lambda x: 2 * x[0] ** 3 * x[1], [1.0, 2.0]),
        ]
    )


def custom_gradient():
    """A function with a way back of its own: the lesson's line w x + b."""

    @tf.custom_gradient
    def line(w, x, b):
        return w * x + b, lambda upstream: (upstream * x, upstream * w, upstream)

    w, x, b = tf.Variable(2.0), tf.Variable(3.0), tf.Variable(4.0)
    with tf.GradientTape() as tape:
        y = line(w, x, b)
    y
    tape.gradient(y, [w, x, b])
    [
        _slope(lambda w: w * 3.0 + 4.0, 2.0),
        _slope(lambda x: 2.0 * x + 4.0, 3.0),
        _slope(lambda b: 2.0 * 3.0 + b, 4.0),
    ]


def reversal():
    """A gradient turned round: it fools a judge of domains (Ganin et al., 2015)."""

    @tf.custom_gradient
    def reverse(x):
        return tf.identity(x), lambda upstream: -upstream

    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = reverse(x) ** 2
    y
    tape.gradient(y, x)
    -_slope(lambda x: x**2, 3.0)


def stop():
    """What `stop_gradient` holds is a constant to the tape."""
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * tf.stop_gradient(x)
    tape.gradient(y, x)
    # So it differs from the slope of x * x, which is
    _slope(lambda x: x * x, 3.0)
    # and is that of x * 3.
    _slope(lambda x: x * 3.0, 3.0)

"""Convolution shown: cell by cell, and what its settings cost."""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from _tour import Pictures
from keras import layers

import kerasdl as kd


def _filled(layer, x, *weights):
    """What a layer gives on `x`, built and filled with these weights."""
    layer.build(x.shape)
    layer.set_weights(
        [np.reshape(w, v.shape) for w, v in zip(weights, layer.weights, strict=True)]
    )
    return layer(x)[0].numpy()


def cell_by_cell():
    """A seven in a spreadsheet: convolution, ReLU, maxima and a sum, one cell each."""
    seven = np.zeros((10, 10), "float32")
    seven[2, 2:8] = seven[3, 2:8] = 1
    for row in range(4, 9):
        seven[row, 9 - row + 2 : 9 - row + 4] = 1
    horizontal = np.float32([[1, 1, 1], [0, 0, 0], [-1, -1, -1]])

    # A cell: nine pixels times nine weights, summed.
    (seven[3:6, 3:6] * horizontal).sum()
    convolved = np.zeros((8, 8), "float32")
    for y in range(8):
        for x in range(8):
            convolved[y, x] = (seven[y : y + 3, x : x + 3] * horizontal).sum()
    # Negative cells become 0.
    positive = np.maximum(convolved, 0)
    # The largest of four.
    pooled = np.zeros((4, 4), "float32")
    for y in range(4):
        for x in range(4):
            pooled[y, x] = positive[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].max()
    # A weight for each cell, and all summed up.
    weights = np.arange(16, dtype="float32").reshape(4, 4) / 10
    answer = sum(pooled[y, x] * weights[y, x] for y in range(4) for x in range(4))
    answer

    batch = seven[None, ..., None]
    by_keras = _filled(layers.Conv2D(1, 3, use_bias=False), batch, horizontal)
    np.abs(by_keras[..., 0] - convolved).max()
    np.abs(layers.ReLU()(by_keras)[..., 0] - positive).max()
    np.abs(layers.MaxPooling2D(2)(positive[None, ..., None])[0, ..., 0] - pooled).max()
    flat = pooled.reshape(1, 16)
    np.abs(_filled(layers.Dense(1, use_bias=False), flat, weights) - answer).max()
    cells = {"convolved": convolved * 30 + 128, "ReLU": positive * 85}
    Pictures({"seven": seven * 255, **cells, "maxima": pooled * 85})


def without_pooling():
    """The Keras book's network whose sides never halve: small fields, a huge layer."""
    body = [layers.Conv2D(filters, 3, activation="relu") for filters in (32, 64, 64)]
    network = keras.Sequential([keras.Input((28, 28, 1)), *body])
    network.count_params()
    network.output_shape
    # Three 3x3 in a row see 7x7 pixels.
    costs = kd.models.layer_costs(network)
    costs["receptive_field"].tolist()
    # Seen from the pixels: which of them move one place of the output.
    x = tf.Variable(tf.random.stateless_uniform((1, 28, 28, 1), seed=(0, 0)))
    with tf.GradientTape() as tape:
        middle = tf.reduce_sum(network(x)[0, 11, 11])
    moved = tf.where(tape.gradient(middle, x)[0, ..., 0] != 0)
    tf.reduce_max(moved, axis=0) - tf.reduce_min(moved, axis=0) + 1
    dense = layers.Dense(512)
    dense.build((None, 22 * 22 * 64))
    dense.count_params()
    # With 2x2 maxima after the first two, 576 numbers are left, and a place sees
    pooled = kd.models.layer_costs(kd.models.mnist_convnet(include_top=False, seed=0))
    pooled["receptive_field"].iloc[-1]


def local_connections():
    """Each of 10,000 units looks at all of 200x200 pixels, or at 4x4."""
    dense = 200 * 200 * 10_000
    dense
    local = 4 * 4 * 10_000
    local
    # A convolution shares: one 4x4 kernel, whatever the number of places.
    layer = layers.Conv2D(1, 4, use_bias=False)
    layer.build((None, 200, 200, 1))
    layer.count_params()


def output_sizes():
    """The lesson's sizes: 20 pictures of 50x100 in 16 channels, which come last."""
    x = keras.Input((50, 100, 16), batch_size=20)
    layers.Conv2D(33, 3, strides=2)(x).shape
    # Keras pads alike at both ends of a side by a layer of its own,
    padded = layers.ZeroPadding2D((4, 2))(x)
    # and takes one step for both sides, where its operation takes two.
    kernel = keras.KerasTensor((3, 5, 16, 33))
    keras.ops.conv(padded, kernel, strides=(2, 1)).shape
    # Rates and steps together are more than TensorFlow takes: step afterwards.
    dilated = layers.Conv2D(33, (3, 5), dilation_rate=(3, 1))(padded)
    dilated[:, ::2].shape
    y = keras.Input((50, 32, 16), batch_size=20)
    layers.MaxPooling2D(3, 2)(y).shape
    layers.MaxPooling2D((3, 2), (2, 1))(y).shape
    # "same" pads by half the kernel, "valid" not at all; both by formula:
    [-(-50 // 2), (50 - 3) // 2 + 1]
    [
        layers.Conv2D(1, 3, 2, name).compute_output_shape(y.shape)[1]
        for name in ("same", "valid")
    ]


KINDS = {
    "valid": lambda: layers.Conv2D(32, 3),
    "same": lambda: layers.Conv2D(32, 3, padding="same"),
    "strides 2": lambda: layers.Conv2D(32, 3, strides=2, padding="same"),
    "dilation 6": lambda: layers.Conv2D(32, 3, dilation_rate=6, padding="same"),
    "dilation 24": lambda: layers.Conv2D(32, 3, dilation_rate=24, padding="same"),
    "4 groups": lambda: layers.Conv2D(32, 3, groups=4, padding="same"),
    "depthwise": lambda: layers.DepthwiseConv2D(3, padding="same"),
    "separable": lambda: layers.SeparableConv2D(32, 3, padding="same"),
    "1x1": lambda: layers.Conv2D(32, 1),
    "transposed 2": lambda: layers.Conv2DTranspose(32, 3, strides=2, padding="same"),
    "maxima 2": lambda: layers.MaxPooling2D(2),
}


def kinds_of_convolution():
    """What each kind gives and costs, on 56x56 in 16 channels, also by formula."""
    columns = ["output_shape", "parameters", "multiply_adds", "receptive_field"]

    def costs(layer):
        model = keras.Sequential([keras.Input((56, 56, 16)), layer])
        return kd.models.layer_costs(model).iloc[-1][columns]

    rows = {name: costs(make()) for name, make in KINDS.items()}
    by_layer = pd.DataFrame(rows).T.infer_objects()
    by_layer

    def formula(side, kernel, dilation=1, groups=1, filters=32):
        weights = kernel**2 * 16 // groups * filters
        field = dilation * (kernel - 1) + 1  # of one layer
        return (side, side, filters), weights + filters, weights * side**2, (field,) * 2

    def counted(side, filters, weights, biases, places, field):
        return (side, side, filters), weights + biases, weights * places, (field,) * 2

    by_formula = {
        "valid": formula(56 - 3 + 1, 3),
        "same": formula(56, 3),
        "strides 2": formula(28, 3),
        "dilation 6": formula(56, 3, dilation=6),
        "dilation 24": formula(56, 3, dilation=24),
        "4 groups": formula(56, 3, groups=4),
        "depthwise": counted(56, 16, 9 * 16, 16, places=56**2, field=3),
        # A bias for each filter; the depthwise half has none.
        "separable": counted(56, 32, 9 * 16 + 16 * 32, 32, places=56**2, field=3),
        "1x1": formula(56, 1),
        # Each pixel of the input is multiplied by the whole kernel.
        "transposed 2": counted(112, 32, 9 * 16 * 32, 32, places=56**2, field=2),
        "maxima 2": counted(28, 16, 0, 0, places=0, field=2),
    }
    (by_layer == pd.DataFrame(by_formula, columns).T).all()
    # A separable convolution costs, of a whole one, 1 / filters + 1 / kernel^2.
    (9 * 16 + 16 * 32) / (9 * 16 * 32), 1 / 32 + 1 / 9
    # A dense layer: inputs times outputs. What memory moves, in values, for a 1x1:
    56 * 56 * (16 + 32) + 16 * 32


def deformable(seed):
    """Each weight looks as far beside its place as offsets say (Dai et al., 2017)."""
    picture = tf.random.stateless_normal((8, 8), seed=(seed, 0))
    kernel = tf.random.stateless_normal((3, 3), seed=(seed, 1))
    # For each of 6x6 places and 3x3 weights the pixel that a convolution looks at.
    y, x, down, right = np.indices((6, 6, 3, 3)).astype("float32")

    def convolved(offsets):
        places = tf.stack([y + down, x + right]) + offsets
        seen = keras.ops.image.map_coordinates(picture, places, order=1)
        return tf.reduce_sum(seen * kernel, axis=(2, 3))

    plain = tf.nn.conv2d(picture[None, ..., None], kernel[..., None, None], 1, "VALID")
    plain = plain[0, ..., 0]
    tf.reduce_max(tf.abs(convolved(0.0) - plain))
    # All a pixel further to the right: the answer of the place there.
    aside = np.float32([0, 1]).reshape(2, 1, 1, 1, 1)
    tf.reduce_max(tf.abs(convolved(aside)[:, :-1] - plain[:, 1:]))
    # Between pixels it mixes them, so offsets have gradients: a convolution of its own
    # learns them from the picture, two for each place and weight.
    offsets = tf.Variable(tf.fill((2, 6, 6, 3, 3), 0.3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(convolved(offsets) ** 2)
    tf.math.count_nonzero(tape.gradient(loss, offsets)) / tf.size(offsets, tf.int64)


def transposed_and_upsampling():
    """Back to a larger size: a convolution's gradient, or repeated pixels."""
    x = np.float32([[1, 2], [3, 4]])[None, ..., None]
    layers.UpSampling2D(2)(x)[0, ..., 0]
    layers.UpSampling2D(2, interpolation="bilinear")(x)[0, ..., 0]
    # Each pixel lays down the kernel, two apart; where they meet they add up.
    up = layers.Conv2DTranspose(1, 3, strides=2, use_bias=False)
    _filled(up, x, np.ones((3, 3)))[..., 0]
    # It is the gradient of the convolution by the same kernel.
    down = tf.Variable(tf.zeros((1, 5, 5, 1)))
    with tf.GradientTape() as tape:
        y = tf.nn.conv2d(down, tf.ones((3, 3, 1, 1)), 2, "VALID")
    tape.gradient(y, down, output_gradients=x)[0, ..., 0]

"""Pooling, activations, softmax, and layers that are one another."""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from _tour import Pictures
from _tours.drawings import lines
from keras import layers, ops

import kerasdl as kd


def pooling_by_hand():
    """Four numbers become one, by each kind."""
    x = np.float32([[1, 3], [2, 4]])[None, ..., None]
    layers.AveragePooling2D(2)(x).numpy().item()
    layers.MaxPooling2D(2)(x).numpy().item()
    # (sum of |x|^p)^(1/p): p = 1 is the sum, p towards infinity the largest.
    [kd.models.lp_pooling(x, 2, p).numpy().item() for p in (1, 2, 50)]
    kd.models.mixed_pooling(x, 2, 0.25).numpy().item()
    0.25 * 4 + 0.75 * 2.5
    # Stochastic, in prediction: each weighs by its share of the sum.
    kd.models.stochastic_pooling(x, 2).numpy().item()
    (1 * 1 + 3 * 3 + 2 * 2 + 4 * 4) / (1 + 2 + 3 + 4)


def stochastic_pooling(seed):
    """In training it draws one of the window, by its share of the sum."""
    x = tf.repeat(tf.reshape([1.0, 3.0, 2.0, 4.0], (1, 2, 2, 1)), 10_000, axis=0)
    windows = tf.reshape(x, (-1, 4))
    drawn = tf.random.stateless_uniform((10_000, 1), seed=(seed, 0))
    bounds = tf.cumsum(windows, axis=1) / tf.reduce_sum(windows, axis=1, keepdims=True)
    choice = tf.reduce_sum(tf.cast(drawn > bounds, tf.int32), axis=1)
    picked = tf.gather(windows, choice, axis=1, batch_dims=1)
    np.unique(picked, return_counts=True)[1] / 10_000
    # Their mean is what prediction takes.
    tf.reduce_mean(picked)


def pooling_pictures(photo):
    """A photo by 8x8 windows."""
    x = photo[None].astype("float32")
    Pictures(
        {
            "photo": photo,
            "average": layers.AveragePooling2D(8)(x)[0],
            "maximum": layers.MaxPooling2D(8)(x)[0],
            "Lp, p = 4, as a mean": kd.models.lp_pooling(x, 8, 4)[0] / 64 ** (1 / 4),
            "mixed, half": kd.models.mixed_pooling(x, 8, 0.5)[0],
            "stochastic": kd.models.stochastic_pooling(x, 8)[0],
        }
    )


def activations():
    """What they do, and their slopes."""
    x = tf.Variable(tf.linspace(-5.0, 5.0, 201))
    functions = {
        "relu": ops.relu,
        "leaky relu": lambda x: ops.leaky_relu(x, 0.1),
        "sigmoid": ops.sigmoid,
        "tanh": ops.tanh,
        "gelu": ops.gelu,
        "swish": ops.silu,
    }
    values, slopes = {}, {}
    for name, function in functions.items():
        with tf.GradientTape() as tape:
            values[name] = function(x)
        slopes[name] = tape.gradient(values[name], x)
    # The sigmoid's slope is at most .25: through ten layers at most a millionth passes.
    tf.reduce_max(slopes["sigmoid"])
    0.25**10
    tf.reduce_max(
        tf.abs(slopes["sigmoid"] - values["sigmoid"] * (1 - values["sigmoid"]))
    )
    tf.reduce_max(tf.abs(slopes["tanh"] - (1 - values["tanh"] ** 2)))
    # tanh lies in (-1, 1); a ReLU that never sees a positive number no longer learns,
    [tf.reduce_min(values["tanh"]), tf.reduce_max(values["tanh"])]
    tf.reduce_max(slopes["relu"][:100])
    # a leaky one does.
    tf.reduce_min(slopes["leaky relu"])
    lines("Activations", x, values, "input", "output")
    lines("Slopes of the activations", x, slopes, "input", "slope")


def softmax():
    """Numbers become shares of 1: exponentials, divided by their sum."""
    logits = tf.constant([3.0, 1.0, -3.0])
    exponentials = tf.exp(logits)
    exponentials
    exponentials / tf.reduce_sum(exponentials)
    tf.nn.softmax(logits)
    # What is added to all of them changes nothing: so the largest is taken off first.
    tf.nn.softmax(logits + 1000.0)
    # A table as in a spreadsheet, for five kinds of picture.
    logits = tf.constant([-0.36, 1.85, 3.86, -2.32, 1.82])
    columns = {
        "output": logits,
        "exp": tf.exp(logits),
        "softmax": tf.nn.softmax(logits),
    }
    pd.DataFrame(columns, ["cat", "dog", "plane", "fish", "building"])


def dense_is_convolution(seed):
    """A dense layer is a convolution of 1x1, or one as large as the picture."""
    x = tf.random.stateless_normal((2, 4, 5, 3), seed=(seed, 0))
    dense, one = layers.Dense(7), layers.Conv2D(7, 1)
    dense.build(x.shape)
    one.build(x.shape)
    one.set_weights([dense.kernel.numpy()[None, None], dense.bias.numpy()])
    tf.reduce_max(tf.abs(dense(x) - one(x)))
    flat, whole = layers.Dense(7), layers.Conv2D(7, (4, 5))
    flat.build((2, 4 * 5 * 3))
    whole.build(x.shape)
    whole.set_weights([flat.kernel.numpy().reshape(4, 5, 3, 7), flat.bias.numpy()])
    tf.reduce_max(tf.abs(flat(tf.reshape(x, (2, -1))) - whole(x)[:, 0, 0]))
    # So a network for one size gives a map of answers on a larger picture.
    whole(tf.ones((1, 8, 9, 3))).shape


def linear_layers_are_one(seed):
    """Without an activation between them, several linear layers are one."""
    three = keras.Sequential(
        [
            keras.Input((4,)),
            *(layers.Dense(units, bias_initializer="ones") for units in (8, 8, 2)),
        ]
    )
    (a, p), (b, q), (c, r) = (layer.get_weights() for layer in three.layers)
    one = layers.Dense(2)
    one.build((None, 4))
    one.set_weights([a @ b @ c, (p @ b + q) @ c + r])
    x = tf.random.stateless_normal((5, 4), seed=(seed, 0))
    tf.reduce_max(tf.abs(three(x) - one(x)))
    [three.count_params(), one.count_params()]

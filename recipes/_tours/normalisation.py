"""Normalisation from first principles, and attention over channels and places."""

import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers

import kerasdl as kd

EPSILON = 1e-3


def _normalised(x, axes, epsilon=EPSILON):
    """Mean 0 and variance 1 over these axes."""
    mean = tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(x - mean), axes, keepdims=True)
    return (x - mean) / tf.sqrt(variance + epsilon)


def _pictures(seed):
    """Six pictures of 5x4 with eight channels, each channel with its own mean."""
    x = tf.random.stateless_normal((6, 5, 4, 8), seed=(seed, 0))
    return x * tf.range(1.0, 9.0) + tf.range(8.0)


def batch_normalisation(seed):
    """Over the batch and all places; in prediction by moving averages."""
    x = _pictures(seed)
    keras_layer, ours = layers.BatchNormalization(), kd.models.BatchNorm()
    trained = _normalised(x, (0, 1, 2))
    tf.reduce_max(tf.abs(trained - keras_layer(x, training=True)))
    tf.reduce_max(tf.abs(trained - ours(x, training=True)))
    # The averages have moved by a hundredth: momentum is .99 here, .9 in PyTorch,
    # where it is called .1; epsilon is 1e-3 here, 1e-5 there.
    mean = 0.01 * tf.reduce_mean(x, (0, 1, 2))
    tf.reduce_max(tf.abs(keras_layer.moving_mean - mean))
    variance = 0.99 + 0.01 * tf.math.reduce_variance(x, (0, 1, 2))
    predicted = (x - mean) / tf.sqrt(variance + EPSILON)
    tf.reduce_max(tf.abs(predicted - keras_layer(x, training=False)))
    tf.reduce_max(tf.abs(predicted - ours(x, training=False)))


def of_rows_and_series(seed):
    """PyTorch's BatchNorm1d and InstanceNorm1d: epsilon 1e-5, momentum .1 there."""
    rows = 5.0 + 2.0 * tf.random.stateless_normal((20, 3), seed=(seed, 0))
    layer = layers.BatchNormalization(momentum=1 - 0.1, epsilon=1e-5)
    tf.reduce_max(tf.abs(_normalised(rows, 0, 1e-5) - layer(rows, training=True)))
    # One batch later the averages are a tenth of the batch's, nine of 0 and of 1.
    mean, variance = tf.nn.moments(rows, 0)
    tf.reduce_max(tf.abs(layer.moving_mean - 0.1 * mean))
    # PyTorch's divides by n - 1 for prediction, Keras's by n.
    tf.reduce_max(tf.abs(layer.moving_variance - (0.9 + 0.1 * variance)))
    # Of two series of six steps each channel of each by itself.
    series = 5.0 + 2.0 * tf.random.stateless_normal((2, 6, 3), seed=(seed, 1))
    layer = layers.GroupNormalization(groups=-1, epsilon=1e-5)
    tf.reduce_max(tf.abs(_normalised(series, 1, 1e-5) - layer(series)))


def layer_instance_group(seed):
    """Over channels and places of one picture; over places; over groups of channels."""
    x = _pictures(seed)
    grouped = tf.reshape(x, (6, 5, 4, 2, 4))  # two groups of four channels
    by_hand = {
        "layer": _normalised(x, (1, 2, 3)),
        "instance": _normalised(x, (1, 2)),
        "group": tf.reshape(_normalised(grouped, (1, 2, 4)), x.shape),
    }
    by_keras = {
        "layer": layers.LayerNormalization(axis=(1, 2, 3)),
        "instance": layers.GroupNormalization(groups=-1),
        "group": layers.GroupNormalization(groups=2),
    }
    # None of them knows the batch: both modes are the same.
    pd.DataFrame(
        {
            name: {
                mode: float(
                    np.abs(by_hand[name] - layer(x, training=mode == "train")).max()
                )
                for mode in ("train", "predict")
            }
            for name, layer in by_keras.items()
        }
    )


def switchable(seed):
    """A softmax of weights mixes the statistics of three (Luo et al., 2018)."""
    x = _pictures(seed)
    axes = {"instance": (1, 2), "layer": (1, 2, 3), "batch": (0, 1, 2)}
    moments = [tf.nn.moments(x, places, keepdims=True) for places in axes.values()]

    def mixed(logits, part):
        shares = tf.nn.softmax(logits)
        return sum(shares[i] * both[part] for i, both in enumerate(moments))

    def switch(mean_logits, variance_logits):
        mean, variance = mixed(mean_logits, 0), mixed(variance_logits, 1)
        return (x - mean) / tf.sqrt(variance + EPSILON)

    # With one weight far above the others it is that normalisation.
    pure = 50.0 * tf.eye(3)
    {
        name: tf.reduce_max(tf.abs(switch(one, one) - _normalised(x, places)))
        for one, (name, places) in zip(pure, axes.items(), strict=True)
    }
    # The weights learn.
    logits = tf.Variable(tf.zeros(3)), tf.Variable(tf.zeros(3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.abs(switch(*logits)))
    tape.gradient(loss, logits)


def squeeze_and_excitation(seed):
    """A factor for each channel, by all channels' means (Hu et al., 2017)."""
    x = _pictures(seed)
    block = kd.models.blocks.squeeze_excitation(reduction=1, seed=seed)
    block(x).shape
    down_kernel, down_bias, up_kernel, up_bias = block.get_weights()
    squeezed = tf.reduce_mean(x, (1, 2))
    hidden = tf.nn.relu(squeezed @ down_kernel[0, 0] + down_bias)
    factors = tf.sigmoid(hidden @ up_kernel[0, 0] + up_bias)
    factors[0]
    tf.reduce_max(tf.abs(block(x) - x * factors[:, None, None]))


def convolutional_attention(seed):
    """CBAM: a factor for each channel, then one for each place (Woo et al., 2018)."""
    x = _pictures(seed)
    first, second = layers.Dense(4, activation="relu"), layers.Dense(8)
    means, maxima = tf.reduce_mean(x, (1, 2)), tf.reduce_max(x, (1, 2))
    channels = tf.sigmoid(second(first(means)) + second(first(maxima)))
    channels.shape
    y = x * channels[:, None, None]
    both = tf.stack([tf.reduce_mean(y, -1), tf.reduce_max(y, -1)], axis=-1)
    places = layers.Conv2D(1, 7, padding="same", activation="sigmoid")(both)
    places.shape
    (y * places).shape


def self_attention(seed):
    """Each place of a feature map asks all others (Vaswani et al., 2017)."""
    x = tf.reshape(_pictures(seed), (6, 20, 8)) / 10.0  # 5x4 places in a row
    layer = layers.MultiHeadAttention(num_heads=1, key_dim=8, use_bias=False)
    result, shares = layer(x, x, return_attention_scores=True)
    *three, out = layer.get_weights()
    query, key, value = (weight[:, 0] for weight in three)
    scores = (x @ query) @ tf.transpose(x @ key, (0, 2, 1)) / np.sqrt(8)
    weights = tf.nn.softmax(scores)
    tf.reduce_max(tf.abs(weights - shares[:, 0]))
    tf.reduce_max(tf.abs(weights @ (x @ value) @ out[0] - result))
    # It knows no order: places in another order give answers in that order,
    order = tf.random.experimental.stateless_shuffle(tf.range(20), seed=(seed, 1))
    moved = tf.gather(x, order, axis=1)
    tf.reduce_max(tf.abs(layer(moved, moved) - tf.gather(result, order, axis=1)))
    # so a vector for each place is added where the place matters.
    position = layers.Embedding(20, 8)(tf.range(20))
    (x + position).shape

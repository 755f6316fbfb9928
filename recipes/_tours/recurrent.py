"""Recurrent layers and attention from their formulas, beside Keras's own."""

import keras
import numpy as np
import pandas as pd
from _tours.drawings import lines
from keras import layers, ops

from kerasdl import text
from kerasdl.text import recurrent


def _series(seed, count=200, steps=24):
    """Waves of different lengths, and the value that follows each."""
    drawn = np.random.default_rng(seed)
    speed, start = drawn.uniform(0.2, 0.9, (2, count, 1))
    whole = np.sin(speed * np.arange(steps + 1) + 6 * start)
    whole += drawn.normal(0, 0.05, whole.shape)
    return whole[:, :-1, None].astype("float32"), whole[:, -1:].astype("float32")


def _weights(layer, series):
    layer.build(series.shape)
    return [ops.convert_to_tensor(weight) for weight in layer.get_weights()]


def simple_rnn(seed):
    """s_t = tanh(x_t U + s_(t-1) W + b): the formula and keras.layers.SimpleRNN."""
    keras.utils.set_random_seed(seed)
    series, _ = _series(seed, count=3)
    layer = layers.SimpleRNN(4, return_sequences=True)
    kernel, recurrent_kernel, bias = _weights(layer, series)
    states = recurrent.simple_rnn(series, kernel, recurrent_kernel, bias)
    states.shape
    states[0, -1]
    layer(series)[0, -1]
    float(ops.max(ops.abs(states - layer(series))))


def lstm(seed):
    """A cell that gates write to and forget: the formula and keras.layers.LSTM."""
    keras.utils.set_random_seed(seed)
    series, _ = _series(seed, count=3)
    layer = layers.LSTM(4, return_sequences=True)
    weights = _weights(layer, series)
    [tuple(weight.shape) for weight in weights]
    states = recurrent.lstm(series, *weights)
    states[0, -1]
    float(ops.max(ops.abs(states - layer(series))))


def gru(seed):
    """Between the last state and a new one: the formula and keras.layers.GRU."""
    keras.utils.set_random_seed(seed)
    series, _ = _series(seed, count=3)
    layer = layers.GRU(4, return_sequences=True)
    weights = _weights(layer, series)
    states = recurrent.gru(series, *weights)
    states[0, -1]
    float(ops.max(ops.abs(states - layer(series))))


def both_directions(seed):
    """A pass forwards and one from the end, side by side: Bidirectional."""
    keras.utils.set_random_seed(seed)
    series, _ = _series(seed, count=3)
    layer = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    weights = _weights(layer, series)
    states = recurrent.bidirectional(recurrent.lstm, series, weights[:3], weights[3:])
    states.shape
    float(ops.max(ops.abs(states - layer(series))))


def a_series_goes_on(seed):
    """The next value of a wave, guessed by three kinds and by the value before it."""
    keras.utils.set_random_seed(seed)
    series, following = _series(seed)
    held, answers = _series(seed + 1)
    rows = {"the value before": {"error": np.abs(held[:, -1] - answers).mean()}}
    for kind in (layers.SimpleRNN, layers.LSTM, layers.GRU):
        model = keras.Sequential([keras.Input((24, 1)), kind(16), layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.02), "mse")
        model.fit(series, following, 32, 15, verbose=0)
        error = np.abs(model.predict(held, verbose=0) - answers).mean()
        rows[kind.__name__] = {"error": error, "parameters": model.count_params()}
    pd.DataFrame(rows).T


def vanishing_gradients(seed):
    """How much the last state hangs on each step before: it vanishes, or explodes."""
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    drawn = np.random.default_rng(seed)
    series = tf.constant(drawn.normal(0, 0.1, (8, 40, 4)), "float32")
    kernel = ops.convert_to_tensor(drawn.normal(0, 0.1, (4, 16)), "float32")
    turn = ops.qr(ops.convert_to_tensor(drawn.normal(size=(16, 16)), "float32"))[0]

    def slopes(states_of):
        with tf.GradientTape() as tape:
            tape.watch(series)
            last = tf.reduce_sum(states_of(series)[:, -1], axis=-1)
        return tf.norm(tape.gradient(last, series), axis=-1).numpy().mean(axis=0)

    found = {}
    for size in (0.7, 1.0, 1.3):
        found[f"RNN, W of length {size}"] = slopes(
            lambda x, size=size: recurrent.simple_rnn(
                x, kernel, size * turn, ops.zeros(16)
            )
        )
    inputs, states, _ = _weights(layers.LSTM(16), series)
    for bias in (1, 5):  # as Keras begins, and a gate that forgets little
        gates = np.repeat([0.0, bias, 0.0, 0.0], 16).astype("float32")
        found[f"LSTM, forget gate of bias {bias}"] = slopes(
            lambda x, gates=gates: recurrent.lstm(x, inputs, states, gates)
        )
    steps = list(range(-40, 0))
    caption = "Mean slope of the last state by each step before it"
    lines(caption, steps, found, "step", "slope", logy=True)


def additive_attention(seed):
    """Bahdanau's sum(v * tanh(q + k)): the formula and AdditiveAttention."""
    drawn = np.random.default_rng(seed)
    words = drawn.normal(size=(1, 5, 8)).astype("float32")
    layer = layers.AdditiveAttention()
    theirs = layer([words[:, :2], words])
    (scale,) = layer.get_weights()
    answer, weights = text.attention.additive_attention(words[:, :2], words, scale)
    weights[0].round(3)
    float(np.abs(answer - theirs).max())


def multiplicative_attention(seed):
    """Luong's softmax(q k') v: the formula and keras.layers.Attention."""
    drawn = np.random.default_rng(seed)
    words = drawn.normal(size=(1, 5, 8)).astype("float32")
    answer, weights = text.attention.multiplicative_attention(words[:, :2], words)
    weights[0].round(3)
    float(np.abs(answer - layers.Attention()([words[:, :2], words])).max())


def multi_head_attention(seed):
    """Each head softmax(q k' / sqrt(d)) v: the formula and MultiHeadAttention."""
    keras.utils.set_random_seed(seed)
    drawn = np.random.default_rng(seed)
    words = drawn.normal(size=(1, 5, 8)).astype("float32")
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=4)
    theirs = layer(words, words)
    made = layer.get_weights()
    answer, weights = text.attention.multi_head_attention(words, words, made)
    weights.shape
    float(np.abs(answer - theirs).max())


def positions():
    """What tells places apart: sines and cosines of rates that fall."""
    encoding = text.attention.positional_encoding(40, 16)
    rows = {f"column {column}": encoding[:, column] for column in (0, 2, 4, 12)}
    lines("Positional encoding of 40 places", range(40), rows, "place", "value")


def bigrams():
    """Which order of words is likelier: a bigram model with a start, by logarithms."""
    right = "今天 小明 去 超市 买 了 一盒 牛奶".split()
    wrong = "牛奶 超市 了 今天 一盒 去 买 小明".split()
    corpus = [
        "今天 我 去 超市",
        "小明 去 学校 了",
        "我 买 了 一盒 牛奶",
        "小明 买 了 书",
    ]
    model = text.NGramModel(2, smoothing=0.1).fit(line.split() for line in corpus)
    model.log_probability(right)
    model.log_probability(wrong)
    model.perplexity([right])
    model.perplexity([wrong])

"""Digits from tensors: by hand first, then line by line what Keras has for it.

Everything is float64, so that rounding hides no difference between two stages.
"""

import keras
import numpy as np
import tensorflow as tf
from _tour import Pictures
from _tours.drawings import lines, regions
from keras import layers


def _start(sizes, seed):
    """Weights of layers of these sizes: He's, and biases of 0."""
    rng = np.random.default_rng(seed)
    weights = []
    for inputs, units in zip(sizes, sizes[1:], strict=False):
        weights += [
            rng.normal(0, np.sqrt(2 / inputs), (inputs, units)),
            np.zeros(units),
        ]
    return weights


def _farthest(losses, others):
    """The largest difference of two losses of one batch, for each network."""
    return {name: np.abs(losses[name] - others[name]).max() for name in losses}


def images(digits):
    """What there is: rows of pixels in [0, 1], and what they show."""
    x, y, valid_x, valid_y = digits
    {"train": x.shape, "labels": y.shape, "valid": valid_x.shape}
    side = int(np.sqrt(x.shape[1]))
    firsts = {f"{number + 1}: {y[number]}": number for number in range(8)}
    Pictures({name: x[i].reshape(side, side) * 255 for name, i in firsts.items()})


def one_step(digits, seed):
    """Logistic regression: one batch forwards, backwards, and a step."""
    x, y, *_ = digits
    kernel, bias = (tf.Variable(w) for w in _start((x.shape[1], 10), seed))
    xb, yb = x[:64], y[:64]
    with tf.GradientTape() as tape:
        logits = xb @ kernel + bias
        shares = tf.exp(logits) / tf.reduce_sum(tf.exp(logits), axis=1, keepdims=True)
        loss = -tf.reduce_mean(tf.math.log(tf.gather(shares, yb, axis=1, batch_dims=1)))
    loss
    # Before any training about -log(1/10), for ten digits.
    -np.log(1 / 10)
    of_kernel, of_bias = tape.gradient(loss, [kernel, bias])
    # The derivative by hand: shares less the truth.
    error = (shares - tf.one_hot(yb, 10, dtype=tf.float64)) / 64
    tf.reduce_max(tf.abs(of_kernel - tf.transpose(xb) @ error))
    tf.reduce_max(tf.abs(of_bias - tf.reduce_sum(error, axis=0)))
    kernel = kernel - 0.1 * of_kernel
    bias = bias - 0.1 * of_bias
    after = tf.nn.softmax(xb @ kernel + bias)
    -tf.reduce_mean(tf.math.log(tf.gather(after, yb, axis=1, batch_dims=1))) < loss


def line_by_line(digits, epochs, seed):
    """Both networks from tensors alone, then line by line what Keras has, up to `fit`.

    A logistic regression, and a network with a hidden layer of 50 units. At each stage
    the losses of all batches are those of the first.
    """
    x, y, valid_x, valid_y = digits
    starts = {
        "logistic": _start((x.shape[1], 10), seed),
        "hidden layer": _start((x.shape[1], 50, 10), seed),
    }

    def batches():
        for _ in range(epochs):
            for first in range(0, len(x), 64):
                yield tf.constant(x[first : first + 64]), y[first : first + 64]

    def logits(weights, images):
        *hidden, kernel, bias = weights
        if hidden:
            images = tf.nn.relu(images @ hidden[0] + hidden[1])
        return images @ kernel + bias

    def cross_entropy(labels, logits):
        shifted = logits - tf.reduce_max(logits, axis=1, keepdims=True)
        log_sum = tf.math.log(tf.reduce_sum(tf.exp(shifted), axis=1, keepdims=True))
        return -tf.reduce_mean(
            tf.gather(shifted - log_sum, labels, axis=1, batch_dims=1)
        )

    def from_tensors(start):
        weights = [tf.Variable(array) for array in start]
        losses = []
        for images, labels in batches():
            with tf.GradientTape() as tape:
                loss = cross_entropy(labels, logits(weights, images))
            gradients = tape.gradient(loss, weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.assign_sub(0.1 * gradient)
            losses.append(loss)
        return np.array(losses)

    by_hand = {name: from_tensors(start) for name, start in starts.items()}
    {name: (losses[0], losses[-1]) for name, losses in by_hand.items()}

    # 1. Keras's loss for `cross_entropy`.
    keras_loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, dtype="float64"
    )

    def with_its_loss(start):
        weights = [tf.Variable(array) for array in start]
        losses = []
        for images, labels in batches():
            with tf.GradientTape() as tape:
                loss = keras_loss(labels, logits(weights, images))
            gradients = tape.gradient(loss, weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.assign_sub(0.1 * gradient)
            losses.append(loss)
        return np.array(losses)

    stage = {name: with_its_loss(start) for name, start in starts.items()}
    _farthest(stage, by_hand)

    # 2. Keras's layers for the weights and `logits`.
    def network(start):
        sizes = [len(bias) for bias in start[1::2]]
        hidden = [layers.Dense(n, "relu", dtype="float64") for n in sizes[:-1]]
        last = layers.Dense(sizes[-1], dtype="float64")
        inputs = keras.Input((x.shape[1],), dtype="float64")
        model = keras.Sequential([inputs, *hidden, last])
        model.set_weights(start)
        return model

    def with_its_layers(start):
        model = network(start)
        weights = [weight.value for weight in model.trainable_variables]
        losses = []
        for images, labels in batches():
            with tf.GradientTape() as tape:
                loss = keras_loss(labels, model(images))
            gradients = tape.gradient(loss, weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.assign_sub(0.1 * gradient)
            losses.append(loss)
        return np.array(losses)

    stage = {name: with_its_layers(start) for name, start in starts.items()}
    _farthest(stage, by_hand)

    # 3. Keras's optimizer for the steps.
    def with_its_optimizer(start):
        model = network(start)
        optimizer = keras.optimizers.SGD(0.1)
        losses = []
        for images, labels in batches():
            with tf.GradientTape() as tape:
                loss = keras_loss(labels, model(images))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            losses.append(loss)
        return np.array(losses)

    stage = {name: with_its_optimizer(start) for name, start in starts.items()}
    _farthest(stage, by_hand)

    # 4. tf.data for `batches`, and Keras's step for the tape.
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(64)

    def with_its_step(start):
        model = network(start)
        model.compile(keras.optimizers.SGD(0.1), loss=keras_loss)
        steps = dataset.repeat(epochs)
        return np.array(
            [model.train_on_batch(*batch, return_dict=True)["loss"] for batch in steps]
        )

    stage = {name: with_its_step(start) for name, start in starts.items()}
    _farthest(stage, by_hand)

    # 5. `fit` for the loop.
    models = {name: network(start) for name, start in starts.items()}
    stage = {}
    for name, model in models.items():
        model.compile(keras.optimizers.SGD(0.1), loss=keras_loss)
        each = _EachBatch()
        model.fit(dataset, epochs=epochs, callbacks=[each], shuffle=False, verbose=0)
        stage[name] = np.array(each.losses)
    _farthest(stage, by_hand)
    lines("Loss of each batch", None, by_hand, "batch", "loss")
    # The share of validation digits that are told right.
    answers = {
        name: model.predict(valid_x, verbose=0) for name, model in models.items()
    }
    {name: np.mean(found.argmax(axis=1) == valid_y) for name, found in answers.items()}


class _EachBatch(keras.callbacks.Callback):
    """The loss of each batch; what Keras shows is the mean of the epoch so far."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])


def perceptron():
    """Rosenblatt's rule learns AND and OR; no line parts XOR."""
    x = np.float32([[0, 0], [0, 1], [1, 0], [1, 1]])
    truth = {
        "AND": np.array([0, 0, 0, 1]),
        "OR": np.array([0, 1, 1, 1]),
        "XOR": np.array([0, 1, 1, 0]),
    }

    def learned(labels, rounds=20):
        weights, bias = np.zeros(2), 0.0
        for _ in range(rounds):
            for row, label in zip(x, labels, strict=True):
                error = label - float(row @ weights + bias > 0)
                weights, bias = weights + error * row, bias + error
        return lambda points: (points @ weights + bias > 0).astype(int)

    models = {name: learned(labels) for name, labels in truth.items()}
    {name: model(x) for name, model in models.items()}
    # Two of them and a third behind: OR and not AND.
    either, both = models["OR"], models["AND"]
    models["XOR, two layers"] = lambda points: either(points) * (1 - both(points))
    models["XOR, two layers"](x)
    truth["XOR, two layers"] = truth["XOR"]
    caption = "Where a perceptron says 1, blue, and 0, red; the dots are the truth"
    regions(caption, models, x, truth)

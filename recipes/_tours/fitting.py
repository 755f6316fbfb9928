"""Over- and underfitting on scikit-learn's digits, and what helps against it.

200 of the 8x8 digits train, one in seven under a wrong name, and 600 validate: what is
learned by heart is wrong.
"""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from _tours.drawings import histograms, lines
from keras import layers, regularizers
from sklearn.datasets import load_digits

EPOCHS = 20


def _digits():
    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(x))
    x, y = (x[order] / 16).astype("float32"), y[order]
    y[:200:7] = rng.integers(0, 10, len(y[:200:7]))
    return (x[:200], y[:200]), (x[200:800], y[200:800])


def _network(units, seed, penalty=None, dropout=0.0):
    keras.utils.set_random_seed(seed)
    stages = [keras.Input((64,))]
    for _ in range(2):
        stages.append(
            layers.Dense(units, activation="relu", kernel_regularizer=penalty)
        )
        if dropout:
            stages.append(layers.Dropout(dropout))
    network = keras.Sequential([*stages, layers.Dense(10, activation="softmax")])
    loss = keras.losses.SparseCategoricalCrossentropy()
    network.compile(
        keras.optimizers.Adam(1e-2), loss, weighted_metrics=[], metrics=[loss]
    )
    return network


def _fit(network, epochs=EPOCHS, callbacks=()):
    """The loss without penalties, of training and validation, each epoch."""
    (x, y), valid = _digits()
    history = network.fit(
        x,
        y,
        batch_size=50,
        epochs=epochs,
        validation_data=valid,
        validation_batch_size=600,
        callbacks=list(callbacks),
        verbose=0,
    ).history
    name = "sparse_categorical_crossentropy"
    return {"train": history[name], "valid": history[f"val_{name}"]}


def under_and_overfitting(seed):
    """Two units are too few; 128 learn the training digits by heart."""
    few, many = _network(2, seed), _network(128, seed)
    losses = {"2 units": _fit(few), "128 units": _fit(many)}
    rows = {
        name: {f"last {part}": values[-1] for part, values in parts.items()}
        | {"lowest valid": min(parts["valid"])}
        for name, parts in losses.items()
    }
    pd.DataFrame(rows).T
    lines(
        "Loss of 2 units and of 128: training and validation",
        None,
        {f"{n}, {part}": v for n, parts in losses.items() for part, v in parts.items()},
        "epoch",
        "loss",
        logy=True,
    )


def optimizers():
    """What they take unasked, and a rate that falls by a tenth each epoch."""
    sgd, adam = keras.optimizers.SGD(), keras.optimizers.Adam()
    [sgd.learning_rate.value, sgd.momentum]
    [adam.learning_rate.value, adam.beta_1, adam.beta_2]
    # PyTorch's StepLR(step_size=1, gamma=0.9), by steps of an epoch.
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.9, staircase=True)
    [decay(epoch) for epoch in range(4)]


def penalties():
    """L1 adds lambda mean |w| to the loss, L2 lambda / 2 mean w^2."""
    w = tf.Variable([0.5, -2.0, 0.001])
    rate = 0.3
    with tf.GradientTape(persistent=True) as tape:
        l1 = rate * tf.reduce_mean(tf.abs(w))
        l2 = rate / 2 * tf.reduce_mean(tf.square(w))
    [l1, l2]
    # L1 pulls with the same force at each weight, so small ones end at 0;
    tape.gradient(l1, w)
    # L2 pulls the more the larger it is: all become small, none 0.
    tape.gradient(l2, w)
    # Keras sums where the lesson takes the mean, and knows no half.
    regularizers.L1(rate / 3)(w) - l1
    regularizers.L2(rate / 2 / 3)(w) - l2


def what_helps(seed):
    """L1, L2, dropout and early stopping beside nothing."""
    stop = keras.callbacks.EarlyStopping(
        "val_sparse_categorical_crossentropy",
        mode="min",
        patience=5,
        restore_best_weights=True,
    )
    networks = {
        "nothing": _network(128, seed),
        "L1": _network(128, seed, regularizers.L1(3e-3)),
        "L2": _network(128, seed, regularizers.L2(1e-2)),
        "dropout": _network(128, seed, dropout=0.5),
        "early stopping": _network(128, seed),
    }
    losses = {
        name: _fit(network, callbacks=[stop] if name == "early stopping" else ())
        for name, network in networks.items()
    }
    weights = {name: net.layers[0].kernel.numpy() for name, net in networks.items()}
    x, y = _digits()[1]
    table = {
        name: {
            "train loss": losses[name]["train"][-1],
            "valid loss": net.evaluate(x, y, 600, 0, return_dict=True)[
                "sparse_categorical_crossentropy"
            ],
            "valid accuracy": np.mean(net.predict(x, 600, 0).argmax(1) == y),
            "epochs": len(losses[name]["train"]),
            "weights below 1e-3": np.mean(np.abs(weights[name]) < 1e-3),
        }
        for name, net in networks.items()
    }
    pd.DataFrame(table).T
    lines(
        "Validation loss",
        None,
        {name: parts["valid"] for name, parts in losses.items()},
        "epoch",
        "loss",
        logy=True,
    )
    histograms(
        "Weights of the first layer; the scale is logarithmic",
        {name: weights[name] for name in ("nothing", "L1", "L2")},
        "weight",
        "how many",
        log=True,
    )

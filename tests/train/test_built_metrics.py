"""Metrics that are there before `fit`: one trace, and what Keras makes of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.train import lr_find, resumable_fit
from kerasdl.train._built_metrics import build_metrics


def network(kind=keras.Model, units=1):
    inputs = keras.Input((3,))
    init = keras.initializers.GlorotUniform(seed=1)
    outputs = layers.Dense(units, "sigmoid", kernel_initializer=init)(inputs)
    return kind(inputs, outputs)


@pytest.fixture
def dataset(rng):
    x = rng.normal(size=(8, 3)).astype("float32")
    arrays = x, (x[:, :1] > 0).astype("float32")
    return tf.data.Dataset.from_tensor_slices(arrays).batch(4)


@pytest.mark.parametrize("train", [resumable_fit, lr_find])
def test_the_step_is_traced_once(train, dataset):
    traced = []

    def loss(y_true, y_pred):
        traced.append(y_pred)
        return keras.losses.binary_crossentropy(y_true, y_pred)

    model = network()
    model.compile("sgd", loss, metrics=["accuracy", keras.metrics.AUC()])
    train(model, dataset, 1e-3 if train is lr_find else 1)
    assert len(traced) == 1


@pytest.mark.parametrize("metrics", [["accuracy"], {"a": ["acc", "mse"], "b": "auc"}])
def test_they_are_those_of_keras(metrics, dataset):
    """By name, of their kind and with their values; `accuracy` goes by the shapes."""
    found, names = [], []
    if isinstance(metrics, dict):
        dataset = dataset.map(lambda x, y: (x, {"a": y, "b": y}))
    for train in (resumable_fit, keras.Model.fit):
        model = network()
        if isinstance(metrics, dict):
            outputs = {"a": model.output, "b": layers.Dense(1, "sigmoid")(model.output)}
            model = keras.Model(model.input, outputs)
            model.set_weights([np.ones_like(w) for w in model.get_weights()])
        model.compile("sgd", "binary_crossentropy", metrics=metrics)
        train(model, dataset, epochs=2)
        found.append(model.evaluate(dataset, verbose=0, return_dict=True))
        names.append([type(metric).__name__ for metric in model.metrics])
    assert found[0] == pytest.approx(found[1]) and names[0] == names[1]


class Own(keras.Model):
    """Has no use for the metrics it is compiled with."""

    def train_step(self, data):
        return {"loss": self.compute_loss(data[0], data[1], self(data[0]))}


def test_what_is_left_to_keras(dataset):
    inputs = (np.ones((4, 3)), dataset.map(lambda x, y: x))
    for kind, x in ((Own, dataset), *((keras.Model, x) for x in inputs)):
        model = network(kind)
        model.compile("sgd", "mse", metrics=["accuracy"])
        assert len(build_metrics(model, x).metrics_variables) == 2  # of the loss
    assert len(build_metrics(model, dataset).metrics_variables) == 2 + 2

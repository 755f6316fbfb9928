"""Classes that count more, in cycles, in the Learner and on activations."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasdl
from kerasdl.data import ImageData
from kerasdl.train import fit_cycles, freeze, resumable_fit

WEIGHTS = {0: 0.5, 1: 3.0, 2: 1.0}


def photos(rng, label_mode="int", labels=None):
    images = rng.integers(0, 256, (12, 4, 4, 3), "uint8")
    labels = np.resize([0, 0, 1, 2], 12) if labels is None else labels
    options = {"batch_size": 3, "label_mode": label_mode, "seed": 0}
    return ImageData.from_arrays(images, labels, 0.25, **options)


def network(data, outputs=3):
    pixels = keras.Input((4, 4, 3))
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(pixels))
    init = keras.initializers.GlorotUniform(seed=0)
    activation = "sigmoid" if outputs == 1 else "softmax"
    x = layers.Dense(2, kernel_initializer=init, name="under")(x)
    x = layers.Dense(outputs, activation, kernel_initializer=init, name="top")(x)
    model = keras.Model(pixels, x)
    loss = kerasdl.classification.classification_loss(model, data)
    model.compile(keras.optimizers.SGD(0.1), loss=loss)
    return model


def by_hand(model, data, weights):
    """Weights after plain gradient descent, whose rate falls as a cosine."""
    steps = len(data.train)
    for step, (x, y) in enumerate(data.train):
        model.optimizer.learning_rate = 0.05 * (1 + np.cos(np.pi * step / steps))
        ids = y.numpy().argmax(1) if y.ndim == 2 and y.shape[1] > 1 else y.numpy()
        own = np.array([weights[int(number)] for number in ids.ravel()])
        model.train_on_batch(x, y, sample_weight=own)
    return model.get_weights()


@pytest.mark.parametrize("label_mode", ["int", "categorical", "binary"])
def test_each_photo_counts_as_its_class(label_mode, rng):
    outputs = 1 if label_mode == "binary" else 3
    labels = np.resize([0, 0, 1], 12) if outputs == 1 else None
    data = photos(rng, label_mode, labels)
    weights = dict(list(WEIGHTS.items())[: len(data.class_names)])
    model = network(data, outputs)
    expected = by_hand(network(data, outputs), data, weights)
    data.start_epoch(0)
    fit_cycles(model, data, 0.1, 1, class_weight=weights)
    for ours, wanted in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)


def test_the_weights_of_the_data_are_taken_by_the_learner(rng, tmp_path):
    data = photos(rng)
    ends = []
    for precompute in (False, True):
        model = network(data)
        freeze(model)
        options = {"precompute": precompute, "cache_dir": tmp_path}
        learn = kerasdl.Learner.from_model(model, data, **options)
        learn.fit(0.1, class_weight=data.class_weights())
        ends.append(model.get_weights())
    plain = network(data)
    freeze(plain)
    kerasdl.Learner.from_model(plain, data).fit(0.1)
    for ours, cached in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, cached, rtol=1e-4, atol=1e-5)
    assert np.abs(ends[0][-1] - plain.get_weights()[-1]).max() > 1e-4


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {0: 1.0, 1: 2.0},
        {0: 1.0, 1: 2.0, 2: 1.0, 3: 1.0},
        {0: 1.0, 1: -1.0, 2: 1.0},
        {0: 1.0, 1: np.nan, 2: 1.0},
        {0: 1.0, 1: "2", 2: 1.0},
        {"a": 1.0, "b": 1.0, "c": 1.0},
        {0: 0, 1: 0, 2: 0},
        [1.0, 2.0, 3.0],
        "balanced",
    ],
)
def test_what_are_no_weights_of_the_classes(weights, rng):
    data = photos(rng)
    model = network(data)
    message = "`class_weight` must give a number .* each of 3 classes.*class_weights()"
    with pytest.raises(ValueError, match=message):
        fit_cycles(model, data, 0.1, class_weight=weights)
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize(
    "weights", [{}, {0: np.nan}, {0: -1}, {"0": 1}, [1, 2], {1: 1}]
)
def test_what_are_no_weights_where_the_classes_are_not_known(weights, rng):
    data = photos(rng)
    model = network(data)
    with pytest.raises(ValueError, match="`class_weight` must give .* for each class"):
        resumable_fit(model, data.train, 1, class_weight=weights)
    assert model.optimizer.iterations == 0


def test_several_labels_a_photo_are_refused(rng):
    labels = rng.integers(0, 2, (12, 3))
    labels[:, 0] = 1
    data = photos(rng, None, labels)
    model = network(data)
    message = "`class_weight` must be None for several labels a photo"
    with pytest.raises(ValueError, match=message):
        fit_cycles(model, data, 0.1, class_weight=WEIGHTS)


def test_a_pair_of_datasets_is_weighted_too(rng):
    data = photos(rng)
    model, twin = network(data), network(data)
    fit_cycles(model, (data.train, None), 0.1, 1, class_weight=WEIGHTS)
    data.start_epoch(0)
    fit_cycles(twin, data, 0.1, 1, class_weight=WEIGHTS)
    for ours, wanted in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-6)

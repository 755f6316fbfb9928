import keras
import numpy as np
import pytest
from PIL import Image

from kerasdl.classification import precompute
from kerasdl.data import ImageData
from kerasdl.models import pooled_head, with_rgb_input
from kerasdl.train import freeze_to


@pytest.fixture
def data(tmp_path, rng):
    for split in ("train", "valid"):
        for name in ("a", "b", "c"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for i in range(3):
                pixels = rng.integers(0, 256, (8, 8, 3), "uint8")
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return ImageData.from_folder(
        *(tmp_path / "photos",), image_size=8, batch_size=9, seed=1
    )


def network(dropout=0.5):
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 255)(pixels)
    x = keras.layers.Conv2D(
        *(5, 3),
        activation="relu",
        kernel_initializer=keras.initializers.GlorotUniform(seed=0),
        name="trunk",
    )(x)
    outputs = pooled_head(x, 3, dropout=dropout, seed=0)
    model = keras.Model(pixels, outputs)
    model.compile(optimizer="sgd", loss="categorical_crossentropy")
    return model


def test_outputs_are_those_of_the_whole_model(data, tmp_path):
    model = network()
    freeze_to(model, "head_avg_pool")
    upper, activations = precompute(model, data, cache_dir=tmp_path / "cache")
    assert upper.input_shape == (None, 5)  # the cut is where training begins
    np.testing.assert_allclose(
        upper.predict(activations.valid, verbose=0),
        model.predict(data.valid, verbose=0),
        atol=1e-5,
    )
    assert activations.views["train"][0].shape == (9, 5)


def test_training_above_the_cut_trains_the_whole_model_alike(data, tmp_path):
    """Without random layers; one batch is an epoch, so that order does not matter."""
    ends = []
    for cached in (True, False):
        model = network(dropout=0.0)
        freeze_to(model, "head_predictions")
        x = data.train
        fitted = model
        if cached:
            upper, activations = precompute(model, data, cache_dir=tmp_path / "cache")
            upper.compile(optimizer="sgd", loss="categorical_crossentropy")
            fitted, x = upper, activations.train
        fitted.fit(x, epochs=3, verbose=0, shuffle=False)
        ends.append(model.get_weights())
    for with_cache, without in zip(*ends, strict=True):
        np.testing.assert_allclose(with_cache, without, atol=1e-5)


def test_dropout_below_the_first_trained_layer_still_drops(data, tmp_path):
    model = network()
    freeze_to(model, "head_predictions")
    upper, _ = precompute(model, data, cache_dir=tmp_path / "cache")
    assert "head_dropout" in [layer.name for layer in upper.layers]
    assert "head_bn" not in [layer.name for layer in upper.layers]


def test_arrays_unlabelled_splits_and_oversampling(tmp_path, rng):
    images = rng.integers(0, 256, (20, 8, 8, 3), "uint8")
    labels = np.repeat([0, 1, 2], [12, 4, 4])
    data = ImageData.from_arrays(
        *(images, labels, 0.25, images[:3]), oversample=True, seed=1
    )
    model = network()
    freeze_to(model, "head_avg_pool")
    upper, activations = precompute(model, data, cache_dir=tmp_path / "cache")
    assert list(activations.views) == ["train", "valid"]
    np.testing.assert_allclose(
        upper.predict(activations.valid, verbose=0),
        model.predict(data.valid, verbose=0),
        atol=1e-5,
    )
    ((_, shown),) = activations.train
    assert shown.numpy().sum(axis=0).tolist() == [9, 9, 9]


@pytest.mark.parametrize(
    ("frozen_to", "first", "message"),
    [
        ("trunk", "head_bn", "`first` must be above no layer that trains.*'trunk'"),
        ("trunk", "nothing", "`first` must name a layer.*first='nothing'"),
        (None, None, "`first` must name a layer.*first=None"),
    ],
)
def test_cuts_that_do_not_work(frozen_to, first, message, data, tmp_path):
    model = network()
    if frozen_to:
        freeze_to(model, frozen_to)
    else:
        model.trainable = False
    with pytest.raises(ValueError, match=message):
        precompute(model, data, first, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_layer_that_two_models_share_is_cut_in_this_one(data, tmp_path):
    gray = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(2, 3, name="trunk")(gray)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = with_rgb_input(keras.Model(gray, keras.layers.Dense(3, name="top")(x)))
    freeze_to(model, "top")
    upper, activations = precompute(model, data, cache_dir=tmp_path / "cache")
    np.testing.assert_allclose(
        upper.predict(activations.valid, verbose=0),
        model.predict(data.valid, verbose=0),
        rtol=1e-4,
    )


def test_a_cut_through_several_tensors_is_refused(data, tmp_path):
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(3, 3, padding="same", name="trunk")(pixels)
    x = keras.layers.Add(name="sum")([x, pixels])
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(pixels, keras.layers.Dense(3, name="top")(x))
    freeze_to(model, "top")
    message = "`first` must name a layer that takes one tensor.*'sum', which takes 2"
    with pytest.raises(ValueError, match=message):
        precompute(model, data, "sum", cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()

import keras
import numpy as np
import pytest

from kerasdl.data import ImageData

LAYERS = {
    "mixup": keras.layers.MixUp(alpha=0.8, seed=1),
    "cutmix": keras.layers.CutMix(factor=0.8, seed=1),
}


@pytest.fixture
def data():
    """Images of one level each, ten times their number, which is also their class."""
    levels = np.arange(12)
    images = np.broadcast_to(10 * levels[:, None, None, None], (12, 20, 20, 3))
    images = images.astype(np.uint8)
    return ImageData.from_arrays(images, levels, (images, levels), batch_size=5, seed=3)


def batches(data):
    return list(data.train.as_numpy_iterator())


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_labels_say_what_is_in_the_image(data, layer):
    mixed = batches(data.with_mix(layer))
    assert any((labels.max(1) < 0.9).any() for _, labels in mixed)
    for images, labels in mixed:
        assert images.dtype == labels.dtype == np.float32
        np.testing.assert_allclose(labels.sum(1), 1, atol=1e-6)
        # An image of one level stands for its class: the mean level is that which the
        # shares in the label give, but for whole pixels at CutMix's edges.
        expected = labels @ (10 * np.arange(12.0))
        np.testing.assert_allclose(images.mean((1, 2, 3)), expected, atol=5)
        assert ((labels > 0).sum(1) <= 2).all()


def test_cutmix_puts_in_a_rectangle_and_mixup_blends(data):
    for images, _ in batches(data.with_mix(LAYERS["cutmix"])):
        assert set(np.unique(images)) <= set(10 * np.arange(12.0))
    assert any(
        (images % 10).any() for images, _ in batches(data.with_mix(LAYERS["mixup"]))
    )


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_mixtures_are_functions_of_seed_and_epoch(data, layer):
    whole = data.with_mix(layer)
    first, second = batches(whole), batches(whole)
    assert not np.array_equal(first[0][1], second[0][1])
    resumed = data.with_mix(layer)
    resumed.start_epoch(1)
    for mine, theirs in zip(batches(resumed), second, strict=True):
        np.testing.assert_array_equal(mine[0], theirs[0])
        np.testing.assert_array_equal(mine[1], theirs[1])


def test_only_training_is_mixed_and_other_settings_keep_it(data):
    mixed = data.with_mix(LAYERS["mixup"])
    for (mine, _), (plain, _) in zip(mixed.valid, data.valid, strict=True):
        np.testing.assert_array_equal(mine, plain)
    assert mixed.with_image_size(8).mix is LAYERS["mixup"]
    plain, again = batches(data), batches(mixed.with_mix(None))
    np.testing.assert_array_equal(plain[0][1], again[0][1])


def test_a_binary_model_trains_on_mixtures():
    levels = np.arange(12) % 2
    images = np.broadcast_to(200 * levels[:, None, None, None], (12, 8, 8, 3))
    data = ImageData.from_arrays(images.astype(np.uint8), levels, seed=1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.3), "binary_crossentropy")
    history = model.fit(
        data.with_mix(LAYERS["mixup"]).train,
        validation_data=data.valid,
        epochs=10,
        shuffle=False,
        verbose=0,
    )
    losses = history.history["val_loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_bad_mix(data):
    with pytest.raises(ValueError, match="`mix` must be a keras.layers.MixUp"):
        data.with_mix("mixup")
    sparse = ImageData.from_arrays(
        np.zeros((4, 8, 8, 3), np.uint8), [0, 1, 0, 1], 0.5, label_mode="int", seed=1
    )
    with pytest.raises(ValueError, match="class indices cannot be mixed"):
        sparse.with_mix(LAYERS["mixup"])


def test_facts_tell_mixtures_apart_but_not_their_names_and_seeds(data):
    def facts(**arguments):
        return data.with_mix(keras.layers.MixUp(**arguments)).facts()

    assert facts(alpha=0.2) == facts(alpha=0.2, seed=5)
    assert facts(alpha=0.2) != facts(alpha=0.4)
    assert facts(alpha=0.2) != data.facts()

import errno

import keras
import numpy as np
import pytest
from keras import layers, ops

from kerasdl.artefacts import inference_model, save_inference_model


class Ours(layers.Layer):
    def call(self, inputs):
        return inputs


class OursWithArgument(Ours):
    def __init__(self, power):
        super().__init__()
        self.power = power


@keras.saving.register_keras_serializable("ours")
class OursRegistered(Ours):
    pass


class OurModel(keras.Model):
    pass


def our_activation(inputs):
    return inputs


def our_initializer(shape, dtype=None):
    return ops.ones(shape, dtype)


def sequential(*more):
    return keras.Sequential([keras.Input((4, 4, 3)), layers.Conv2D(2, 1), *more])


def test_a_process_without_kerasdl_predicts_the_same(exported):
    three = exported.models["three"].predict_on_batch(exported.pixels.astype("float32"))
    assert np.ptp(three, axis=0).min() > 1e-3  # the pictures do differ
    np.testing.assert_allclose(exported.bare["three"]["by_keras"], three, atol=1e-5)
    assert exported.bare["three"]["compiled"] is False


def test_mixed_precision_becomes_float32(exported):
    mixed = exported.models["two"]
    copy = inference_model(mixed)
    assert mixed.layers[1].compute_dtype == "bfloat16"
    policies = {
        layer.compute_dtype for layer in copy._flatten_layers(include_self=False)
    }
    assert policies == {"float32"}
    pixels = exported.pixels.astype("float32")
    by_copy = copy.predict_on_batch(pixels)
    np.testing.assert_allclose(exported.bare["two"]["by_keras"], by_copy, atol=1e-5)
    np.testing.assert_allclose(mixed.predict_on_batch(pixels), by_copy, atol=2e-2)


def test_the_trained_model_is_left_as_it_was(exported):
    model = exported.models["three"]
    assert model.compiled
    assert not model.get_layer("trunk").trainable
    assert keras.config.dtype_policy().name == "float32"


def test_augmentation_and_dropout_do_nothing_in_prediction(exported):
    copy = inference_model(exported.models["three"])
    pixels = exported.pixels.astype("float32")
    first, second = copy.predict_on_batch(pixels), copy.predict_on_batch(pixels)
    np.testing.assert_array_equal(first, second)
    assert np.abs(copy(pixels, training=True) - first).max() > 1e-3


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (lambda: sequential(Ours(name="mine")), r"layer 'mine' \(Ours\)"),
        (lambda: sequential(OursRegistered(name="mine")), r"'mine' \(OursRegistered\)"),
        (lambda: sequential(OursWithArgument(3)), "OursWithArgument"),
        (lambda: sequential(layers.TimeDistributed(Ours(name="mine"))), "'mine'"),
        (lambda: sequential(keras.Sequential([Ours(name="mine")])), "'mine'"),
        (
            lambda: sequential(layers.Activation(our_activation, name="mine")),
            r"'mine' \(our_activation\)",
        ),
        (
            lambda: sequential(layers.Conv2D(2, 1, kernel_initializer=our_initializer)),
            "our_initializer",
        ),
        (
            lambda: sequential(layers.Lambda(lambda x: x, name="mine")),
            r"'mine' \(Lambda\)",
        ),
        (
            lambda: sequential(layers.Activation(lambda x: x, name="mine")),
            r"'mine' \(a lambda as activation\)",
        ),
        (
            lambda: OurModel(*[keras.Input((4,), name="x")] * 2, name="mine"),
            r"'mine' \(OurModel\)",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
def test_what_plain_keras_cannot_load_is_named(tmp_path, model, named):
    with pytest.raises(ValueError, match=f"nothing but Keras's own.*{named}"):
        save_inference_model(model(), tmp_path / "model.keras")
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`path` must end in .keras"):
        save_inference_model(sequential(), tmp_path / "model.h5")


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")

    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_inference_model(sequential(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    assert path.read_bytes() == b"old"


def test_an_adapted_layer_computes_as_in_the_model(tmp_path, rng):
    norm = layers.Normalization()
    norm.adapt(rng.uniform(0, 255, (20, 4, 4, 3)))
    model = keras.Sequential([keras.Input((4, 4, 3)), norm, layers.Conv2D(2, 1)])
    pixels = rng.uniform(0, 255, (2, 4, 4, 3)).astype("float32")
    np.testing.assert_array_equal(inference_model(model)(pixels), model(pixels))
    save_inference_model(model, tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(pixels), model(pixels))


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="`path` must be in a folder that exists"):
        save_inference_model(sequential(), tmp_path / "gone" / "model.keras")

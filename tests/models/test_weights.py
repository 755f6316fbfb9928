import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.models import _weights_file, load_weights, restore_weights


def network(names=("a", "b", "c"), filters=4, head=False, seed=0):
    """A chain of convolutions, each with a BatchNormalization of another shape."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Normalization(name="normalization")(x)
    for name in names:
        x = layers.Conv2D(filters, 3, padding="same", name=name)(x)
        x = layers.BatchNormalization(name=f"{name}_bn")(x)
    if head:
        x = layers.Dropout(0.5)(layers.Flatten()(x))
        x = layers.Dense(2, name="head")(x)
    model = keras.Model(inputs, x, name="chain")
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights([generator.uniform(1, 2, w.shape) for w in layer.weights])
    model.get_layer("normalization").finalize_state()
    return model


def assert_same(model, other):
    """Every layer of `model` has the weights of its namesake in `other`."""
    for layer in model.layers:
        if layer.weights:
            pairs = zip(layer.weights, other.get_layer(layer.name).weights, strict=True)
            for ours, theirs in pairs:
                np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def saved(model, path):
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)
    return path


@pytest.fixture(params=["own.keras", "own.weights.h5", "own.h5"])
def path(request, tmp_path):
    return tmp_path / request.param


def test_loads_every_layer(path):
    source, model = network(seed=1), network(seed=2)
    load_weights(model, saved(source, path))
    assert_same(source, model)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3))
    np.testing.assert_allclose(model(pixels), source(pixels), rtol=1e-5)


def test_a_model_saved_with_its_optimizer(path):
    source, model = network(head=True, seed=1), network(head=True, seed=2)
    source.compile(optimizer="adam", loss="mse")
    source.optimizer.build(source.trainable_variables)
    load_weights(model, saved(source, path))
    assert_same(source, model)


def test_a_head_in_the_file_is_left_over(path):
    source, model = network(head=True, seed=1), network(seed=2)
    load_weights(model, saved(source, path))
    assert_same(model, source)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"names": ("a", "b", "c", "d")}, "'chain'.*where layer 'd' is one too many"),
        ({"names": ("a", "b")}, "where layer 'c' is missing; layer 'c_bn' is missing"),
        ({"filters": 5}, r"layer 'a' has shapes .*5\), .* instead of .*4\)"),
        ({"names": "mnopqr", "filters": 3}, "; and 7 more. Pass a file"),
    ],
)
def test_another_network_is_refused_and_changes_nothing(other, message, path):
    model, untouched = network(seed=2), network(seed=2)
    with pytest.raises(ValueError, match=message):
        load_weights(model, saved(network(**other), path))
    assert_same(untouched, model)


def test_a_legacy_file_with_other_names_fits_in_order(tmp_path):
    source, model = network(("x", "y", "z"), seed=1), network(seed=2)
    load_weights(model, saved(source, tmp_path / "renamed.h5"))
    for ours, theirs in zip(model.weights, source.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_layers_of_a_model_inside_the_model(path):
    """A Sequential of models takes a flat file."""
    source, flat = network(seed=1), network(seed=2)
    cut = flat.get_layer("b").output
    parts = [keras.Model(flat.input, cut), keras.Model(cut, flat.output)]
    nested = keras.Sequential([keras.Input((8, 8, 3)), *parts])
    load_weights(nested, saved(source, path))
    assert_same(source, flat)


def test_a_legacy_file_of_models_inside_the_model(tmp_path):
    """A flat model takes the file of a Sequential of models."""
    source, flat = network(seed=1), network(seed=2)
    cut = source.get_layer("b").output
    parts = [keras.Model(source.input, cut), keras.Model(cut, source.output)]
    nested = keras.Sequential([keras.Input((8, 8, 3)), *parts])
    load_weights(flat, saved(nested, tmp_path / "nested.h5"), whole=True)
    assert_same(source, flat)


def test_the_top_of_the_network_is_left_over_too(path):
    source, model = network("abcd", seed=1), network(seed=2)
    load_weights(model, saved(source, path), ["d", "d_bn"])
    assert_same(model, source)


def test_a_whole_network_leaves_nothing_over(path):
    with pytest.raises(ValueError, match="where layer 'head' is one too many"):
        load_weights(network(), saved(network(head=True), path), whole=True)


def test_a_legacy_file_with_other_names_and_a_top_fits_in_order(tmp_path):
    source, model = network("vwxyz", seed=1), network("abcd", seed=2)
    path = saved(source, tmp_path / "renamed.h5")
    with pytest.raises(ValueError, match="layer 'a' is missing"):
        load_weights(model, path)
    load_weights(model, path, ["e", "e_bn"])
    for ours, theirs in zip(model.weights, source.weights, strict=False):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("name", ["own.keras", "own.weights.h5"])
def test_a_new_file_with_other_names_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="layer 'a' is missing"):
        load_weights(network(), saved(network(("x", "y", "z")), tmp_path / name))


def test_names_that_hdf5_splits_into_parts(tmp_path):
    names = [f"{number}_{'x' * 8000}" for number in range(10)]
    x = inputs = keras.Input((1,))
    for name in names:
        x = layers.Dense(1, name=name)(x)
    model = keras.Model(inputs, x)
    path = saved(model, tmp_path / "long.h5")
    expected = model.get_weights()
    model.set_weights([np.zeros_like(weights) for weights in expected])
    load_weights(model, path)
    np.testing.assert_array_equal(model.get_weights()[0], expected[0])
    np.testing.assert_array_equal(model.get_weights()[-2], expected[-2])


def test_a_normalization_that_keras_numbered(tmp_path):
    def model():
        inputs = keras.Input((2,))
        return keras.Model(inputs, layers.Normalization()(inputs))

    source, target = model(), model()
    assert source.layers[1].name != target.layers[1].name
    source.layers[1].adapt(np.array([[1.0, 2.0], [3.0, 6.0]]))
    load_weights(target, saved(source, tmp_path / "numbered.keras"))
    np.testing.assert_allclose(target(np.array([[2.0, 6.0]])), [[0, 1]], atol=1e-5)


@pytest.mark.parametrize(
    "name", ["missing.h5", "missing.keras", "note.txt", "folder.h5"]
)
def test_no_such_file(name, tmp_path):
    (tmp_path / "note.txt").write_text("weights")
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(
        ValueError, match=f"existing file .* Received: weights=.*{name}"
    ):
        load_weights(network(), tmp_path / name)


def test_a_file_that_keras_did_not_write(path):
    path.write_bytes(b"<html>no such page</html>")
    with pytest.raises(ValueError, match="a file of weights that Keras wrote.*own"):
        load_weights(network(), path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path, monkeypatch):
    path = tmp_path / "own.keras"
    monkeypatch.setattr(_weights_file, "MAX_BYTES", 1_000_000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(2_000_000))
    with pytest.raises(ValueError, match="`weights` must unpack to at most 1,000,000"):
        load_weights(network(), path)


def twins(outer=("left", "right"), seed=0):
    """Two models side by side whose layers have the same names."""
    parts = [network(("a",), seed=seed + number) for number in range(2)]
    pixels = keras.Input((8, 8, 3))
    for part, name in zip(parts, outer, strict=True):
        part.name = name
    return keras.Model(pixels, [part(pixels) for part in parts], name="twins")


def test_layers_of_one_name_are_not_loaded_by_name(path):
    with pytest.raises(ValueError, match="several layers named 'a'.*own"):
        load_weights(twins(), saved(twins(), path))


@pytest.mark.parametrize("name", ["own.keras", "own.weights.h5"])
def test_a_file_with_layers_of_one_name_fits_none_of_them(name, tmp_path):
    path = saved(twins(), tmp_path / name)
    with pytest.raises(ValueError, match="where .*several layers are named 'a'"):
        load_weights(network(("a",)), path)


class Token(keras.Model):
    """A model with a weight of its own."""

    def build(self, shape):
        self.token = self.add_weight(shape=(shape[-1],), name="token")

    def call(self, x):
        return x + self.token


def with_token():
    pixels = keras.Input((8, 8, 3))
    x = Token(name="tokens")(layers.Conv2D(4, 3, name="a")(pixels))
    return keras.Model(pixels, x, name="with_token")


@pytest.mark.parametrize("name", ["own.weights.h5", "own.h5"])
def test_the_weight_of_a_model_inside_is_loaded(name, tmp_path):
    source, model = with_token(), with_token()
    source.get_layer("tokens").token.assign([1, 2, 3, 4])
    load_weights(model, saved(source, tmp_path / name))
    np.testing.assert_array_equal(model.get_layer("tokens").token, [1, 2, 3, 4])


def test_restoring_goes_by_place(tmp_path):
    source, model = twins(seed=1), twins(seed=5)
    restore_weights(model, saved(source, tmp_path / "own.weights.h5"))
    for ours, theirs in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_restoring_what_does_not_fit_changes_nothing(tmp_path):
    model, untouched = network("abc", seed=2), network("abc", seed=2)
    path = saved(network("abcd", head=True), tmp_path / "own.weights.h5")
    with pytest.raises(ValueError, match="file of the network 'chain'.*own.weights.h5"):
        restore_weights(network("abc", filters=5), path)
    with h5py.File(path, "a") as file:
        del file["layers/conv2d_2/vars/1"]
    with pytest.raises(ValueError, match="file of the network 'chain'.*own.weights.h5"):
        restore_weights(model, path)
    assert_same(untouched, model)


@pytest.mark.parametrize("name", ["missing.weights.h5", "own.h5"])
def test_what_cannot_be_restored(name, tmp_path):
    (tmp_path / "own.h5").touch()
    with pytest.raises(ValueError, match=f"that ends in .weights.h5. Received.*{name}"):
        restore_weights(network(), tmp_path / name)

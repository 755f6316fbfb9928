import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.models import _weights
from kerasdl.models._weights import copy_weights, load_weights


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


def test_values_in_another_file_are_refused(tmp_path):
    path = saved(network(), tmp_path / "own.weights.h5")
    (tmp_path / "secret").write_bytes(bytes(1000))
    with h5py.File(path, "a") as file:
        names = []
        file.visit(names.append)
        name = next(name for name in names if name.endswith("conv2d/vars/0"))
        shape = file[name].shape
        del file[name]
        external = [(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset(name, shape, "float32", external=external)
    with pytest.raises(ValueError, match="must be a file that holds its own values"):
        load_weights(network(seed=1), path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path, monkeypatch):
    path = tmp_path / "own.keras"
    monkeypatch.setattr(_weights, "MAX_BYTES", 1_000_000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(2_000_000))
    with pytest.raises(ValueError, match="`weights` must unpack to at most 1,000,000"):
        load_weights(network(), path)


def test_copy_weights_by_name():
    source, target = network(("a", "b"), seed=1), network(seed=2)
    third = target.get_layer("c").get_weights()[0]
    copy_weights(source, target)
    assert_same(source, target)
    np.testing.assert_array_equal(target.get_layer("c").get_weights()[0], third)


def test_copy_weights_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="`target` must hold .* layer 'c' is missing"):
        copy_weights(network(), network(("a", "b")))
    with pytest.raises(ValueError, match="layer 'a' has shapes"):
        copy_weights(network(), network(filters=5))

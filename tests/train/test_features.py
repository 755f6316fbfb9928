import json

import keras
import numpy as np
import pytest
from PIL import Image

from kerasdl.data import ImageError
from kerasdl.train import cache_size, cached_activations, clear_cache
from kerasdl.train import features as features_module


@pytest.fixture
def photos(tmp_path, write_photos):
    write_photos(tmp_path, {"photos": 7})
    return [tmp_path / "photos" / f"{i}.png" for i in range(7)]


def network(seed=0, filters=3):
    pixels = keras.Input((8, 8, 3))
    initializer = keras.initializers.GlorotUniform(seed=seed)
    x = keras.ops.flip(pixels, axis=-1)  # it has a name too, which Keras counts up
    x = keras.layers.Conv2D(filters, 3, kernel_initializer=initializer)(x)
    pooled = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, [x, pooled], name="network")


def activations(model, photos, tmp_path, **kwargs):
    options = {"batch_size": 2, "cache_dir": tmp_path / "cache", "verbose": 0}
    return cached_activations(model, photos, **options | kwargs)


def pixels_of(photos):
    return np.stack([np.asarray(Image.open(path), "float32") for path in photos])


def test_equal_what_the_network_returns(photos, tmp_path):
    model = network()
    cached = activations(model, photos, tmp_path)
    expected = model.predict(pixels_of(photos), verbose=0)
    for array, wanted in zip(cached.arrays, expected, strict=True):
        np.testing.assert_allclose(array, wanted, rtol=1e-5, atol=1e-4)
    assert (cached.computed, cached.reused) == (7, 0)


def test_a_sequential_network(photos, tmp_path):
    trunk = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    cached = activations(trunk, photos, tmp_path)
    expected = trunk.predict(pixels_of(photos), verbose=0)
    np.testing.assert_allclose(cached.arrays[0], expected, rtol=1e-5, atol=1e-4)
    assert activations(trunk, photos, tmp_path).reused == 7


def test_arrays_are_photos_too(photos, tmp_path):
    model = network()
    expected = activations(model, photos, tmp_path)
    pixels = list(pixels_of(photos).astype("uint8"))
    cached = activations(model, pixels, tmp_path)
    for array, wanted in zip(cached.arrays, expected.arrays, strict=True):
        np.testing.assert_array_equal(array, wanted)
    assert activations(model, pixels, tmp_path).reused == 7
    pixels[3] = pixels[3] // 2
    assert activations(model, pixels, tmp_path).computed == 7


def test_flip_mirrors_left_right(photos, tmp_path):
    model = network()
    cached = activations(model, photos, tmp_path, flip=True)
    expected = model.predict(pixels_of(photos)[:, :, ::-1], verbose=0)
    np.testing.assert_allclose(cached.arrays[0], expected[0], rtol=1e-5, atol=1e-4)


def test_second_call_reads_the_first_ones_result(photos, tmp_path):
    first = activations(network(), photos, tmp_path)
    again = activations(network(), photos, tmp_path)
    assert (again.computed, again.reused) == (0, 7)
    assert isinstance(again.arrays[0], np.memmap)
    np.testing.assert_array_equal(again.arrays[1], first.arrays[1])


def test_names_initializers_and_frozen_layers_do_not_matter(photos, tmp_path):
    model, other = network(seed=0), network(seed=1)
    other.set_weights(model.get_weights())
    other.trainable = False
    activations(model, photos, tmp_path)
    assert activations(other, photos, tmp_path).computed == 0


@pytest.mark.parametrize("change", ["file", "weights", "network", "flip", "resize"])
def test_what_changes_the_result_is_computed_anew(change, photos, tmp_path, rng):
    model = network()
    activations(model, photos, tmp_path)
    options = {}
    if change == "file":
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), "uint8")).save(photos[3])
    elif change == "weights":
        model.layers[1].bias.assign([1.0, 2.0, 3.0])
    elif change == "network":
        model = network(filters=4)
    elif change == "flip":
        options["flip"] = True
    else:
        options["resize"] = "squash"
    assert activations(model, photos, tmp_path, **options).computed == 7


class Killed(BaseException):
    pass


def kill_after(monkeypatch, appends):
    """Let the row file's `append` number `appends` write half a row and die."""
    calls = []
    original = features_module._RowFile.append

    def append(self, rows):
        calls.append(rows)
        if len(calls) > appends:
            original(self, rows.reshape(-1)[: rows[0].size // 2])
            raise Killed
        original(self, rows)

    monkeypatch.setattr(features_module._RowFile, "append", append)


@pytest.mark.parametrize(("appends", "kept"), [(0, 0), (3, 2), (4, 4), (7, 6)])
def test_killed_extraction_goes_on(appends, kept, photos, tmp_path, monkeypatch):
    model = network()
    whole = activations(model, photos, tmp_path, cache_dir=tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_after(patch, appends)
        activations(model, photos, tmp_path)
    resumed = activations(model, photos, tmp_path)
    assert (resumed.computed, resumed.reused) == (7 - kept, kept)
    for array, wanted in zip(resumed.arrays, whole.arrays, strict=True):
        np.testing.assert_array_equal(array, wanted)


def test_truncated_cache_is_completed(photos, tmp_path):
    whole = activations(network(), photos, tmp_path).arrays[1].copy()
    (file,) = (tmp_path / "cache").glob("*/output-1.npy")
    file.write_bytes(file.read_bytes()[:-20])  # one row of three, and a part
    again = activations(network(), photos, tmp_path)
    assert (again.computed, again.reused) == (3, 4)
    np.testing.assert_array_equal(again.arrays[1], whole)


def test_full_disk_keeps_what_was_written(photos, tmp_path, monkeypatch):
    model = network()

    def full(self, rows, original=features_module._RowFile.append):
        if self.path.name == "output-1.npy":
            raise OSError(28, "No space left on device")
        original(self, rows)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(features_module._RowFile, "append", full)
        activations(model, photos, tmp_path)
    assert activations(model, photos, tmp_path).computed == 7


def test_damaged_photo_is_named(photos, tmp_path):
    photos[4].write_bytes(b"")
    with pytest.raises(ImageError, match="4.png: empty file"):
        activations(network(), photos, tmp_path)


def test_what_is_no_list_of_photos(photos, tmp_path):
    (tmp_path / "cache").mkdir()
    for paths, message in (
        (str(photos[0]), "`paths` must be a list of image files"),
        (None, "`paths` must be a list .*Received: paths=None"),
        ([*photos, photos[0].with_name("none.png")], "none.png: unreadable: No such"),
    ):
        with pytest.raises(ValueError, match=message):
            activations(network(), paths, tmp_path)
    assert not list((tmp_path / "cache").iterdir())


def test_clear_cache_removes_caches_and_nothing_else(photos, tmp_path):
    activations(network(), photos, tmp_path)
    other = tmp_path / "cache" / "notes"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    freed = clear_cache(tmp_path / "cache")
    assert freed >= 7 * (6 * 6 * 3 + 3) * 4  # two outputs of seven photos in float32
    assert cache_size(tmp_path / "cache") == 0
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["notes"]


def test_key_is_readable(photos, tmp_path):
    activations(network(), photos, tmp_path)
    (key,) = (tmp_path / "cache").glob("*/key.json")
    assert json.loads(key.read_text())["image_size"] == [8, 8]

"""Small files in the formats of the real ones; downloads come from this machine."""

import functools
import gzip
import hashlib
import http.server
import os
import pickle
import struct
import tarfile
import threading

import cv2
import numpy as np
import pytest
from keras.src.datasets.cifar import load_batch

from kerasdl.data import ImageError, _keras_cache, cifar10, fashion_mnist, mnist

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def idx(array):
    """The bytes of an IDX file: two zeros, type 8, axes, sizes, values."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def digits(rng, count=40):
    """Arrays of the four IDX files."""
    arrays = []
    for number in (count, count // 2):
        arrays.append(rng.integers(0, 256, (number, 28, 28), dtype=np.uint8))
        arrays.append(np.resize(np.arange(10, dtype=np.uint8), number))
    return arrays


def write_idx(folder, arrays, suffix=".gz"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(IDX_FILES, arrays, strict=True):
        content = gzip.compress(idx(array)) if suffix else idx(array)
        (folder / f"{name}{suffix}").write_bytes(content)
    return folder


def batch(pixels, labels):
    """A batch of CIFAR-10 as Python 2 pickled it; `pixels` (n, 3072) uint8."""
    data = pixels.tobytes()
    return (
        b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03"
        b"U\x06labelsq\x04]q\x05("
        + b"".join(b"K" + bytes([label]) for label in labels)
        + b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07"
        b"cnumpy\nndarray\nq\x08K\x00\x85q\tU\x01bq\n\x87q\x0bRq\x0c(K\x01M"
        + struct.pack("<H", len(pixels))
        + b"M\x00\x0c\x86q\rcnumpy\ndtype\nq\x0eU\x02u1q\x0fK\x00K\x01\x87q\x10Rq\x11"
        b"(K\x03U\x01|q\x12NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x13b\x89T"
        + struct.pack("<i", len(data))
        + data
        + b"q\x14tq\x15bU\tfilenamesq\x16]q\x17(U\x0fa_tabby_s_1.pngq\x18eu."
    )


def write_batches(folder, rng, count=20):
    """The six files; returns the pixels and labels of each."""
    folder.mkdir(parents=True)
    written = {}
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        pixels = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
        labels = np.resize(np.arange(10), count)
        (folder / name).write_bytes(batch(pixels, labels))
        written[name] = pixels, labels
    return written


def test_real_images(real_data):
    """Counts as published; the digits that the first files of MNIST begin with."""
    digits = mnist(real_data / "data" / "mnist", seed=1)
    clothes = fashion_mnist(real_data / "data" / "fashion_mnist", seed=1)
    for data in (digits, clothes):
        counts = data.counts().loc[["train", "test"]]
        assert counts.to_numpy().sum(axis=1).tolist() == [60_000, 10_000]
        images, labels = next(iter(data.train))
        assert images.shape == (64, 28, 28, 3)
        assert labels.shape == (64, 10)
    assert digits.labels("train")[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert digits.labels("test")[:5].tolist() == [7, 2, 1, 0, 4]
    # The mean and deviation that everybody normalises MNIST by.
    pixels = np.stack(list(digits.pictures("train"))) / 255
    assert [round(float(f(pixels)), 4) for f in (np.mean, np.std)] == [0.1307, 0.3081]
    assert (counts.loc["train"] == 6000).all()
    assert (counts.loc["test"] == 1000).all()


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    home = tmp_path / "keras"
    home.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(home))
    return home


@pytest.fixture
def offline(monkeypatch):
    """Hosts that no machine has (RFC 2606)."""
    for name in ("_MNIST", "_CIFAR10"):
        file = getattr(_keras_cache, name)
        origin = f"http://nowhere.invalid/{os.path.basename(file.origin)}"
        monkeypatch.setattr(_keras_cache, name, file._replace(origin=origin))


@pytest.mark.parametrize("suffix", [".gz", ""])
@pytest.mark.parametrize("read", [mnist, fashion_mnist])
def test_idx_files_of_a_folder(tmp_path, rng, read, suffix):
    arrays = digits(rng)
    data = read(write_idx(tmp_path, arrays, suffix), batch_size=40, seed=1)
    assert (data.image_size, data.splits) == ((28, 28), ["train", "valid", "test"])
    for split, images, labels in (("train", *arrays[:2]), ("test", *arrays[2:])):
        np.testing.assert_array_equal(np.stack(data.pictures(split)), images)
        np.testing.assert_array_equal(data.labels(split), labels)
    # Without a share for validation the test images serve for it.
    np.testing.assert_array_equal(data.labels("valid"), data.labels("test"))
    (images, labels) = next(iter(data.test))
    assert labels.shape == (20, 10)
    for channel in range(3):
        np.testing.assert_array_equal(images[..., channel], arrays[2])


def test_class_names(tmp_path, rng):
    folder = write_idx(tmp_path, digits(rng))
    assert mnist(folder, seed=1).class_names == list("0123456789")
    # The table of https://github.com/zalandoresearch/fashion-mnist, "Labels".
    names = fashion_mnist(folder, seed=1).class_names
    assert (names[0], names[3], names[8:]) == (
        "t-shirt",
        "dress",
        ["bag", "ankle boot"],
    )


def test_a_share_for_validation_is_of_the_training_images(tmp_path, rng):
    data = mnist(write_idx(tmp_path, digits(rng)), 0.25, seed=1)
    assert data.counts().T.to_dict("list") == {
        "train": [3] * 10,
        "valid": [1] * 10,
        "test": [2] * 10,
    }
    shown = {p.tobytes() for s in ("train", "valid") for p in data.pictures(s)}
    assert len(shown) == 40


def test_at_most_some_images_of_each_split(tmp_path, rng):
    data = mnist(write_idx(tmp_path, digits(rng)), max_images=10, seed=1)
    assert (data.counts() == 1).all(axis=None)
    with pytest.raises(ValueError, match="`max_images` must be at least the number of"):
        mnist(tmp_path, max_images=9, seed=1)


def damage_magic(content):
    return content[:3] + b"\x01" + content[4:]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (damage_magic, "magic number 0x00000801"),
        (lambda content: content[:-1], "31,359 bytes where the header says 31,360"),
        (lambda content: content + b"\0", "more bytes where the header says 31,360"),
        (lambda content: content[:9], "the header is cut short"),
        (lambda content: b"", "magic number 0x"),
    ],
)
@pytest.mark.parametrize("suffix", [".gz", ""])
def test_damaged_idx_files_are_named(tmp_path, rng, damage, found, suffix):
    write_idx(tmp_path, digits(rng), suffix)
    path = tmp_path / f"{IDX_FILES[0]}{suffix}"
    content = damage(
        gzip.decompress(path.read_bytes()) if suffix else path.read_bytes()
    )
    path.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(ValueError, match=f"{path.name}.*{found}"):
        mnist(tmp_path, seed=1)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("sides", [(2**32 - 1,) * 3, (2**31, 28, 28), (60_000, 28, 28)])
def test_sizes_that_an_idx_file_cannot_hold(tmp_path, rng, sides, suffix):
    """No memory is taken for what the header says: 2 ** 96 bytes, 1.7 TB, 47 MB."""
    write_idx(tmp_path, digits(rng), suffix)
    path = tmp_path / f"{IDX_FILES[0]}{suffix}"
    content = bytes([0, 0, 8, 3]) + struct.pack(">3I", *sides) + bytes(100)
    path.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(ValueError, match=f"undamaged.*{path.name}.*cannot hold"):
        mnist(tmp_path, seed=1)


def test_damaged_compression_is_named(tmp_path, rng):
    write_idx(tmp_path, digits(rng))
    path = tmp_path / f"{IDX_FILES[0]}.gz"
    content = path.read_bytes()
    for damaged in (content[:-30], b"no gzip", content[:99] + b"abc" + content[102:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"whole and undamaged.*{path.name}"):
            mnist(tmp_path, seed=1)


def test_folders_that_hold_something_else(tmp_path, rng):
    arrays = digits(rng)
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        mnist(tmp_path / "nothing", seed=1)
    with pytest.raises(
        ValueError, match="must hold train-images.*without train-images"
    ):
        mnist(tmp_path, seed=1)
    with pytest.raises(
        ValueError, match="data_batch_5, test_batch.*without data_batch_1"
    ):
        cifar10(tmp_path, seed=1)
    arrays[1] = arrays[1][:-1]
    write_idx(tmp_path, arrays)
    with pytest.raises(
        ValueError, match="a label for each image.*40 images.*39 labels"
    ):
        mnist(tmp_path, seed=1)
    arrays[1] = np.full(40, 10, np.uint8)
    write_idx(tmp_path, arrays)
    with pytest.raises(ValueError, match=r"must have labels of 10 classes.*\[10\]"):
        mnist(tmp_path, seed=1)


@pytest.fixture
def photos(tmp_path, write_photos):
    """PNG files of two classes; those of class b are brighter."""

    def pixels(_, place, number):
        return np.full((6, 5, 3), 100 * place + 10 * number)

    return write_photos(tmp_path, {"train": 4, "test": 2}, "ab", pixels)


def test_a_folder_of_images_per_class(photos):
    data = cifar10(photos, 0.5, seed=1)
    assert (data.class_names, data.image_size) == (["a", "b"], (6, 5))
    assert data.counts().to_numpy().tolist() == [[2, 2], [2, 2], [2, 2]]
    values = [int(picture[0, 0, 0]) for picture in data.pictures("test")]
    assert values == [0, 10, 100, 110]
    assert data.labels("test").tolist() == [0, 0, 1, 1]


def test_bad_folders_of_images(photos):
    (photos / "train" / "a" / "3.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match="3.png: not an image"):
        cifar10(photos, seed=1)
    cv2.imwrite(str(photos / "train" / "a" / "3.png"), np.zeros((6, 6, 3), np.uint8))
    with pytest.raises(ValueError, match=r"one size.*\(6, 5\).*3.png of \(6, 6\)"):
        cifar10(photos, seed=1)
    (photos / "train" / "a" / "3.png").unlink()
    (photos / "test" / "b").rename(photos / "test" / "c")
    with pytest.raises(ValueError, match="same class folders.*a, b and a, c"):
        cifar10(photos, seed=1)


@pytest.mark.parametrize("below", ["", "cifar-10-batches-py"])
def test_batches_of_cifar_are_what_keras_reads(tmp_path, rng, below):
    folder = tmp_path / "cifar"
    written = write_batches(folder / below, rng)
    data = cifar10(folder, seed=1)
    assert data.class_names[3:6] == ["cat", "deer", "dog"]
    assert [len(data.files(split)) for split in ("train", "test")] == [100, 20]
    by_keras, labels = load_batch(folder / below / "data_batch_2")
    second = np.stack(data.pictures("train")[20:40])
    np.testing.assert_array_equal(second, by_keras.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(data.labels("train")[20:40], labels)
    # Planes of red, green and blue, each row after row.
    pixels, _ = written["test_batch"]
    assert data.pictures("test")[7][1, 2].tolist() == pixels[7, 34::1024].tolist()


def test_a_batch_runs_no_code(tmp_path, rng):
    write_batches(tmp_path / "c", rng)
    made = tmp_path / "made"
    hostile = f"cos\nsystem\n(S'touch {made}'\ntR.".encode()
    (tmp_path / "c" / "data_batch_3").write_bytes(hostile)
    with pytest.raises(ValueError, match="data_batch_3.*0 labels"):
        cifar10(tmp_path / "c", seed=1)
    assert not made.exists()


@pytest.mark.parametrize("label", [10, 256, -1, 10**30])
def test_labels_that_cifar_has_not_are_named(tmp_path, rng, label):
    write_batches(tmp_path / "c", rng)
    path = tmp_path / "c" / "test_batch"
    content = batch(np.zeros((2, 3072), np.uint8), [3, 5])
    number = pickle.dumps(label, protocol=2)[2:-1]
    path.write_bytes(content.replace(b"K\x03K\x05e", b"K\x03" + number + b"e"))
    with pytest.raises(ValueError, match="undamaged.*test_batch.*labels"):
        cifar10(tmp_path / "c", seed=1)


def test_a_batch_that_declares_more_than_it_has_takes_no_memory(tmp_path, rng):
    write_batches(tmp_path / "c", rng)
    declared = b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"few"
    (tmp_path / "c" / "test_batch").write_bytes(declared)
    with pytest.raises(ValueError, match="whole and undamaged.*test_batch"):
        cifar10(tmp_path / "c", seed=1)


def test_damaged_batches_are_named(tmp_path, rng):
    write_batches(tmp_path / "c", rng)
    path = tmp_path / "c" / "test_batch"
    content = path.read_bytes()
    few = batch(np.zeros((3, 3072), np.uint8), range(4))
    for damaged in (content[:-100], b"", few):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="whole and undamaged.*test_batch"):
            cifar10(tmp_path / "c", seed=1)


def test_mnist_in_the_cache_of_keras(keras_home, offline, rng):
    arrays = digits(rng)
    path = keras_home / "datasets" / "mnist.npz"
    path.parent.mkdir()
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(path, **dict(zip(names, arrays, strict=True)))
    data = mnist(seed=1)
    np.testing.assert_array_equal(np.stack(data.pictures("train")), arrays[0])
    content = path.read_bytes()
    for damaged in (content[:1000], b"no zip"):
        path.write_bytes(damaged)
        with pytest.raises(
            ValueError, match=r"'mnist\.npz' must be whole.*from Keras's cache"
        ):
            mnist(seed=1)
        assert path.exists()
    np.savez(path, x_train=np.array([{}]))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        mnist(seed=1)


def test_fashion_mnist_in_the_cache_of_keras(keras_home, rng):
    arrays = digits(rng)
    write_idx(keras_home / "datasets" / "fashion-mnist", arrays)
    np.testing.assert_array_equal(
        np.stack(fashion_mnist(seed=1).pictures("test")), arrays[2]
    )


@pytest.mark.parametrize("below", ["", "cifar-10-batches-py-target"])
def test_cifar10_in_the_cache_of_keras(keras_home, offline, rng, below):
    datasets = keras_home / "datasets"
    written = write_batches(datasets / below / "cifar-10-batches-py", rng)
    data = cifar10(seed=1)
    np.testing.assert_array_equal(data.labels("test"), written["test_batch"][1])


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder whose files the loopback address serves; returns it and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(folder)
    )
    monkeypatch.setattr(
        http.server.SimpleHTTPRequestHandler, "log_message", lambda *_: None
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def test_mnist_is_downloaded_once(keras_home, server, rng, monkeypatch):
    folder, address = server
    arrays = digits(rng)
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(folder / "mnist.npz", **dict(zip(names, arrays, strict=True)))
    digest = hashlib.sha256((folder / "mnist.npz").read_bytes()).hexdigest()
    file = _keras_cache._MNIST._replace(origin=f"{address}/mnist.npz", sha256=digest)
    monkeypatch.setattr(_keras_cache, "_MNIST", file)
    np.testing.assert_array_equal(np.stack(mnist(seed=1).pictures("train")), arrays[0])
    (folder / "mnist.npz").unlink()
    assert len(mnist(seed=1).files("train")) == 40


def test_fashion_mnist_is_downloaded(keras_home, server, rng, monkeypatch):
    folder, address = server
    write_idx(folder, digits(rng))
    files = [
        file._replace(origin=f"{address}/{file.name}")
        for file in _keras_cache._FASHION_MNIST
    ]
    monkeypatch.setattr(_keras_cache, "_FASHION_MNIST", files)
    assert len(fashion_mnist(seed=1).files("test")) == 20


def test_cifar10_is_downloaded_and_unpacked(keras_home, server, rng, monkeypatch):
    folder, address = server
    written = write_batches(folder / "cifar-10-batches-py", rng)
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "cifar-10-batches-py", "cifar-10-batches-py")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    origin = f"{address}/{archive.name}"
    file = _keras_cache._CIFAR10._replace(origin=origin, sha256=digest)
    monkeypatch.setattr(_keras_cache, "_CIFAR10", file)
    labels = cifar10(seed=1).labels("test")
    np.testing.assert_array_equal(labels, written["test_batch"][1])
    archive.unlink()
    assert len(cifar10(seed=1).files("train")) == 100


def test_a_failed_download_says_what_to_put_where(keras_home, offline):
    where = keras_home / "datasets"
    with pytest.raises(ValueError, match=f"Put it at {where}/mnist.npz, or pass dire"):
        mnist(seed=1)
    match = f"Put what cifar-10-python.tar.gz holds at {where}/cifar-10-batches-py-targ"
    with pytest.raises(ValueError, match=match):
        cifar10(seed=1)
    assert not [path for path in where.rglob("*") if path.is_file()]


def test_the_addresses_are_those_of_keras():
    """Keras's own loaders name them; both then share one cache."""
    import inspect

    import keras

    for read, files in (
        (keras.datasets.mnist.load_data, [_keras_cache._MNIST]),
        (keras.datasets.fashion_mnist.load_data, _keras_cache._FASHION_MNIST),
        (keras.datasets.cifar10.load_data, [_keras_cache._CIFAR10]),
    ):
        source = inspect.getsource(read)
        for file in files:
            folder, name = file.origin.rsplit("/", 1)
            assert folder in source
            assert name in source
            assert file.sha256 is None or file.sha256 in source
            assert os.path.basename(file.subdir) in source

"""Files of weights as an attacker would write them, at every door that reads them."""

import re
import resource
import struct
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers

import kerasdl
from kerasdl.classification import ensemble
from kerasdl.data import ImageData
from kerasdl.models import load_model, load_weights, restore_weights

KERNEL, BIAS = "layers/dense/vars/0", "layers/dense/vars/1"


def network(units=3):
    return keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            layers.Flatten(),
            layers.Dense(units, activation="softmax", name="dense"),
        ]
    )


def external_link(file, folder):
    with h5py.File(folder / "private.h5", "w") as other:
        other["kernel"] = np.full((4, 3), 42.0, "f4")
    file[KERNEL] = h5py.ExternalLink(str(folder / "private.h5"), "kernel")


def link_of_a_group(file, folder):
    del file["layers/dense"]
    with h5py.File(folder / "private.h5", "w") as other:
        file.copy("layers/flatten", other, "dense")
    file["layers/dense"] = h5py.ExternalLink(str(folder / "private.h5"), "dense")


def soft_link(file, folder):
    file["elsewhere"] = np.full((4, 3), 42.0, "f4")
    file[KERNEL] = h5py.SoftLink("/elsewhere")


def hard_link(file, folder):
    file["elsewhere"] = np.full((4, 3), 42.0, "f4")
    file[KERNEL] = file["elsewhere"]


def circle(file, folder):
    file[KERNEL] = np.zeros((4, 3), "f4")
    file["layers/dense/again"] = file["layers"]


def external_storage(file, folder):
    (folder / "secret").write_bytes(bytes(48))
    places = [(str(folder / "secret"), 0, 48)]
    file.create_dataset(KERNEL, (4, 3), "f4", external=places)


def virtual(file, folder):
    with h5py.File(folder / "private.h5", "w") as other:
        other["kernel"] = np.full((4, 3), 42.0, "f4")
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "private.h5"), "kernel", (4, 3))
    file.create_virtual_dataset(KERNEL, layout)


def arrays_as_numbers(file, folder):
    """4 by 3 numbers, each of which is 2.4 GB."""
    file.create_dataset(KERNEL, (4, 3), np.dtype(("f4", (50_000_000,))))


def never_written(file, folder):
    file.create_dataset(KERNEL, (2**20, 2**20), "f4", fillvalue=1)


def chunks(file, folder):
    file.create_dataset(KERNEL, (4, 3), "f4", data=np.ones((4, 3)), chunks=(2, 3))


def compressed(file, folder):
    options = {"compression": "gzip", "chunks": (1000, 1000)}
    file.create_dataset(KERNEL, data=np.zeros((1000, 1000), "f4"), **options)


def texts(file, folder):
    file.create_dataset(KERNEL, (4, 3), h5py.string_dtype())


def references(file, folder):
    file[KERNEL] = np.zeros((4, 3), "f4")
    file["layers"].attrs["other"] = file["layers/dense"].ref


def one_long_name(file, folder):
    """4,000 names, which `sharing` makes one text of 100 kB: 400 MB."""
    file[KERNEL] = np.zeros((4, 3), "f4")
    _write_names(file, [f"name{number:03x}" for number in range(4000)])


def _write_names(file, names):
    file.attrs["layer_names"] = names
    file.attrs["text"] = "#" * 100_000


def sharing(content):
    """`content` of HDF5 in which all names of 7 letters are one text of 100,000."""
    heaps = {struct.pack("<Q", heap.start()) for heap in re.finditer(b"GCOL", content)}
    text = next(
        found[0]
        for found in re.finditer(rb"(?s)\xa0\x86\x01\0(.{8}).{4}", content)
        if found[1] in heaps
    )
    return re.sub(
        rb"(?s)\x07\0\0\0(.{8}).{4}",
        lambda found: text if found[1] in heaps else found[0],
        content,
    )


def deep(file, folder):
    file[KERNEL] = np.zeros((4, 3), "f4")
    file.create_group("layers/" + "a/" * 100)


def crafted(path, craft, model=None):
    """A `.weights.h5` of the network, or a `.keras`, with another kernel."""
    model = model or network()
    inner = path.parent / "inner.weights.h5"
    model.save_weights(inner)
    with h5py.File(inner, "a", libver="latest") as file:
        del file[KERNEL]
        craft(file, path.parent)
    content = inner.read_bytes()
    return packed(path, sharing(content) if craft is one_long_name else content, model)


def packed(path, content, model):
    """`content` as weights, alone or in a `.keras`."""
    if path.suffix == ".h5":
        path.write_bytes(content)
        return path
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, other in entries.items():
            archive.writestr(name, content if name.endswith(".h5") else other)
    return path


def learner_load(path):
    images = np.random.default_rng(0).integers(0, 256, (6, 2, 2, 1), "uint8")
    data = ImageData.from_arrays(images.repeat(3, -1), np.arange(6) % 3, 0.5, seed=0)
    pixels = keras.Input((2, 2, 3))
    x = layers.Dense(3, "softmax", name="dense")(layers.Flatten()(pixels))
    kerasdl.Learner.from_model(keras.Model(pixels, x), data).load(path)


DOORS = {
    "load_weights": ("own.weights.h5", lambda path: load_weights(network(), path)),
    "of a .keras": ("own.keras", lambda path: load_weights(network(), path)),
    "restore_weights": (
        "own.weights.h5",
        lambda path: restore_weights(network(), path),
    ),
    "Learner.load": ("own.weights.h5", learner_load),
    "load_model": ("own.keras", load_model),
    "builder": (
        "own.weights.h5",
        lambda path: kerasdl.models.lenet5(weights=path, seed=0),
    ),
    "build_trunk": (
        "own.weights.h5",
        lambda path: kerasdl.models.build_trunk("efficientnet_lite0", path),
    ),
}


@pytest.fixture(params=DOORS)
def door(request, tmp_path):
    name, read = DOORS[request.param]
    return tmp_path / name, read


def refuses(path, read, message):
    """Within the memory that the process has, and 200 MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=rf"(?s){path.name}.*{message}"):
        read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 200_000


MESSAGES = {
    external_link: "'0' is a link",
    link_of_a_group: "'dense' is a link",
    soft_link: "'0' is a link",
    hard_link: "is in two places",
    circle: "is in two places",
    external_storage: "values of '0' do not lie in it",
    virtual: "values of '0' do not lie in it",
    arrays_as_numbers: "'0' holds something else than numbers",
    never_written: "values of '0' do not lie in it",
    chunks: "values of '0' do not lie in it in one piece",
    compressed: "values of '0' do not lie in it in one piece",
    texts: "'0' holds something else than numbers",
    references: "'other' is neither numbers nor texts",
    one_long_name: "'layer_names' may take 64 times its size",
    deep: "is no array or lies too deep",
}


@pytest.mark.parametrize("craft", MESSAGES)
def test_what_keras_does_not_write_is_refused(craft, tmp_path):
    path = crafted(tmp_path / "own.weights.h5", craft)
    refuses(path, lambda path: load_weights(network(), path), MESSAGES[craft])


@pytest.mark.parametrize("craft", [external_link, arrays_as_numbers, one_long_name])
def test_at_every_door(craft, door):
    path, read = door
    refuses(crafted(path, craft), read, MESSAGES[craft])


def test_an_ensemble_refuses_it(tmp_path):
    path = crafted(tmp_path / "own.weights.h5", soft_link)
    images = np.zeros((6, 2, 2, 3), "uint8")
    data = ImageData.from_arrays(images, np.arange(6) % 3, 0.5, seed=0)
    pixels = keras.Input((2, 2, 3))
    x = layers.Dense(3, "softmax", name="dense")(layers.Flatten()(pixels))
    model = keras.Model(pixels, x)
    refuses(path, lambda path: ensemble(model, [path], data), "'0' is a link")


def test_a_legacy_file_that_lists_one_name_many_times(tmp_path):
    path = tmp_path / "own.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"dense"] * 1000)
        group = file.create_group("dense")
        group.attrs["weight_names"] = np.array([b"kernel", b"bias"])
        group["kernel"], group["bias"] = np.zeros((4, 3), "f4"), np.zeros(3, "f4")
    refuses(path, lambda path: load_weights(network(), path), "lists .*dense.* twice")


def test_names_of_a_legacy_file_that_are_one_text(tmp_path):
    path = tmp_path / "own.h5"
    with h5py.File(path, "w") as file:
        _write_names(file, [f"name{number:03x}" for number in range(4000)])
    path.write_bytes(sharing(path.read_bytes()))
    refuses(path, lambda path: load_weights(network(), path), "may take 64 times")


def test_arrays_that_lie_in_one_place(tmp_path):
    path = tmp_path / "own.weights.h5"
    network().save_weights(path)
    with h5py.File(path) as file:
        places = [file[name].id.get_offset() for name in (KERNEL, BIAS)]
    content = path.read_bytes()
    places = [struct.pack("<Q", place) for place in places]
    assert content.count(places[1]) == 1
    path.write_bytes(content.replace(places[1], places[0]))
    message = "arrays do not lie in it, one after the other"
    refuses(path, lambda path: load_weights(network(), path), message)


def test_something_before_it(tmp_path):
    path = tmp_path / "own.weights.h5"
    network().save_weights(path)
    path.write_bytes(b"PK\3\4".ljust(512, b"\0") + path.read_bytes())
    message = "something else comes before it"
    refuses(path, lambda path: load_weights(network(), path), message)


def test_a_heap_in_which_hdf5_would_go_round_for_ever(tmp_path):
    path = tmp_path / "own.weights.h5"
    network().save_weights(path)
    content = bytearray(path.read_bytes())
    first = content.index(b"GCOL") + 16
    content[first : first + 16] = bytes(16)
    path.write_bytes(content)
    message = "a text is longer than the place where it lies"
    refuses(path, lambda path: load_weights(network(), path), message)


def entry_sizes(content, name, *, packed=None, unpacked=None):
    """`content` whose table of contents declares other sizes of `name`."""
    content = bytearray(content)
    at = content.index(b"PK\1\2")
    while content[at + 46 : at + 46 + len(name)] != name.encode():
        at = content.index(b"PK\1\2", at + 1)
    for offset, size in ((20, packed), (24, unpacked)):
        if size is not None:
            content[at + offset : at + offset + 4] = struct.pack("<I", size)
    return bytes(content)


def archive(path, kind=zipfile.ZIP_DEFLATED):
    network().save(path)
    with zipfile.ZipFile(path) as opened:
        entries = [(name, opened.read(name)) for name in opened.namelist()]
    with zipfile.ZipFile(path, "w", kind) as opened:
        for name, content in entries:
            opened.writestr(name, content)
    return entries


@pytest.mark.parametrize("read", [load_model, lambda p: load_weights(network(), p)])
class TestTableOfContents:
    def test_a_compressed_one_is_read(self, read, tmp_path):
        archive(tmp_path / "own.keras")
        read(tmp_path / "own.keras")

    @pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
    @pytest.mark.parametrize("unpacked", [100, 500_000])
    def test_sizes_are_not_believed(self, unpacked, kind, read, tmp_path):
        path = tmp_path / "own.keras"
        archive(path, kind)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr("assets", np.random.default_rng(0).bytes(100_000))
        content = entry_sizes(path.read_bytes(), "model.weights.h5", unpacked=unpacked)
        path.write_bytes(content)
        refuses(path, read, f"does not unpack to the {unpacked:,} bytes")

    def test_what_unpacks_to_more_than_it_declares(self, read, tmp_path):
        """300 MB of zeros in 300 kB."""
        path = tmp_path / "own.keras"
        archive(path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as opened:
            with opened.open("assets", "w") as entry:
                for _ in range(300):
                    entry.write(bytes(10**6))
        path.write_bytes(entry_sizes(path.read_bytes(), "assets", unpacked=4000))
        refuses(path, read, "assets does not unpack to the 4,000 bytes")

    def test_a_name_that_is_there_twice(self, read, tmp_path):
        path = tmp_path / "own.keras"
        entries = archive(path)
        with (
            zipfile.ZipFile(path, "a") as opened,
            pytest.warns(UserWarning, match="Duplicate"),
        ):
            opened.writestr(*entries[0])
        refuses(path, read, f"{entries[0][0]} is there twice")

    def test_entries_that_lie_in_one_another(self, read, tmp_path):
        path = tmp_path / "own.keras"
        archive(path, zipfile.ZIP_STORED)
        with zipfile.ZipFile(path) as opened:
            inner = opened.getinfo("config.json").file_size + 50
        content = entry_sizes(
            path.read_bytes(), "config.json", packed=inner, unpacked=inner
        )
        path.write_bytes(content)
        refuses(path, read, "([Oo]verlap|lies over what follows it)")

    def test_something_before_the_archive(self, read, tmp_path):
        path = tmp_path / "own.keras"
        archive(path)
        path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
        refuses(path, read, "does not begin with its first entry")

    def test_an_archive_without_weights(self, read, tmp_path):
        path = tmp_path / "own.keras"
        config = [e for e in archive(path) if e[0] == "config.json"]
        with zipfile.ZipFile(path, "w") as opened:
            opened.writestr(*config[0])
        refuses(path, read, "no item named 'model.weights.h5'")

"""Datasets are made by builders in here: nothing is downloaded."""

import hashlib
import io
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core.download.checksums import UrlInfo
from tensorflow_datasets.core.download.resource import get_dl_fname

from kerasdl.data import ImageData
from kerasdl.data.tfds_folder import tfds_folder

NAMES = ("cat", "dog/wolf")
ARCHIVE = bytes(2_000_000)


def encode(value, kind="JPEG"):
    content = io.BytesIO()
    Image.fromarray(np.full((8, 9, 3), value, np.uint8)).save(content, kind)
    return content.getvalue()


class TinyPets(tfds.core.GeneratorBasedBuilder):
    """Twelve pets a split; `splits` and `kind` are set by the tests."""

    VERSION = tfds.core.Version("1.0.0")
    splits = ("train",)
    kind = "JPEG"
    unlabelled = ""

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(),
                    "image/filename": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=NAMES),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in self.splits}

    def _generate_examples(self, split):
        for i in range(12):
            yield (
                i,
                {
                    "image": io.BytesIO(encode(20 * i, self.kind)),
                    "image/filename": f"pets\\{split}/p.{i}.JPG",
                    "label": -1 if split == self.unlabelled else i % 2,
                },
            )


class TinyTexts(tfds.core.GeneratorBasedBuilder):
    """A dataset without images."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        text = tfds.features.Text()
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"text": text, "label": text}),
            supervised_keys=("text", "label"),
        )

    def _split_generators(self, dl_manager):
        raise NotImplementedError

    _generate_examples = None


class FarPets(TinyPets):
    """Pets in an archive that has to be downloaded."""

    def _split_generators(self, dl_manager):
        (url,) = self.url_infos
        assert dl_manager.download(url).read_bytes() == ARCHIVE
        return super()._split_generators(dl_manager)


@pytest.fixture
def read(tmp_path):
    """Write a dataset to tmp_path/out, tensorflow-datasets' own files beside."""
    return lambda name, out="out": tfds_folder(name, tmp_path / out, tmp_path / "tfds")


def files(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*.*g")}


def test_one_split_is_class_folders_with_the_stored_bytes(read, tmp_path):
    folder = read("tiny_pets")
    assert folder == tmp_path / "out"
    names = {p.name for p in folder.iterdir() if p.is_dir()}
    assert names == {"cat", "dog_wolf"}
    # tfds stores examples in an order of its own: by a hash of their keys.
    assert sorted(f.split("/")[1][:3] for f in files(folder)) == [
        f"{i:02}_" for i in range(12)
    ]
    for i in range(12):
        (path,) = folder.glob(f"*/*_p.{i}.jpg")
        assert path.parent.name == ("cat", "dog_wolf")[i % 2]
        assert path.read_bytes() == encode(20 * i)
    assert {p.name for p in tmp_path.iterdir()} <= {"out", "tfds", ".out.lock"}


def test_an_image_keeps_its_format(read, monkeypatch):
    monkeypatch.setattr(TinyPets, "kind", "PNG")
    names = files(read("tiny_pets"))
    assert len(names) == 12
    assert all(name.endswith(".png") for name in names)


def test_several_splits_are_what_image_data_reads(read, monkeypatch):
    monkeypatch.setattr(TinyPets, "splits", ("train", "test", "validation", "extra"))
    folder = read("tiny_pets")
    assert {p.name for p in folder.iterdir()} == {
        "train",
        "valid",
        "test",
        ".tfds.json",
    }
    data = ImageData.from_folder(folder, test="test", seed=0)
    assert data.class_names == ["cat", "dog_wolf"]
    assert data.counts().to_numpy().tolist() == [[6, 6]] * 3


def test_without_a_validation_split_a_fifth_of_train_is_held_out(read, monkeypatch):
    monkeypatch.setattr(TinyPets, "splits", ("train", "test"))
    data = ImageData.from_folder(read("tiny_pets"), test="test", seed=0)
    assert data.counts().to_numpy().tolist() == [[5, 5], [1, 1], [6, 6]]
    held_out = {name.split("_p.")[1] for name in data.files("valid")}
    assert held_out.isdisjoint(name.split("_p.")[1] for name in data.files("train"))


def test_images_without_a_label_are_left_out(read, monkeypatch):
    monkeypatch.setattr(TinyPets, "splits", ("train", "validation", "test"))
    monkeypatch.setattr(TinyPets, "unlabelled", "test")
    folder = read("tiny_pets")
    assert not (folder / "test").exists()
    assert len(files(folder)) == 24


def test_splits_without_train_are_an_error(read, tmp_path, monkeypatch):
    monkeypatch.setattr(TinyPets, "splits", ("test", "validation"))
    with pytest.raises(
        ValueError, match=r"with a train split.*splits test, validation"
    ):
        read("tiny_pets")
    assert not (tmp_path / "out").exists()


def test_a_finished_folder_is_used_again(read, tmp_path, monkeypatch, capsys):
    folder = read("tiny_pets")
    assert "12 images of tiny_pets/1.0.0" in capsys.readouterr().out
    monkeypatch.setattr(tfds, "builder", None)
    assert read("tiny_pets") == folder
    with pytest.raises(ValueError, match="`directory` must not exist, or hold"):
        read("cats_vs_dogs")
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match="`directory` must not exist, or hold"):
        read("tiny_pets", "other")


def test_a_failure_halfway_leaves_nothing_and_is_made_up_for(
    read, tmp_path, monkeypatch
):
    def fail(path, value):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[tfds_folder.__module__], "write_json", fail)
        with pytest.raises(OSError, match="No space left"):
            read("tiny_pets")
    assert {p.name for p in tmp_path.iterdir()} <= {"tfds", ".out.lock"}
    (tmp_path / ".out.partial/train").mkdir(parents=True)  # a killed process leaves it
    assert len(files(read("tiny_pets"))) == 12


def test_an_unknown_name_is_an_error_with_close_matches(read):
    with pytest.raises(
        ValueError, match=r"`name` must be.*'cats_vs_dog'.*'cats_vs_dogs'"
    ):
        read("cats_vs_dog")
    with pytest.raises(ValueError, match="Close to it: 'imagenette/160px"):
        read("imagenette/160")
    with pytest.raises(ValueError, match="tensorflow.org/datasets/catalog"):
        read("?")


def test_a_dataset_of_something_else_is_an_error(read):
    with pytest.raises(
        ValueError, match="images with one label each.*text, label|label, text"
    ):
        read("tiny_texts")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server that holds the archive of FarPets; not yet started."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web/pets.zip").write_bytes(ARCHIVE)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "web"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/pets.zip"
        digest = hashlib.sha256(ARCHIVE).hexdigest()
        info = UrlInfo(size=len(ARCHIVE), checksum=digest, filename="pets.zip")
        monkeypatch.setattr(FarPets, "url_infos", {url: info})
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server


@pytest.fixture
def offline(server):
    """The archive's address refuses connections."""
    server.server_close()


def test_a_download_is_announced(read, server, capsys):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    assert len(files(read("far_pets"))) == 12
    server.shutdown()
    out = capsys.readouterr().out
    assert "far_pets/1.0.0: downloading 2.0 MB from 127.0.0.1" in out


@pytest.mark.usefixtures("offline")
def test_a_host_that_does_not_answer_is_an_error_before_any_retry(
    read, tmp_path, monkeypatch
):
    monkeypatch.setattr(FarPets, "download_and_prepare", None)
    with pytest.raises(ValueError, match="can download.*no answer from 127") as caught:
        read("far_pets")
    message = str(caught.value)
    assert "name='far_pets'" in message
    assert "put pets.zip into" in message
    assert str(tmp_path / "tfds") in message
    assert "--data DIR or --data sample" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("offline")
def test_a_prepared_dataset_needs_no_network(read, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(FarPets, "_split_generators", TinyPets._split_generators)
        tfds.builder("far_pets", data_dir=tmp_path / "tfds").download_and_prepare()
    assert len(files(read("far_pets"))) == 12


@pytest.mark.usefixtures("offline")
def test_an_archive_fetched_by_hand_needs_no_network(read, tmp_path):
    manual = tmp_path / "tfds/downloads/manual/pets.zip"
    manual.parent.mkdir(parents=True)
    manual.write_bytes(ARCHIVE)
    assert len(files(read("far_pets"))) == 12


@pytest.mark.usefixtures("offline")
def test_a_finished_download_needs_no_network(read, tmp_path):
    url, info = next(iter(FarPets.url_infos.items()))
    archive = tmp_path / "tfds/downloads/far_pets" / get_dl_fname(url, info.checksum)
    archive.parent.mkdir(parents=True)
    archive.write_bytes(ARCHIVE)
    archive.with_name(archive.name + ".INFO").write_text("{}")
    assert len(files(read("far_pets"))) == 12


def test_what_has_to_be_fetched_by_hand_is_an_error_that_says_so(read, monkeypatch):
    monkeypatch.setattr(
        TinyPets, "MANUAL_DOWNLOAD_INSTRUCTIONS", "register at pets.example"
    )
    monkeypatch.setattr(
        TinyPets, "_split_generators", lambda self, manager: manager.manual_dir
    )
    with pytest.raises(ValueError, match="(?s)register at pets.example.*put its files"):
        read("tiny_pets")

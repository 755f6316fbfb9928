import keras
import numpy as np
import pytest
from PIL import Image

from kerasdl.data._listing import list_classes, list_images


def write_images(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(folder / name)


def test_order_is_that_of_keras(tmp_path):
    names = ["10/b.jpg", "10/a.png", "2/x/z.jpg", "2/x-y/a.jpg", "2/q.bmp", "1/a.gif"]
    write_images(tmp_path, *names)
    class_names, files, labels = list_classes(tmp_path)
    expected = keras.utils.image_dataset_from_directory(
        tmp_path, shuffle=False, verbose=False
    )
    assert class_names == expected.class_names == ["1", "10", "2"]
    assert [str(tmp_path / file) for file in files] == expected.file_paths
    assert labels.tolist() == [0, 1, 1, 2, 2, 2]
    assert labels.dtype == np.int64


def test_images_are_told_by_suffix_and_hidden_names_left_out(tmp_path):
    write_images(
        tmp_path,
        "a/1.JPG",
        "a/2.webp",
        "b/3.jpeg",
        "b/.4.jpg",
        ".c/5.jpg",
        "b/.d/6.jpg",
    )
    (tmp_path / "a/note.txt").write_text("note")
    images, others = list_images(tmp_path)
    assert images == ["a/1.JPG", "a/2.webp", "b/3.jpeg"]
    assert others == ["a/note.txt"]
    assert list_classes(tmp_path)[:2] == (["a", "b"], images)


def test_links_are_followed(tmp_path):
    write_images(tmp_path, "store/1.jpg", "data/b/2.jpg")
    (tmp_path / "data/a").symlink_to(tmp_path / "store")
    (tmp_path / "data/b/3.jpg").symlink_to(tmp_path / "store/1.jpg")
    files = list_classes(tmp_path / "data")[1]
    assert files == ["a/1.jpg", "b/2.jpg", "b/3.jpg"]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        list_classes(tmp_path / "absent")


def test_fewer_than_two_classes_are_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"at least two folders.*\(0 folders\)"):
        list_classes(tmp_path)
    write_images(tmp_path, "cats/1.jpg")
    with pytest.raises(ValueError, match=r"at least two folders.*\(1 folder: 'cats'\)"):
        list_classes(tmp_path)


def test_an_empty_class_is_an_error(tmp_path):
    write_images(tmp_path, "cats/1.jpg")
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs/1.heic").write_bytes(b"not listed")
    with pytest.raises(ValueError, match=r"each with images.*no image in 'dogs'"):
        list_classes(tmp_path)


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path):
    with pytest.raises(OSError, match="absent"):
        list_images(tmp_path / "absent")

import os

import pytest
from PIL import Image

from kerasdl._atomic_folder import claimed
from kerasdl.data import subset
from kerasdl.data.subset import make_subset

COUNTS = {"train": 3, "valid": 2, "test": 1}


def write_image(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (value, 0, 0)).save(path)


@pytest.fixture
def flat(tmp_path):
    """cat.0.jpg to cat.11.jpg and the same of dogs, as in the Kaggle archive."""
    for number in range(12):
        write_image(tmp_path / f"flat/cat.{number}.jpg", number)
        write_image(tmp_path / f"flat/dog.{number}.jpg", 100 + number)
    return tmp_path / "flat"


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.jpg"))


def test_a_flat_folder_is_taken_in_the_order_of_its_numbers(flat, tmp_path, capsys):
    target = make_subset(flat, tmp_path / "small", 9, 2, 1)
    assert target == tmp_path / "small"
    assert files(target / "train") == sorted(
        f"{name}/{name}.{number}.jpg" for name in ("cat", "dog") for number in range(9)
    )
    assert files(target / "valid/cat") == ["cat.10.jpg", "cat.9.jpg"]
    assert files(target / "test") == ["cat/cat.11.jpg", "dog/dog.11.jpg"]
    copy = target / "test/dog/dog.11.jpg"
    assert copy.read_bytes() == (flat / "dog.11.jpg").read_bytes()
    assert not copy.is_symlink()
    out = capsys.readouterr().out
    assert "9 training, 2 validation and 1 test images of each of 2 classes" in out
    assert "(cat, dog)" in out
    assert not (tmp_path / "small.partial").exists()


def test_class_folders_keep_the_folders_within_them(tmp_path):
    for name in ("owls", "cats"):
        for image in ("2.jpg", "10.jpg", "old/2.jpg"):
            write_image(tmp_path / "source" / name / image, 1)
    target = make_subset(tmp_path / "source", tmp_path / "small", 1, 1, 1)
    for name in ("owls", "cats"):
        assert files(target / "train" / name) == ["2.jpg"]
        assert files(target / "valid" / name) == ["10.jpg"]
        assert files(target / "test" / name) == ["old/2.jpg"]


def test_links_lead_to_the_images(flat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = make_subset("flat", "small", **COUNTS, link=True)
    link = target / "train/cat/cat.0.jpg"
    assert os.readlink(link) == str(flat / "cat.0.jpg")
    assert link.read_bytes() == (flat / "cat.0.jpg").read_bytes()


def test_a_random_subset_is_repeated_by_its_seed(flat, tmp_path):
    first, again, other = (
        files(make_subset(flat, tmp_path / name, **COUNTS, order="random", seed=seed))
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again != other
    images = [name.split("/")[-1] for name in first]
    assert len(images) == len(set(images)) == 12


def test_a_split_of_none_is_left_out(flat, tmp_path):
    target = make_subset(flat, tmp_path / "small", 3, 2, 0)
    assert sorted(os.listdir(target)) == ["train", "valid"]


def test_too_few_images_are_an_error_and_leave_nothing(flat, tmp_path):
    (flat / "dog.3.jpg").unlink()
    with pytest.raises(ValueError, match=r"12 images of each.*11 of 'dog'"):
        make_subset(flat, tmp_path / "deep/small", 9, 2, 1)
    assert not (tmp_path / "deep").exists()


def test_one_class_is_an_error(tmp_path):
    write_image(tmp_path / "flat/cat.1.jpg", 0)
    with pytest.raises(ValueError, match="`source` must hold at least two classes"):
        make_subset(tmp_path / "flat", tmp_path / "small", 1, 0, 0)


def test_a_flat_name_without_a_class_is_an_error(flat, tmp_path):
    write_image(flat / "IMG_1.jpg", 0)
    with pytest.raises(ValueError, match="named like 'cat.123.jpg'.*'IMG_1.jpg'"):
        make_subset(flat, tmp_path / "small", **COUNTS)


def test_an_existing_target_is_an_error(flat, tmp_path):
    (tmp_path / "small").mkdir()
    with pytest.raises(ValueError, match="`target` must not exist.*small'. Remove"):
        make_subset(flat, tmp_path / "small", **COUNTS)
    assert os.listdir(tmp_path / "small") == []


def test_what_a_killed_process_left_is_no_obstacle(flat, tmp_path):
    half = tmp_path / ".small.partial" / "train" / "cat"
    half.mkdir(parents=True)
    (half / "other.jpg").write_text("half")
    small = make_subset(flat, tmp_path / "small", **COUNTS)
    assert not list(small.rglob("other.jpg"))
    assert not list(tmp_path.glob(".small*"))


def test_a_target_at_work_elsewhere_is_an_error(flat, tmp_path):
    with claimed(tmp_path / "small"):
        with pytest.raises(ValueError, match="`target` must not be in use by another"):
            make_subset(flat, tmp_path / "small", **COUNTS)


def test_bad_arguments_are_errors(flat, tmp_path):
    target = tmp_path / "small"
    with pytest.raises(ValueError, match="`source` must be an existing directory"):
        make_subset(tmp_path / "absent", target)
    with pytest.raises(ValueError, match="`train` must be an integer of at least 1"):
        make_subset(flat, target, train=0)
    with pytest.raises(ValueError, match="`valid` must be an integer"):
        make_subset(flat, target, valid=-1)
    with pytest.raises(ValueError, match="`test` must be an integer"):
        make_subset(flat, target, test=0.5)
    with pytest.raises(ValueError, match="`order` must be one of 'name', 'random'"):
        make_subset(flat, target, order="size")


def test_a_failure_halfway_leaves_nothing(flat, tmp_path, monkeypatch):
    def fail_at_the_last(source, copy):
        if source.name == "dog.5.jpg":
            raise OSError(28, "No space left on device")
        copy.write_bytes(source.read_bytes())

    monkeypatch.setattr(subset.shutil, "copy2", fail_at_the_last)
    with pytest.raises(OSError, match="No space left"):
        make_subset(flat, tmp_path / "small", **COUNTS)
    assert os.listdir(tmp_path) == ["flat"]

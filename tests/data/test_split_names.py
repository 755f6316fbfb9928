"""Folders that are splits, folders that are classes, and folders that are neither."""

import pytest

from kerasdl import data as kdata
from kerasdl.data._split_names import find_splits, split_role

CLASSES = ["cat", "dog"]


@pytest.fixture
def photos_in(write_photos):
    """A function that writes four photos into each of some folders."""

    def write(root, *folders, count=4):
        write_photos(root, dict.fromkeys(folders, count))

    return write


def below(*splits):
    return [f"{split}/{name}" for split in splits for name in CLASSES]


@pytest.mark.parametrize(
    ("split", "names"),
    {
        "train": "train Train TRAINING training_set trainingSet train-images trn "
        "train2017 train_v2 train-jpg TrainData trainset ILSVRC2012_img_train trainval",
        "valid": "valid val Validation validation_set VALID dev val2017 dev-set",
        "test": "test Test tests testing test_set TestSet test1 eval test-jpg",
        None: "cat trainer contest latest validity device trained_dogs devil data",
    }.items(),
)
def test_usual_names(split, names):
    assert {name: split_role(name) for name in names.split()} == dict.fromkeys(
        names.split(), split
    )


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        (below("training_set", "test_set"), "training_set test_set"),
        (below("Training", "Test"), "Training Test"),
        (below("train"), "train"),
        ([*below("train"), "test"], "train test"),  # without labels
        (["train", "test1"], "train test1"),  # neither has labels: no classes either
        (below("images/train", "images/val"), "images/train images/val"),
        (below("train/train", "test/test"), "train/train test/test"),  # of an archive
        (below("pets", "validation-pets"), "pets validation-pets"),
        ([*below("train", "val", "sample/train", "sample/val")], "train val"),
        (["train/cat", "val/cat", "train-dog", "val-dog"], "train val"),  # an accident
        (below("tr", "te"), "tr te"),
        (below("Trn", "Vld", "Tst"), "Trn Vld Tst"),
        (
            ["train_cat", "train_dog", "test_cat", "test_dog"],
            "train_cat train_dog test_cat test_dog",
        ),
        (
            ["train_images", "train_masks", "val_images", "val_masks"],
            "train_images train_masks val_images val_masks",
        ),
    ],
)
def test_splits_are_told_by_name_and_structure(folders, splits):
    assert list(find_splits(f"{f}/1.jpg" for f in folders)) == splits.split()


@pytest.mark.parametrize(
    "folders",
    [
        ["train", "car", "bus"],
        ["train/steam", "train/diesel", "car", "bus"],
        ["train", "test", "car"],
        below("tr", "te", "de"),  # languages
        ["train_station", "test_track"],
        CLASSES,
        [],
    ],
)
def test_classes_may_have_names_of_splits(folders):
    assert find_splits(f"{folder}/1.jpg" for folder in folders) == {}


SPLITS = [("training_set", "test_set"), ("Training", "Test"), ("train", "val", "eval")]


@pytest.fixture(params=SPLITS, ids="-".join)
def splits(request, tmp_path, photos_in):
    photos_in(tmp_path, *below(*request.param))
    return tmp_path


DOORS = {
    "image_folder": lambda root: kdata.image_folder(root, 8, seed=0),
    "generator": lambda root: kdata.ImageDataGenerator().flow_from_directory(root),
    "make_subset": lambda root: kdata.make_subset(root, root / "small", 1, 1, 1),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_splits_are_refused_where_classes_are_wanted(splits, door):
    with pytest.raises(ValueError, match=r"are splits: .* \(test\)"):
        door(splits)


def test_a_generator_takes_the_classes_that_are_named(splits):
    names = sorted(path.name for path in splits.iterdir())
    flow = kdata.ImageDataGenerator().flow_from_directory(splits, classes=names)
    assert list(flow.class_indices) == names


def test_image_data_finds_the_splits_and_says_so(splits, capsys):
    names = {kdata.split_folders(splits)[role]: role for role in ("train", "test")}
    has_valid = (splits / "val").is_dir()
    data = kdata.ImageData.from_folder(
        splits,
        test="test",
        valid_fraction=None if has_valid else 0.25,
        image_size=8,
        seed=0,
    )
    assert data.class_names == CLASSES
    assert data.splits == ["train", "valid", "test"]
    assert data.counts().loc["train"].tolist() == [4 if has_valid else 3] * 2
    printed = capsys.readouterr().out
    for name, role in names.items():
        assert {file.split("/")[0] for file in data.files(role)} == {name}
        assert f"{role} is {name!r}" in printed


def test_a_folder_of_the_plain_name_comes_first(tmp_path, capsys, photos_in):
    photos_in(tmp_path, *below("train", "training_set", "valid"))
    data = kdata.ImageData.from_folder(tmp_path, image_size=8, seed=0)
    assert {file.split("/")[0] for file in data.files("train")} == {"train"}
    assert "splits of" not in capsys.readouterr().out


def test_two_folders_for_one_split(tmp_path, photos_in):
    photos_in(tmp_path, *below("train_1", "train_2", "valid"))
    with pytest.raises(
        ValueError, match="one folder for 'train'.*'train_1' and 'train_2'"
    ):
        kdata.ImageData.from_folder(tmp_path, image_size=8, seed=0)


def test_splits_in_a_folder_that_is_alone(tmp_path, photos_in):
    photos_in(tmp_path, *below("images/train", "images/val"))
    data = kdata.ImageData.from_folder(tmp_path, image_size=8, seed=0)
    assert data.files("valid")[0] == "images/val/cat/0.png"
    check = kdata.check_images(tmp_path, verbose=0)
    assert check.counts.index.tolist() == ["images/train", "images/val"]
    assert check.counts.columns.tolist() == CLASSES


def test_vehicles(tmp_path, photos_in):
    photos_in(tmp_path, "train/steam", "train/diesel", "car", "bus")
    _, names = kdata.image_folder(tmp_path, 8, seed=0)
    assert names == ["bus", "car", "train"]
    data = kdata.ImageData.from_folder(
        tmp_path, valid_fraction=0.25, image_size=8, seed=0
    )
    assert data.class_names == names
    assert kdata.check_images(tmp_path, verbose=0).counts.index.tolist() == ["all"]


NO_CLASSES = ("__MACOSX", ".ipynb_checkpoints", "@eaDir", "models", "labels")


@pytest.mark.parametrize("name", NO_CLASSES)
def test_folders_that_are_no_classes_are_named(tmp_path, name, capsys, photos_in):
    photos_in(tmp_path, *CLASSES)
    photos_in(tmp_path, name, count=0 if name in ("models", "labels") else 2)
    photos_in(tmp_path, "cat/.ipynb_checkpoints", "cat/__MACOSX")
    _, names = kdata.image_folder(tmp_path, 8, seed=0)
    assert f"not taken for classes in {tmp_path}: {name!r}" in capsys.readouterr().out
    flow = kdata.ImageDataGenerator().flow_from_directory(tmp_path)
    assert names == list(flow.class_indices) == CLASSES
    assert flow.samples == len(kdata.list_images(tmp_path)[0]) == 8


@pytest.mark.parametrize("names", [("images", "masks"), ("Images", "labels", "masks")])
def test_photos_and_their_masks_are_no_classes(tmp_path, names, photos_in):
    photos_in(tmp_path, *names)
    for door in DOORS.values():
        with pytest.raises(ValueError, match="photos and their labels: '[iI]mages', "):
            door(tmp_path)


def test_masks_may_be_a_class(tmp_path, photos_in):
    photos_in(tmp_path, "masks", "helmets")
    assert kdata.image_folder(tmp_path, 8, seed=0)[1] == ["helmets", "masks"]


def test_a_folder_beside_splits_is_named(tmp_path, capsys, photos_in):
    photos_in(tmp_path, *below("training", "val"), "unlabelled")
    kdata.split_folders(tmp_path)
    assert "valid is 'val'; not taken: 'unlabelled'\n" in capsys.readouterr().out


def test_a_folder_that_holds_the_classes_again(tmp_path, photos_in):
    photos_in(tmp_path, *CLASSES, *below("pets"))
    for door in DOORS.values():
        with pytest.raises(
            ValueError, match="'pets', which holds 'cat' and 'dog' again"
        ):
            door(tmp_path)


@pytest.mark.parametrize("name", ["two\nlines", "caf\udce9", "a\u2028b"])
def test_names_that_a_file_of_classes_cannot_hold(tmp_path, name, photos_in):
    photos_in(tmp_path, *CLASSES, name)
    for door in DOORS.values():
        with pytest.raises(
            ValueError, match="`directory` must be non-empty names of one"
        ):
            door(tmp_path)

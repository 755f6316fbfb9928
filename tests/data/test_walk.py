"""Links to folders: whatever they lead to, each photo is there once, at every door."""

from pathlib import Path

import pytest

from kerasdl import data as kdata
from kerasdl.data._walk import walk

CLASSES = ("cat", "dog")


def link(path, target):
    path.symlink_to(target, target_is_directory=True)


LINKS = {  # where a link lies, and where it leads
    "itself": ("train/cat/again", "."),
    "its class": ("train/cat/deep/again", ".."),
    "the split": ("train/cat/again", ".."),
    "the root": ("train/cat/again", "../.."),
    "another class": ("train/cat/again", "../dog"),
    "all classes": ("train/again", "."),
    "all splits": ("train/again", ".."),
}


@pytest.fixture(params=LINKS)
def root(request, tmp_path, write_photos):
    write_photos(tmp_path, {"train": 3, "valid": 3}, CLASSES)
    place, target = LINKS[request.param]
    (tmp_path / place).parent.mkdir(exist_ok=True)
    link(tmp_path / place, target)
    return tmp_path


def files_of_data(root):
    data = kdata.ImageData.from_folder(root, image_size=8, seed=0)
    statistics = kdata.photo_statistics(data, verbose=0)
    assert list(statistics.sizes.query("split == 'train'").index) == data.files("train")
    return [root / file for file in data.files("train")]


def files_of_generator(root):
    flow = kdata.ImageDataGenerator().flow_from_directory(
        root / "train", follow_links=True
    )
    assert sorted(flow.class_indices) == [*CLASSES]
    return [Path(path) for path in flow.filepaths]


def files_of_check(root):
    return [root / "train" / f for f in kdata.check_images(root / "train").sizes.index]


def files_of_subset(root):
    kdata.make_subset(root / "train", root / "small", 3, 0, 0, link=True)
    return [path.resolve() for path in root.glob("small/train/**/*.png")]


def files_of_folder(root):
    dataset, names = kdata.image_folder(root / "train", 8, shuffle=False, seed=0)
    assert names == [*CLASSES]
    assert sum(len(labels) for _, labels in dataset) == 6
    return [root / "train" / file for file in kdata.list_images(root / "train")[0]]


@pytest.mark.parametrize(
    "door",
    [
        files_of_data,
        files_of_generator,
        files_of_check,
        files_of_subset,
        files_of_folder,
    ],
)
def test_each_photo_is_there_once_where_it_lies(root, door):
    expected = [
        root / "train" / name / f"{i}.png" for name in CLASSES for i in range(3)
    ]
    assert sorted(door(root)) == expected


def test_a_link_to_another_split_brings_none_of_its_photos(tmp_path, write_photos):
    write_photos(tmp_path, {"train": 3, "valid": 3}, CLASSES)
    link(tmp_path / "train" / "cat" / "more", "../../valid/cat")
    data = kdata.ImageData.from_folder(tmp_path, image_size=8, seed=0)
    assert data.counts().to_numpy().tolist() == [[3, 3], [3, 3]]


def test_a_folder_outside_is_there_by_the_first_link(tmp_path, write_photos):
    write_photos(tmp_path, {"store/pets": 3, "data/cat": 1, "data/dog": 1})
    for name in CLASSES:
        link(tmp_path / "data" / name / "more", tmp_path / "store" / "pets")
    images, _ = kdata.list_images(tmp_path / "data")
    assert images == [
        "cat/0.png",
        "cat/more/0.png",
        "cat/more/1.png",
        "cat/more/2.png",
        "dog/0.png",
    ]


def test_a_link_to_another_class_is_no_class(tmp_path, write_photos):
    write_photos(tmp_path, dict.fromkeys(CLASSES, 3))
    link(tmp_path / "puppy", "dog")
    with pytest.raises(ValueError, match="no image in 'puppy', a link to .*dog'"):
        kdata.image_folder(tmp_path)


def test_links_are_entered_if_asked_and_tops_always(tmp_path, write_photos):
    write_photos(tmp_path, {"store": 3, "data": 3})
    link(tmp_path / "data" / "more", tmp_path / "store")
    link(tmp_path / "top", tmp_path / "data")
    for follow, count in ((False, 1), (True, 2)):
        (folders,) = walk([tmp_path / "top"], follow)
        assert [Path(folder).name for folder, _ in folders] == ["top", "more"][:count]

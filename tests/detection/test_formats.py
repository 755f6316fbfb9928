import json
import shutil
import sys
import unicodedata
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kerasdl.detection import (
    as_pixels,
    read_annotations,
    read_coco,
    read_table,
    read_voc,
    read_yolo,
    write_coco,
    write_voc,
    write_yolo,
)
from kerasdl.detection.annotations import BOX
from kerasdl.detection.formats.coco import as_coco


def assert_same(found, expected, splits=True):
    assert found.class_names == expected.class_names
    assert sorted(found.photos.index) == sorted(expected.photos.index)
    columns = ["split"] * splits
    pd.testing.assert_frame_equal(
        found.photos.sort_index()[columns], expected.photos.sort_index()[columns]
    )
    order = ["file", *BOX]
    kept = ["file", "label", *BOX, "difficult", "crowd"]
    pd.testing.assert_frame_equal(
        found.boxes.sort_values(order, ignore_index=True)[kept],
        expected.boxes.sort_values(order, ignore_index=True)[kept],
        atol=1e-4,
    )


VOC = """<annotation><filename>x.jpg</filename>
<size><width>80</width><height>60</height></size>
<object><name>red</name><difficult>1</difficult><truncated>0</truncated>
<occluded>1</occluded>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>80</xmax><ymax>60</ymax></bndbox></object>
</annotation>"""


def test_a_box_of_voc_that_covers_the_photo_covers_it(scenes):
    (scenes.root / "000.xml").write_text(VOC)
    found = read_voc(scenes.root)
    box = found.boxes.iloc[0]
    assert box[BOX].tolist() == [0, 0, 80, 60]
    assert box[["difficult", "truncated", "occluded"]].tolist() == [True, False, True]
    assert found.photos.index.tolist() == ["images/000.png"]
    assert found.photos[["height", "width"]].iloc[0].tolist() == [60, 80]


def test_voc_there_and_back_with_the_lists_of_splits(scenes, with_box):
    scenes = with_box(scenes, 2, difficult=True)
    (scenes.root / "Annotations").mkdir()
    write_voc(scenes, scenes.root / "Annotations")
    lists = scenes.root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for split, name in (("train", "train"), ("valid", "val")):
        files = scenes.of_split(split).photos.index
        lines = [file.split("/")[1].removesuffix(".png") for file in files]
        (lists / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (lists / "red_train.txt").write_text("000 -1\n")
    (lists / "trainval.txt").write_text("002\n")
    assert_same(read_annotations(scenes.root), scenes)


def test_of_two_forms_the_one_that_may_hold_masks_is_read(scenes, capsys):
    """Trimaps have the photos' names, and heads are known of a part of them."""
    train, valid = map(scenes.of_split, ("train", "valid"))
    shutil.copytree(scenes.root / "images", scenes.root / "trimaps")
    (scenes.root / "Annotations").mkdir()
    write_voc(train, scenes.root / "Annotations")
    write_coco(train, scenes.root / "train.json")
    write_coco(valid, scenes.root / "valid.json")
    line = said(scenes.root, capsys)
    assert "its XML files are not used" in line and "COCO, 12 photos" in line


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda path: path.write_text('{"images": 12}'), "must hold images, annot"),
        (lambda path: path.write_text("{"), "must be whole"),
        (lambda path: path.write_text(coco_of("000.png")), "'001', '002'"),
    ],
    ids=["other", "half", "of one photo"],
)
def test_json_files_of_less_do_not_replace_xml_files(scenes, capsys, write, why):
    write_voc(scenes, scenes.root)
    write(scenes.root / "found.json")
    line = said(scenes.root, capsys)
    assert "Pascal VOC, 12 photos" in line
    assert "its JSON files are not used" in line and why in line


def test_names_of_yolo_without_boxes_do_not_replace_xml_files(scenes, capsys):
    write_voc(scenes, scenes.root)
    (scenes.root / "classes.txt").write_text("red\n")
    line = said(scenes.root, capsys)
    assert "its names of YOLO are not used" in line
    assert "Pascal VOC, 12 photos, 18 boxes" in line
    (scenes.root / "images" / "000.txt").write_text("0 .5 .5 1 1\n")
    line = said(scenes.root, capsys)
    assert "YOLO, 12 photos, 1 boxes" in line and "not used" not in line


def said(root, capsys):
    read_annotations(root)
    return capsys.readouterr().out


def test_coco_there_and_back(scenes, with_box):
    mask = [[0.0, 0.0, 9.0, 0.0, 9.0, 9.0]]
    scenes = with_box(with_box(scenes, 1, crowd=True), 0, mask=mask)
    for split in ("train", "valid"):
        write_coco(scenes.of_split(split), scenes.root / f"instances_{split}.json")
    found = read_annotations(scenes.root)
    assert_same(found, scenes)
    assert [m for m in found.boxes["mask"] if m is not None] == [mask]


def test_ids_of_coco_may_be_any(scenes):
    content = {
        "images": [{"id": "a", "file_name": "001.png"}],
        "annotations": [{"image_id": "a", "category_id": 90, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 90, "name": "zebra"}, {"id": 7, "name": "cat"}],
    }
    path = scenes.root / "train.json"
    path.write_text(json.dumps(content))
    found = read_coco(path)
    assert found.class_names == ["cat", "zebra"]
    assert found.boxes[BOX].iloc[0].tolist() == [1, 2, 4, 6]
    assert found.boxes["label"].tolist() == ["zebra"]
    assert found.photos.index.tolist() == ["images/001.png"]


def test_yolo_there_and_back(draw_scenes, tmp_path):
    scenes = draw_scenes(tmp_path, splits=("",))
    write_yolo(scenes, tmp_path)
    assert_same(read_annotations(tmp_path), scenes)


def test_a_line_of_yolo_may_be_a_polygon_and_a_photo_without_a_file_is_empty(scenes):
    (scenes.root / "classes.txt").write_text("red\nblue\n")
    labels = scenes.root / "labels"
    labels.mkdir()
    (labels / "000.txt").write_text("1 0.5 0.5 0.25 0.5\n5 0 0 0.5 0 0.5 1\n")
    found = read_yolo(scenes.root)
    assert found.boxes[BOX].to_numpy().tolist() == [[30, 15, 50, 45], [0, 0, 40, 60]]
    assert found.boxes["label"].tolist() == ["blue", "class 5"]
    assert found.labels().tolist() == [1, -1]
    assert found.boxes["mask"][1] == [[0, 0, 40, 0, 40, 60]]
    assert len(found.photos) == 12


def test_splits_of_yolo_are_folders(draw_scenes, tmp_path):
    scenes = draw_scenes(tmp_path, count=2)
    for split, file in zip(("train", "val"), scenes.photos.index, strict=True):
        (tmp_path / "images" / split).mkdir()
        (tmp_path / file).rename(tmp_path / "images" / split / "1.png")
        (tmp_path / "labels" / split).mkdir(parents=True)
        (tmp_path / "labels" / split / "1.txt").write_text("0 .5 .5 1 1")
    (tmp_path / "data.yaml").write_text("names: [cat]\ntrain: images/train\n")
    found = read_annotations(tmp_path)
    assert found.photos["split"].tolist() == ["train", "valid"]
    assert found.class_names == ["cat"]
    assert found.boxes["file"].tolist() == ["images/train/1.png", "images/val/1.png"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["train: [images/a, images/b]", "val: [images/c]"], "train train valid"),
        (["train: ./a.txt", "val: c.txt", "test: [b.txt]"], "train test valid"),
        # As Roboflow has it; a list of another machine.
        (["train: ../images/a", "valid: ../images/c"], "train  valid"),
        (["train: images/a", "val: /gone/c.txt"], "train  "),
        (["path: images", "train: [a, b]", "val: c"], "train train valid"),
        (["path: /gone", "train: images/a", "val: null"], "train  "),
        (["train: images", "val: images/c"], "train train "),
    ],
    ids=["folders", "lists", "beside", "gone", "path", "other path", "both"],
)
def test_splits_of_yolo_are_those_of_its_yaml(photos, lines, expected):
    names = ["images/a/1.jpg", "images/b/1.jpg", "images/c/my 2.jpg"]
    root = photos(*names)
    (root / "data.yaml").write_text("\n".join(["names: [x]", *lines]))
    for letter, name in zip("abc", names, strict=True):
        (root / f"{letter}.txt").write_text(f"./{name}\r\n")
    found = read_annotations(root).photos["split"].to_dict()
    assert found == dict(zip(names, expected.split(" "), strict=True))


def test_names_of_yolo_are_as_they_are_written(scenes):
    names = "[yes, no, null, 007, 1.10, 'a: b']"
    (scenes.root / "data.yaml").write_text(f"names: {names}")
    expected = ["yes", "no", "null", "007", "1.10", "a: b"]
    assert read_yolo(scenes.root).class_names == expected


def test_any_name_of_a_class_is_read_as_it_was_written(scenes):
    names = ['it\'s "x"', "a\\b", "no", "007", "caf\u00e9 \U0001f431", "{a}: #"]
    named = replace(scenes, class_names=names, boxes=scenes.boxes[:0])
    named.photos[["height", "width"]] = 60, 80
    write_yolo(named, scenes.root)
    assert read_yolo(scenes.root).class_names == names


def test_points_of_yolo_are_passed_over(scenes):
    (scenes.root / "data.yaml").write_text("names: [x]\nkpt_shape: [2, 2]")
    label = scenes.root / "images/000.txt"
    label.write_text("0 .5 .5 .25 .5 .1 .1 .9 .9\n")
    found = read_yolo(scenes.root).boxes
    assert found[BOX].to_numpy().tolist() == [[30, 15, 50, 45]]
    assert found["mask"].tolist() == [None]


def test_a_table_names_photos_by_the_ends_of_their_paths(scenes):
    rows = {"filename": ["001.png", "000.png"], "class": ["a", ""]}
    for name, number in (("xmin", 1), ("ymin", 2), ("xmax", 30), ("ymax", 40)):
        rows[name] = [number, np.nan]
    pd.DataFrame(rows).to_csv(scenes.root / "boxes.csv", index=False)
    found = read_annotations(scenes.root)
    assert found.photos.index.tolist() == ["images/001.png", "images/000.png"]
    assert found.boxes[BOX].to_numpy().tolist() == [[1, 2, 30, 40]]
    assert found.class_names == ["a"]
    assert set(found.photos["split"]) == {""}


@pytest.mark.parametrize("write", [write_yolo, write_coco])
def test_names_that_are_no_utf8_are_shown(scenes, write):
    scenes.photos[["height", "width"]] = 60, 80
    write(scenes, scenes.root / ("x.json" if write is write_coco else ""))
    shutil.copy(scenes.root / "images/001.png", scenes.root / "images/caf\udce9.png")
    if write is write_coco:  # which does not speak of it
        assert len(read_annotations(scenes.root).photos) == 12
        (scenes.root / "x.json").write_text(coco_of("caf\udce9.png"))
    with pytest.raises(ValueError, match=r"names in UTF-8.*images/caf\\udce9\.png"):
        read_annotations(scenes.root)


def test_columns_of_a_table_may_have_both_names(scenes):
    row = {"image": "001.png", "filename": "x", "label": "a", "class": 7}
    frame = pd.DataFrame([row]).assign(xmin=1, ymin=2, xmax=3, ymax=4)
    found = read_table(frame, scenes.root).boxes
    assert found[["file", "label"]].to_numpy().tolist() == [["images/001.png", "a"]]


def test_a_photo_of_a_table_is_in_one_split(scenes):
    frame = pd.DataFrame({"image": ["001.png"] * 2, "split": ["train", "val"]})
    frame = frame.assign(xmin=1, ymin=2, xmax=[3, 4], ymax=4, label="a")
    with pytest.raises(ValueError, match="one split.*'train' and 'valid' for 'images/"):
        read_table(frame, scenes.root)


def test_splits_of_a_table_are_folders_where_it_says_none(draw_scenes, tmp_path):
    scenes = draw_scenes(tmp_path, count=2)
    for split, file in zip(("train", "val"), scenes.photos.index, strict=True):
        (tmp_path / split).mkdir()
        (tmp_path / file).rename(tmp_path / split / f"{split}.png")
    lines = ["image,xmin,ymin,xmax,ymax,label", "train.png,1,2,3,4,a"]
    lines += ["val/val.png,1,2,3,4,a"]
    (tmp_path / "boxes.csv").write_text("\n".join(lines))
    found = read_annotations(tmp_path)
    assert found.photos["split"].to_dict() == {
        "train/train.png": "train",
        "val/val.png": "valid",
    }


def test_areas_of_coco_are_those_of_masks(scenes, with_box, monkeypatch):
    x1, y1, x2, y2 = scenes.boxes[BOX].iloc[0]
    half = [[x1, y1, x2, y1, x2, y2]]
    masked = with_box(with_box(scenes, 0, mask=half), 1, mask=[[1, 2]])
    first, second, *_ = as_coco(masked)["annotations"]
    assert first["area"] == as_pixels(half, (60, 80)).sum()
    assert first["area"] < 0.6 * first["bbox"][2] * first["bbox"][3]
    assert second["area"] == second["bbox"][2] * second["bbox"][3]
    monkeypatch.setitem(sys.modules, "faster_coco_eval.core.mask", None)
    first, *_ = as_coco(masked)["annotations"]
    assert first["area"] == first["bbox"][2] * first["bbox"][3]
    assert first["segmentation"] == half


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("a.xml", "<annotation><object>", "XML file must be one of Pascal VOC"),
        ("a.xml", VOC.replace("<xmin>1", "<xmin>a"), "numbers in each `bndbox`"),
        ("a.json", "{", "JSON file must be whole"),
        ("a.json", "[]", "must hold images, annotations, categories"),
        ("data.yaml", "nc: 3", "`names` must be a list, or a name by each number"),
        ("data.yaml", "names: abc", "`names` must be a list, or a name by each num"),
        ("data.yaml", "names: [a, [b]]", "`names` must be a list.*no text"),
        ("a.xml", VOC.replace("<width>80", "<width>inf"), "must be one of Pascal VOC"),
        ("a.xml", '<?xml version="1.0" encoding="gbk"?>' + VOC, "must be one of.*byte"),
        ("a.xml", '<?xml version="1.0" encoding="foo"?>' + VOC, "must be one of.*foo"),
        ("boxes.csv", "image,xmin,ymin,xmax,ymax\na,1,2,3,4\n", "without label"),
        (
            "boxes.csv",
            "image,xmin,ymin,xmax,ymax,label\na,1,2,3,4,\n",
            "must have a label in each row with numbers.*none in row 0",
        ),
        (
            "boxes.csv",
            "image,xmin,ymin,xmax,ymax,label\na,1,,3,4,b\n",
            "four numbers, or none, in each row",
        ),
        ("notes.txt", "", "`path` must hold data.yaml or classes.txt"),
    ],
    ids=[
        "cut",
        "letters",
        "half",
        "list",
        "names",
        "name",
        "nested",
        "endless",
        "several bytes",
        "encoding",
        "column",
        "label",
        "numbers",
        "nothing",
    ],
)
def test_files_that_are_none_are_refused(scenes, file, text, message):
    (scenes.root / file).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_annotations(scenes.root)


@pytest.mark.parametrize(
    "name", ["classes.txt", "data.yaml", "images/000.txt", "ImageSets/Main/val.txt"]
)
def test_text_of_another_encoding_is_named(scenes, name):
    if name.startswith("ImageSets"):
        write_voc(scenes, scenes.root)
    elif name.startswith("images"):
        (scenes.root / "classes.txt").write_text("red\n")
    (scenes.root / name).parent.mkdir(parents=True, exist_ok=True)
    (scenes.root / name).write_bytes("names: [é]\n".encode("latin1"))
    with pytest.raises(ValueError, match=f"must be in UTF-8.*{name}"):
        read_annotations(scenes.root)


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (write_voc, ("1.jpg", "1.png")),
        (write_yolo, ("1.jpg", "1.png")),
        (write_yolo, ("images/1.jpg", "1.jpg")),
    ],
)
def test_photos_whose_files_would_be_one_are_refused(scenes, tmp_path, write, names):
    sized = scenes.photos[:2].assign(height=60, width=80)
    alike = replace(scenes.take([]), photos=sized.set_axis(names))
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=f"different names.*'{names[0]}' and"):
        write(alike, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("read", [read_voc, read_coco, read_yolo, read_annotations])
def test_a_folder_must_be_there(tmp_path, read):
    with pytest.raises(ValueError, match="`path` must be an existing directory"):
        read(tmp_path / "gone")


@pytest.mark.parametrize("line", ["0 1 2 3", "a 1 2 3 4", "0 1 2 3 4 5"])
def test_a_line_of_yolo_that_is_none_is_named(scenes, line):
    (scenes.root / "classes.txt").write_text("red\n")
    (scenes.root / "images" / "000.txt").write_text(line)
    with pytest.raises(ValueError, match=r"four numbers, or a polygon.*000\.txt"):
        read_yolo(scenes.root)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (read_voc, "must hold XML files of an `annotation`"),
        (read_yolo, "must hold one of data.yaml"),
    ],
)
def test_a_folder_without_annotations_is_refused(scenes, read, message):
    with pytest.raises(ValueError, match=message):
        read(scenes.root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": [{"id": 3, "image_id": 9, "bbox": [1, 2, 3, 4]}]}, "id 3"),
        ({"annotations": [{"id": 4, "image_id": 1, "bbox": [1, 2]}]}, "id 4"),
    ],
)
def test_annotations_of_coco_are_checked(tmp_path, change, message):
    content = {"images": [{"id": 1, "file_name": "a.png"}], "categories": []} | change
    (tmp_path / "train.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"`bbox` of four numbers.*{message}"):
        read_coco(tmp_path)


BOXED = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": [5]}, "annotation must have `image_id` and `bbox`.*: 5 in"),
        ({"annotations": ["x"]}, "annotation must have `image_id` and `bbox`"),
        ({"annotations": [{**BOXED, "image_id": [1]}]}, "a number or a text"),
        ({"annotations": [{**BOXED, "category_id": [1]}]}, "`bbox` of four numbers"),
        ({"categories": [{"id": None, "name": "x"}]}, "a number or a text"),
        ({"categories": [{"id": [1], "name": "x"}]}, "a number or a text"),
        ({"images": [{"id": {}, "file_name": "a.png"}]}, "a number or a text"),
        (
            {"images": [{"id": 1, "file_name": name} for name in ("a.png", "b.png")]},
            "`id` of its own.*'a.png' and 'b.png' with id 1",
        ),
        (
            {"categories": [{"id": 1, "name": name} for name in ("x", "y")]},
            "each id of one.*'x' and 'y' with id 1",
        ),
        (
            {"images": [{"id": 1, "file_name": "a.png", "width": "sixty"}]},
            "numbers for `height` and `width`.*sixty",
        ),
        (
            {"images": [{"id": 1, "file_name": "a.png", "width": float("inf")}]},
            "numbers for `height` and `width`",
        ),
    ],
)
def test_what_is_none_of_coco_is_named(tmp_path, change, message):
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [BOXED],
        "categories": [{"id": 1, "name": "x"}],
    }
    (tmp_path / "train.json").write_text(json.dumps(content | change))
    with pytest.raises(ValueError, match=f"{message}.*train.json"):
        read_coco(tmp_path)


def test_classes_of_coco_are_in_the_order_of_ids_that_may_be_texts(tmp_path):
    ids = ["10", 9, "b", "a", "2", -1]
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": "80.0", "height": 60}],
        "annotations": [{**BOXED, "iscrowd": flag} for flag in ("0", 0, "1", True)],
        "categories": [{"id": number, "name": f"c{number}"} for number in ids],
    }
    (tmp_path / "train.json").write_text(json.dumps(content))
    found = read_coco(tmp_path)
    assert found.class_names == ["c-1", "c2", "c9", "c10", "ca", "cb"]
    assert found.boxes["crowd"].tolist() == [False, False, True, True]
    assert found.photos[["height", "width"]].to_numpy().tolist() == [[60, 80]]


def test_one_file_of_coco_has_the_splits_of_its_photos_folders(photos):
    root = photos("train/1.jpg", "images/val/2.jpg", "3.jpg")
    names = ["train/1.jpg", "images/val/2.jpg", "3.jpg"]
    (root / "instances.json").write_text(coco_of(*names))
    found = read_coco(root).photos["split"].to_dict()
    assert found == dict(zip(names, ("train", "valid", ""), strict=True))


def test_splits_of_coco_have_the_same_categories(tmp_path):
    for split, name in (("train", "cat"), ("val", "dog")):
        content = {"images": [], "annotations": []}
        content["categories"] = [{"id": 1, "name": name}]
        (tmp_path / f"{split}.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="categories of all JSON files must be the s"):
        read_coco(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": [{"id": 1}]}, "Each image must have `id` and `file_name`"),
        ({"images": [{"file_name": "a"}]}, "Each image must have `id` and `file_name`"),
        ({"categories": [{"id": 1}]}, "Each category must have `id` and `name`"),
    ],
    ids=["file_name", "id", "name"],
)
def test_images_and_categories_of_coco_are_checked(tmp_path, change, message):
    content = {"images": [], "annotations": [], "categories": []} | change
    (tmp_path / "train.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"{message}.*train.json"):
        read_coco(tmp_path)


def test_files_of_keypoints_are_left_out_beside_those_of_boxes(scenes):
    write_coco(scenes, scenes.root / "instances_train.json")
    content = json.loads((scenes.root / "instances_train.json").read_text())
    for category in content["categories"]:
        category["keypoints"] = ["nose"]
    (scenes.root / "person_keypoints_train.json").write_text(json.dumps(content))
    assert len(read_coco(scenes.root).boxes) == 18


def test_yolo_is_written_of_photos_whose_size_is_known(scenes, tmp_path):
    scenes.photos["height"] = 0
    with pytest.raises(ValueError, match=r"size of each photo.*000\.png"):
        write_yolo(scenes, tmp_path)


def test_a_table_is_read_from_a_frame(scenes):
    rows = [{"image": "/x/images/001.jpg", "label": 7, "split": "val"}]
    frame = pd.DataFrame(rows).assign(xmin=0, ymin=0, xmax=5, ymax=5)
    found = read_table(frame, scenes.root)
    assert found.class_names == ["7"]
    assert found.photos["split"].to_dict() == {"images/001.png": "valid"}


@pytest.mark.parametrize("write", [write_voc, write_yolo])
@pytest.mark.parametrize("name", ["{}/000.png", "../000.png"])
def test_files_beside_photos_elsewhere_are_not_replaced(scenes, tmp_path, write, name):
    name = name.format(scenes.root)
    named = replace(scenes.take([]), photos=scenes.photos[:1].set_axis([name]))
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=r"photos relative to their root.*000\.png"):
        write(named, tmp_path / "out")
    assert not list(tmp_path.rglob("*.xml")) + list(tmp_path.rglob("*.txt"))
    assert not list(tmp_path.rglob("data.yaml"))


@pytest.fixture
def photos(scenes, tmp_path):
    """A function that puts a photo in places below a folder."""

    def put(*places):
        root = tmp_path / "photos"
        for place in places:
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(scenes.root / "images/001.png", root / place)
        return root

    return put


def coco_of(*names):
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    return json.dumps({"images": images, "annotations": [], "categories": []})


def test_folders_that_a_name_gives_are_the_photos(photos):
    root = photos("train/1.jpg")
    (root / "train.json").write_text(coco_of("val/1.jpg", "/x/train/1.jpg"))
    assert read_coco(root).photos.index.tolist() == ["val/1.jpg", "train/1.jpg"]


@pytest.mark.parametrize("name", ["1.jpg", "/other/images/val/1.jpg"])
def test_of_several_photos_that_of_the_split_is_taken(photos, name):
    root = photos("images/train/1.jpg", "images/val/1.jpg")
    (root / "valid.json").write_text(coco_of(name))
    assert read_coco(root).photos.index.tolist() == ["images/val/1.jpg"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_of_a_name_may_be_apart(photos, form):
    """As a Mac writes the names of files, and no other system."""
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    there, said = (unicodedata.normalize(f, "größe/é 1.jpg") for f in (form, other))
    root = photos(there, "b/é 1.jpg")
    (root / "train.json").write_text(coco_of(said))
    assert read_coco(root).photos.index.tolist() == [there]


def test_names_that_may_be_several_photos_are_refused(photos):
    root = photos("a/1.jpg", "b/1.jpg")
    (root / "train.json").write_text(coco_of("1.jpg"))
    with pytest.raises(ValueError, match="which are meant.*'a/1.jpg', 'b/1.jpg'"):
        read_coco(root)


def test_a_photo_has_one_file_of_boxes(photos):
    root = photos("a/1.jpg")
    for split in ("train", "val"):
        (root / f"{split}.json").write_text(coco_of("1.jpg"))
    with pytest.raises(ValueError, match="in one place.*train.json.*val.json.* both"):
        read_coco(root)


def test_xml_files_in_folders_of_splits_belong_to_photos_beside_them(photos):
    places = [f"{split}/images/1.rf.a.png" for split in ("test", "train", "valid")]
    root = photos(*places, "train/2.png")
    for place in places:
        path = root / place.replace("images", "annotations").replace(".png", ".xml")
        path.parent.mkdir()
        path.write_text(VOC)
    (root / "train/2.xml").write_text(VOC)
    found = read_annotations(root).photos["split"]
    expected = ["test", "train", "valid"]
    assert found.to_dict() == dict(zip(places, expected, strict=True)) | {
        "train/2.png": "train"
    }


def test_masks_of_the_same_name_are_no_photos(photos):
    root = photos(
        "JPEGImages/my cat.jpg", "Segmentation/my cat.png", "ImageSets/Main/a"
    )
    (root / "Annotations").mkdir()
    (root / "Annotations/my cat.xml").write_text(VOC)
    (root / "ImageSets/Main/val.txt").write_text("\ufeffmy cat \n", encoding="utf-8")
    found = read_voc(root).photos["split"].to_dict()
    assert found == {"JPEGImages/my cat.jpg": "valid"}


def test_files_of_other_tools_are_passed_over(scenes):
    root = scenes.root
    write_coco(scenes, root / "train.json")
    text = (root / "train.json").read_text()
    (root / "train.json").write_text(text, encoding="utf-8-sig")
    (root / "annotations.xml").write_text("<annotations><image/></annotations>")
    for name in (".idea/a.xml", "__MACOSX/a.xml", "._a.xml", "._train.json"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("<annotation>")
    assert len(read_annotations(root).boxes) == 18


def test_yolo_may_begin_with_a_byte_order_mark(scenes):
    (scenes.root / "classes.txt").write_text("red\n", encoding="utf-8-sig")
    label = scenes.root / "images/000.txt"
    label.write_text("0 .5 .5 1 1\n", encoding="utf-8-sig")
    assert read_yolo(scenes.root).boxes["label"].tolist() == ["red"]


def test_a_class_of_a_table_may_be_called_na(scenes):
    table = scenes.root / "boxes.csv"
    table.write_text("image,xmin,ymin,xmax,ymax,label\n001.png,1,2,3,4,NA\n")
    assert read_annotations(scenes.root).class_names == ["NA"]

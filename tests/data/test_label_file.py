import pandas as pd
import pytest
from PIL import Image

from kerasdl.data import ImageData, label_file, read_labels

NAMES = ("a.jpg", "b.jpg", "sub/c.png", "d.JPG")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    for name in NAMES:
        (folder / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


@pytest.fixture
def read(folder, tmp_path):
    """A function that reads a table of these columns as a file of labels."""

    def read(columns, separator=",", **options):
        path = tmp_path / "labels.csv"
        pd.DataFrame(columns).to_csv(path, index=False, sep=separator)
        return read_labels(path, folder, **options)

    return read


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "names",
    [
        NAMES,
        ("a", "b", "sub/c", "d"),
        ("a", "b.jpg", "c", "./d.JPG"),
        ("a.jpg", "b.jpg", "sub\\c.png", "d"),
        ("a.JPG", "b.Jpg", "c.PNG", "d.jpg"),
        ("data/in/a.jpg", "data/in/b.jpg", "data/in/sub/c.PNG", "data/in/d"),
        ("{folder}/a.jpg", "{above}/b.jpg", "c.png", "{folder}/d.JPG"),
    ],
)
def test_names_with_and_without_suffix_and_folder(names, separator, read, folder):
    names = [name.format(folder=folder, above=folder.name) for name in names]
    found = read({"size": [1, 2, 3, 4], "file": names, "label": [*"xyxy"]}, separator)
    assert (found.image, found.label, found.label_delimiter) == ("file", "label", None)
    assert found.table["file"].tolist() == list(NAMES)
    assert found.table["label"].tolist() == [*"xyxy"]


def test_a_suffix_that_is_given_is_added(read):
    found = read({"id": ["a", "b"], "breed": ["x", "y"]}, suffix=".jpg")
    assert found.table["id"].tolist() == ["a.jpg", "b.jpg"]
    with pytest.raises(ValueError, match="`image_column` must name"):
        read({"id": ["a.jpg", "b.jpg"], "breed": ["x", "y"]}, suffix=".jpg")


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (["red round", "red", "", "round"], {"delimiter": " "}),
        (["['red', 'round']", '["red"]', "[]", "[round]"], {}),
        (["[red, round]", "[red]", "", "['round']"], {}),
        (["['red' 'round']", "['red']", "[]", "['round']"], {}),
    ],
)
def test_several_labels_as_text(texts, options, read, folder):
    found = read({"image": NAMES, "tags": texts}, **options)
    data = ImageData.from_table(
        found.table,
        folder,
        found.image,
        found.label,
        suffix="",
        label_delimiter=found.label_delimiter,
        valid=None,
        image_size=8,
        seed=0,
    )
    assert data.class_names == ["red", "round"]
    assert data.files("train") == list(NAMES)
    assert data.labels("train").tolist() == [[1, 1], [1, 0], [0, 0], [0, 1]]


def test_lists_and_words_of_one_label_are_single_labels(read):
    found = read({"image": NAMES, "tags": ["['x']", "['y']", "[x]", "['y']"]})
    assert found.table["tags"].tolist() == [*"xyxy"]
    assert found.label_delimiter is None
    found = read({"image": NAMES, "tags": ["x", "y ", "x", "y"]}, delimiter=" ")
    assert found.label_delimiter is None


def test_a_column_for_each_class(read):
    columns = {"image": NAMES, "cat": [1, 0, 1, 0], "dog": [0, 1, 0, 1]}
    assert read(columns).label == ["cat", "dog"]
    more = {**columns, "width": [640, 1, 2, 3]}
    with pytest.raises(ValueError, match="`label_column` must name the column"):
        read(more)
    assert read(more, label_column=["cat", "dog"]).label == ["cat", "dog"]


def test_rows_whose_photo_is_missing(read, capsys):
    gone = [f"gone{number}" for number in range(4)]
    columns = {"image": [*NAMES, *gone], "label": [*"xyxyxyxy"]}
    with pytest.raises(
        ValueError,
        match=r"'gone0', 'gone1', 'gone2', 'gone3'\. .*\(--on-missing skip\)",
    ):
        read(columns)
    found = read(columns, on_missing="skip")
    assert found.table["image"].tolist() == list(NAMES)
    assert "4 rows without a photo left out: 'gone0'" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"'gone3', 'gone4', \.\.\. \(6 in all\)"):
        columns = {
            "image": ["a", *(f"gone{n}" for n in range(6))],
            "label": [*"xyxyxyx"],
        }
        read(columns, image_column="image")


def test_names_in_other_folders_are_of_other_photos(read):
    columns = {"image": ["train/a.jpg", "test/a.jpg"], "label": ["x", "y"]}
    with pytest.raises(ValueError, match="without a photo.*'train/a.jpg', 'test/a"):
        read(columns, image_column="image")


def test_a_folder_that_all_names_share_is_meant_where_it_is_there(tmp_path):
    folder = tmp_path / "data"
    for name in ("train/1.jpg", "train/2.jpg", "test/7.jpg", "data/3.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)

    def read(*names, above=""):
        rows = "".join(f"{above}train/{name},x\n" for name in names)
        (tmp_path / "a.csv").write_text(f"image,label\n{rows}")
        found = read_labels(tmp_path / "a.csv", folder).table["image"]
        return found.tolist()

    for above in ("", "old/", f"{folder}/"):
        with pytest.raises(ValueError, match=r"for '\S*train/7.jpg'"):
            read("1.jpg", "2.jpg", "7.jpg", above=above)
        found = read("1.jpg", "2.jpg", above=above)
        assert found == ["train/1.jpg", "train/2.jpg"]


def test_few_photos_of_many_rows_are_taken_where_that_is_asked(read):
    gone = [f"gone{number}.jpg" for number in range(9)]
    columns = {"number": range(11), "file": ["a.jpg", *gone, "b.jpg"], "label": "x"}
    with pytest.raises(
        ValueError, match=r"on_missing='skip' \(--on-missing skip\) one"
    ):
        read(columns)
    found = read(columns, on_missing="skip")
    assert found.image == "file"
    assert found.table["file"].tolist() == ["a.jpg", "b.jpg"]
    with pytest.raises(ValueError, match="`image_column` must name"):
        read({"file": gone, "label": "x"}, on_missing="skip")


def test_columns_after_that_of_the_photos_are_not_searched(read, monkeypatch):
    searched, places = [], label_file._Photos.places
    monkeypatch.setattr(
        label_file._Photos,
        "places",
        lambda photos, names: searched.append(names.name) or places(photos, names),
    )
    columns = {"id": range(4), "image": NAMES, "cat": 0, "dog": 1}
    assert read(columns, label_column=["cat"]).image == "image"
    assert searched == ["id", "image"]
    read(columns, image_column="image", label_column=["cat"])
    assert searched[2:] == ["image"]


def test_photos_that_no_row_names_are_counted(read, capsys):
    assert len(read({"image": NAMES[:2], "label": ["x", "y"]}).table) == 2
    printed = capsys.readouterr().out
    assert "labels.csv: 2 photos by 'image', labels by 'label'\n2 photos of" in printed


def test_a_name_that_two_photos_have_is_none_of_them(folder, tmp_path):
    for name in ("one/x.png", "two/x.png"):
        (tmp_path / name).parent.mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "labels.csv").write_text("image,label\none/x.png,1\nx.png,2\n")
    with pytest.raises(ValueError, match="'x.png', which may be 'one/x.png', 'two/x"):
        read_labels("labels.csv", tmp_path)  # beside the photos


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_column": "file"}, "`image_column` must be of the columns"),
        ({"label_column": ["kind"]}, "`label_column` must be of the columns"),
        ({"on_missing": "ignore"}, "`on_missing` must be one of 'raise', 'skip'"),
    ],
)
def test_bad_arguments(options, message, read):
    with pytest.raises(ValueError, match=message):
        read({"image": NAMES, "label": [*"xyxy"]}, **options)


def test_no_file_of_labels(folder, tmp_path):
    with pytest.raises(ValueError, match="`labels` must be an existing CSV file"):
        read_labels(tmp_path / "none.csv", folder)


@pytest.mark.parametrize(
    ("photos", "name", "meant"),
    [
        (("train/1.jpg", "images/train/2.jpg"), "train/1.jpg", "train/1.jpg"),
        (("train/1.jpg", "images/train/2.jpg"), "train/2.jpg", "images/train/2.jpg"),
        (("train/1.jpg", "images/train/1.jpg"), "train/1.jpg", "train/1.jpg"),
        (("train/1.jpg", "images/train/1.jpg"), "./train/1", "train/1.jpg"),
        (("train/1.jpg", "test/1.jpg"), "test/1", "test/1.jpg"),
        (("old/train/1.jpg", "new/train/1.jpg"), "new/train/1", "new/train/1.jpg"),
        (("1.jpg", "test/1.jpg"), "1", "1.jpg"),
        (("train/1.jpg", "test/1.jpg"), "1.jpg", None),
        (("train/1.jpg", "train/1.png"), "train/1", None),
        (("old/train/1.jpg", "new/train/1.jpg"), "train/1.jpg", None),
    ],
)
@pytest.mark.parametrize("on_missing", ["raise", "skip"])
def test_of_photos_of_one_name_one_is_meant_or_none_taken(
    photos, name, meant, on_missing, tmp_path
):
    for photo in photos:
        (tmp_path / photo).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / photo).touch()
    (tmp_path / "a.csv").write_text(f"image,label\n{name},x\n")

    def read():
        found = read_labels(tmp_path / "a.csv", tmp_path, on_missing=on_missing)
        return found.table["image"].tolist()

    if meant:
        assert read() == [meant]
    else:
        with pytest.raises(
            ValueError, match="one is meant.*may be '.*/1.* Write the f"
        ):
            read()


def test_labels_that_are_names_of_photos_are_not_taken_for_them(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.jpg").touch()
    (tmp_path / "a.csv").write_text("label,id\n0,0\n1,1\n1,2\n0,3\n1,4\n")
    found = read_labels(tmp_path / "a.csv", tmp_path)
    assert (found.image, found.label) == ("id", "label")
    assert found.table["id"].tolist() == [f"{number}.jpg" for number in range(5)]


def test_several_rows_a_photo_are_told_from_labels_that_name_photos(tmp_path, capsys):
    for number in range(5):
        (tmp_path / f"{number}.jpg").touch()

    rows = "".join(f"{k % 3},{k % 5},640\n" for k in range(20))
    (tmp_path / "a.csv").write_text(f"label,id,width\n{rows}")
    found = read_labels(tmp_path / "a.csv", tmp_path, label_column=["label"])
    assert found.image == "id"  # of five photos; a label names three
    assert found.table["id"].tolist() == [f"{k % 5}.jpg" for k in range(20)]
    assert "a.csv: 5 photos by 'id'" in capsys.readouterr().out
    for number in range(5, 12):
        (tmp_path / f"{number}.jpg").touch()
    with pytest.raises(ValueError, match="half of the photos.*and 12 photos. Give it"):
        read_labels(tmp_path / "a.csv", tmp_path)

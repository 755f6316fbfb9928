from functools import partial

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasdl.data import ImageData

SIZE = 8
TAGS = ("clear primary", "haze  primary road", "clear water", "road haze")


def save_photo(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIZE, SIZE), (value, 0, 0)).save(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """30 photos 000 to 029, the red of each its number; three without labels."""
    folder = tmp_path_factory.mktemp("table")
    for number in range(30):
        save_photo(folder / "photos" / f"{number:03}.png", number)
    for name in ("b/0.png", "10.png", "9.png"):
        save_photo(folder / "unknown" / name, 200)
    (folder / "unknown" / "note.txt").write_text("no photo")
    return folder


def breeds(numbers=range(30)):
    """A third of the photos are NA, the others 7."""
    return pd.DataFrame(
        {
            "id": [f"{n:03}" for n in numbers],
            "breed": ["NA" if n % 3 == 0 else "7" for n in numbers],
        }
    )


def tags():
    return pd.DataFrame({"id": breeds().id, "tags": [TAGS[n % 4] for n in range(30)]})


@pytest.fixture
def build(folder):
    options = {"label": "breed", "suffix": ".png", "image_size": SIZE, "seed": 1}
    return lambda table, **more: ImageData.from_table(
        table, folder / "photos", **options | more
    )


def one_pass(dataset):
    return tuple(
        np.concatenate(a) for a in zip(*dataset.as_numpy_iterator(), strict=True)
    )


def test_a_csv_file_is_a_stratified_split(folder, build, tmp_path, capsys):
    breeds().to_csv(tmp_path / "labels.csv", index=False)
    data = build(tmp_path / "labels.csv")
    assert "2 classes: 7, NA" in capsys.readouterr().out
    assert data.class_names == ["7", "NA"]
    assert data.root == folder / "photos"
    assert data.counts().to_numpy().tolist() == [[16, 8], [4, 2]]
    files = data.files("train") + data.files("valid")
    assert sorted(files) == [f"{n:03}.png" for n in range(30)]
    assert data.paths("valid")[0] == folder / "photos" / data.files("valid")[0]
    for split in ("train", "valid"):
        numbers = [int(file[:3]) for file in data.files(split)]
        np.testing.assert_array_equal(data.labels(split), [n % 3 == 0 for n in numbers])


def test_labels_stay_with_their_photos(build):
    data = build(breeds())
    for dataset in (data.train, data.valid):
        images, labels = one_pass(dataset)
        np.testing.assert_array_equal(labels[:, 0], images[:, 0, 0, 0] % 3 == 0)


def test_the_seed_repeats_the_split_and_a_frame_is_as_good_as_a_file(build, tmp_path):
    breeds().to_csv(tmp_path / "labels.csv", index=False)
    first, again, other = (
        build(table, seed=seed).files("valid")
        for table, seed in ((tmp_path / "labels.csv", 1), (breeds(), 1), (breeds(), 2))
    )
    assert first == again != other


def test_numbers_and_blanks_are_text(build, folder):
    table = pd.DataFrame(
        {"name": [" 010", "011 ", "012", "013"], "breed": [1, 2, 1, 2]}
    )
    data = build(table, image="name", valid_fraction=0.5)
    assert data.class_names == ["1", "2"]
    assert sorted(data.files("train") + data.files("valid"))[0] == "010.png"
    table["name"] = table["name"].str.strip() + ".png"
    assert build(table, image="name", suffix="", valid_fraction=0.5).splits


def test_a_share_of_the_photos_is_a_labelled_test_split(build):
    data = build(breeds(), valid_fraction=0.2, test=0.3)
    assert data.splits == ["train", "valid", "test"]
    assert data.counts().to_numpy().tolist() == [[10, 5], [4, 2], [6, 3]]
    parts = [set(data.files(split)) for split in data.splits]
    assert len(set.union(*parts)) == sum(map(len, parts)) == 30
    _, labels = one_pass(data.test)
    np.testing.assert_array_equal(labels[:, 0], data.labels("test"))


def test_a_folder_is_a_test_split_without_labels(build, folder):
    data = build(breeds(), test=folder / "unknown")
    assert data.files("test") == ["10.png", "9.png", "b/0.png"]
    assert data.paths("test")[2] == folder / "unknown" / "b" / "0.png"
    images = np.concatenate(list(data.test.as_numpy_iterator()))
    assert images.shape == (3, SIZE, SIZE, 3)
    assert (images[..., 0] == 200).all()
    assert list(data.counts().index) == ["train", "valid"]
    for call in (data.labels, data.encoded_labels):
        with pytest.raises(ValueError, match="one with labels. Received: split='test'"):
            call("test")


def test_predict_takes_photos_without_labels(build, folder):
    import keras

    data = build(breeds(), test=folder / "unknown", batch_size=2)
    inputs = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    red = model.predict(data.test, verbose=0)[:, 0]
    np.testing.assert_allclose(red, [200, 200, 200], rtol=1e-6)


def test_excluded_files_are_left_out(build):
    data = build(breeds(), exclude=["003.png", "004.png"])
    assert data.counts().sum().tolist() == [19, 9]
    assert "003.png" not in data.files("train") + data.files("valid")


def test_several_labels_are_multi_hot(build):
    data = build(tags(), label="tags", label_delimiter=" ", valid_fraction=0.25)
    assert data.class_names == ["clear", "haze", "primary", "road", "water"]
    assert data.label_mode == "multi_label"
    for split, dataset in (("train", data.train), ("valid", data.valid)):
        labels = data.labels(split)
        assert labels.dtype == np.float32
        for file, row in zip(data.files(split), labels, strict=True):
            words = [name for name, on in zip(data.class_names, row, strict=True) if on]
            assert words == sorted(TAGS[int(file[:3]) % 4].split())
        images, seen = one_pass(dataset)
        numbers = images[:, 0, 0, 0].astype(int)
        numbered = zip(data.files(split), labels, strict=True)
        rows = {int(file[:3]): row for file, row in numbered}
        np.testing.assert_array_equal(seen, [rows[number] for number in numbers])
        np.testing.assert_array_equal(data.encoded_labels(split), labels)
    everything = data.counts().sum()
    assert everything["clear"] == 15 and everything["water"] == 7
    shares = data.counts().loc["valid"] / everything
    assert shares.between(0.15, 0.35).all()


def without_file(table):
    return pd.concat([table, pd.DataFrame({"id": ["x"], "breed": ["7"]})])


@pytest.mark.parametrize("hole", [np.nan, None, "", "  ", " , "])
def test_a_photo_may_have_none_of_several_labels(build, tmp_path, hole):
    words = [hole if n % 5 == 0 else ("road", "haze,road")[n % 2] for n in range(30)]
    table = pd.DataFrame({"id": breeds().id, "tags": words})
    table.to_csv(tmp_path / "tags.csv", index=False)
    options = {"label": "tags", "label_delimiter": ",", "test": 0.2, "max_train": 15}
    for given in (table, tmp_path / "tags.csv"):
        data = build(given, **options)
        assert data.class_names == ["haze", "road"]
        assert sum(len(data.files(split)) for split in data.splits) == 15 + 6 + 6
        for split in data.splits:
            empty = {int(file[:3]) % 5 == 0 for file in data.files(split)}
            rows = zip(data.files(split), data.labels(split), strict=True)
            assert empty == {True, False}
            assert all((int(f[:3]) % 5 == 0) == (not row.any()) for f, row in rows)


def test_a_table_without_any_label(build):
    with pytest.raises(ValueError, match="`table` must hold photos of at least two"):
        build(breeds().assign(breed=" "), label_delimiter=" ")


def test_rows_that_cannot_be_used_are_named(build):
    frame = breeds()
    empty = frame.copy()
    empty.loc[[4, 5], "breed"] = [None, "  "]
    nameless = frame.copy()
    nameless.loc[2, "id"] = np.nan
    lines = frame.assign(breed=["two\nlines", *frame.breed[1:]])
    doubled = pd.concat([frame, frame.breed], axis=1)
    many = frame.assign(id=[f"no{n}" for n in range(30)])
    twice = pd.concat([frame, frame[3:5]])
    paths = pd.concat([frame, frame[3:4].assign(id="./003")])
    lists = frame.assign(breed=[["cat", "dog"]] * len(frame))
    long = frame.assign(id=["x" * 300, *frame.id[1:]])
    cases = [
        (partial(build, lists), r"one text.*Received: \['cat', 'dog'\] in column"),
        (partial(build, long), "files that exist.*without 'xxx"),
        (partial(build, frame.to_dict()), "a DataFrame or an existing CSV file"),
        (partial(build, frame.to_numpy().tolist()), "a DataFrame or an existing CSV"),
        (partial(build, twice), "image once. Received: '003', '004' more than once"),
        (partial(build, paths), r"image once. Received: '\./003' more than once"),
        (partial(build, empty), "label in column 'breed'.*none for '004', '005'"),
        (partial(build, nameless), r"name in column 'id'.*none in row 2 \(from 0\)"),
        (partial(build, without_file(frame)), r"files that exist.*without 'x\.png'"),
        (partial(build, many), r"'no4\.png', \.\.\. \(30 in all\)"),
        (partial(build, frame[:0]), "`table` must have rows"),
        (partial(build, lines, label_delimiter=" "), "`table` must be non-empty names"),
        (
            partial(build, doubled),
            r"`label` must name a column.*\['id', 'breed', 'breed'",
        ),
        (partial(build, frame.assign(breed="cat")), r"two classes.*\['cat'\]"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "kind"}, r"`label` must name a column.*\['id', 'breed'\].*'kind'"),
        ({"image": "file"}, "`image` must name a column.*image='file'"),
        ({"suffix": ".jpg"}, "suffix='.jpg', without '000.jpg'"),
        ({"valid_fraction": 0}, "`valid_fraction` must be above 0 and below 1"),
        ({"test": 1.5}, "`test` must be above 0 and below 1. Received: test=1.5"),
        ({"test": 0.8}, "below 1 together. Received: valid_fraction=0.2, test=0.8"),
        ({"test": "nowhere"}, "`test` must be an existing directory"),
        ({"label_delimiter": ""}, "`label_delimiter` must be None or text"),
        ({"label_delimiter": " ", "label_mode": "int"}, "`label_mode` must be one of"),
        ({"label_mode": "multi_label"}, "`label_mode` must be one of 'int'"),
        ({"label_delimiter": " ", "oversample": True}, "`oversample` needs one label"),
        ({"seed": -1}, "`seed` must be None or"),
    ],
)
def test_wrong_arguments(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(breeds(), **options)


def test_no_table_and_no_folder(tmp_path):
    with pytest.raises(ValueError, match="`folder` must be an existing directory"):
        ImageData.from_table(breeds(), tmp_path / "none")
    with pytest.raises(ValueError, match="a DataFrame or an existing CSV file"):
        ImageData.from_table(tmp_path / "labels.csv", tmp_path)


def test_a_class_too_small_to_split_is_named(build):
    table = breeds()
    table.loc[0, "breed"] = "emu"
    with pytest.raises(ValueError, match="at least twice.*one of 'emu'"):
        build(table)


def test_a_test_folder_without_photos(build, tmp_path):
    with pytest.raises(ValueError, match=r"must hold images.*\(0 images\)"):
        build(breeds(), test=tmp_path)


@pytest.mark.parametrize("place", ["photos", ".", "photos/../photos"])
def test_photos_with_labels_are_no_test(build, folder, place):
    with pytest.raises(
        ValueError, match=r"`test` must be .*labelled ones: '.*000\.png'"
    ):
        build(breeds(), test=folder / place)


def marked(**columns):
    table = pd.DataFrame({"id": [f"{n:03}" for n in range(30)]})
    return table.assign(**columns)


def test_a_column_for_each_class(folder, tmp_path):
    cat = np.arange(30) % 3 == 0
    table = marked(cat=cat.astype(int), ape=(~cat).astype(float))
    table.to_csv(tmp_path / "labels.csv", index=False)
    for source in (table, tmp_path / "labels.csv", marked(cat=cat, ape=~cat)):
        data = ImageData.from_table(
            source,
            folder / "photos",
            "id",
            ["cat", "ape"],
            ".png",
            image_size=SIZE,
            seed=0,
        )
        assert data.class_names == ["cat", "ape"]  # as they were named
        assert data.label_mode is None
        for split in ("train", "valid"):
            numbers = [int(file.removesuffix(".png")) for file in data.files(split)]
            assert data.labels(split).tolist() == [int(n % 3 != 0) for n in numbers]


def test_columns_of_which_several_hold(folder):
    wet, dry = np.arange(30) % 2, np.arange(30) % 5 > 0
    data = ImageData.from_table(
        marked(wet=wet, dry=dry),
        folder / "photos",
        "id",
        ["dry", "wet"],
        ".png",
        image_size=SIZE,
        seed=0,
    )
    assert data.label_mode == "multi_label"
    for split in ("train", "valid"):
        rows = [int(file.removesuffix(".png")) for file in data.files(split)]
        expected = np.stack([dry[rows], wet[rows]], axis=1)
        np.testing.assert_array_equal(data.labels(split), expected)


@pytest.mark.parametrize(
    ("label", "delimiter", "message"),
    [
        (["a"], None, "`label` must be a column, or two or more"),
        (["a", "a"], None, "`label` must be a column, or two or more"),
        (["a", "b"], " ", "`label_delimiter` must be None where"),
        (["a", "c"], None, "`label` must name a column .*label='c'"),
        (["a", "odd"], None, "`table` must have 0 or 1 .*'0.5' in column 'odd', row 3"),
    ],
)
def test_columns_that_are_none(folder, label, delimiter, message):
    ones = np.arange(30) % 2
    odd = np.where(np.arange(30) == 3, 0.5, ones)
    table = marked(a=ones, b=1 - ones, odd=odd)
    with pytest.raises(ValueError, match=message):
        ImageData.from_table(
            table, folder / "photos", "id", label, ".png", label_delimiter=delimiter
        )

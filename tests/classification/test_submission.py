import gzip

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasdl.classification import Submission
from kerasdl.data import ImageData

SIZE = 4
IMAGES = np.zeros((12, SIZE, SIZE), np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Test photos c.png, d.e.png and x/a.png."""
    (tmp_path / "test" / "x").mkdir(parents=True)
    for name in ("c.png", "d.e.png", "x/a.png"):
        Image.new("RGB", (SIZE, SIZE)).save(tmp_path / "test" / name)
    (tmp_path / "train").mkdir()
    for number in range(12):
        path = tmp_path / "train" / f"{number}.png"
        Image.new("RGB", (SIZE, SIZE)).save(path)
    return tmp_path


def build(folder, labels, **options):
    table = pd.DataFrame({"id": range(12), "label": [*labels] * (12 // len(labels))})
    return ImageData.from_table(
        *(table, folder / "train"),
        suffix=".png",
        test=folder / "test",
        image_size=SIZE,
        valid_fraction=0.25,
        seed=1,
        **options,
    )


@pytest.fixture
def data(folder):
    return build(folder, ["cat", "dog", "owl"])


@pytest.fixture
def tagged(folder):
    return build(folder, ["clear road", "haze", "road"], label_delimiter=" ")


PROBABILITIES = np.array(
    [[0.7, 0.2, 0.1], [0.125, 0.25, 0.625], [0.0, 1.0, 0.0]], "float32"
)


def test_a_column_for_each_class(data, folder):
    Submission(data, PROBABILITIES).write(folder / "out.csv")
    assert (folder / "out.csv").read_text().splitlines() == [
        "id,cat,dog,owl",
        "c,0.7,0.2,0.1",
        "d.e,0.125,0.25,0.625",
        "a,0.0,1.0,0.0",
    ]


def test_rows_of_another_order_are_put_right(data):
    files = ["x/a.png", "c.png", "d.e.png"]
    submission = Submission(data, PROBABILITIES[[2, 0, 1]], files)
    assert submission.ids == ["c", "d.e", "a"]
    np.testing.assert_array_equal(submission.probabilities, PROBABILITIES)


def test_the_most_probable_class(data, folder):
    Submission(data, PROBABILITIES).write(
        folder / "out.csv", "label", id_column="image", label_column="breed"
    )
    table = pd.read_csv(folder / "out.csv")
    assert list(table.columns) == ["image", "breed"]
    assert table.breed.tolist() == ["cat", "owl", "dog"]


def test_tags_above_their_thresholds(tagged):
    assert tagged.class_names == ["clear", "haze", "road"]
    probabilities = np.array([[0.9, 0.1, 0.6], [0.4, 0.1, 0.45], [0.2, 0.2, 0.2]])
    submission = Submission(tagged, probabilities)
    table = submission.to_frame("tags", label_column="tags")
    assert table.tags.tolist() == ["clear road", "road", "clear"]
    own = submission.to_frame("tags", thresholds=np.array([0.95, 0.05, 0.3]))
    assert own.label.tolist() == ["haze road", "haze road", "haze"]
    # Rows need not sum to one, and the columns may be asked for as well.
    assert submission.to_frame().shape == (3, 4)


def test_compressed_is_the_same_table(data, folder):
    submission = Submission(data, PROBABILITIES)
    submission.write(folder / "plain.csv")
    submission.write(folder / "one.csv.gz", compression="gzip")
    submission.write(folder / "two.csv.gz", compression="gzip")
    content = (folder / "one.csv.gz").read_bytes()
    assert gzip.decompress(content) == (folder / "plain.csv").read_bytes()
    again = gzip.decompress((folder / "two.csv.gz").read_bytes())
    assert again == gzip.decompress(content)
    pd.testing.assert_frame_equal(
        pd.read_csv(folder / "one.csv.gz"), pd.read_csv(folder / "plain.csv")
    )


def test_an_existing_file_is_kept_unless_told_otherwise(data, folder):
    submission = Submission(data, PROBABILITIES)
    (folder / "out.csv").write_text("mine")
    with pytest.raises(ValueError, match=r"`path` must not exist.*overwrite=True"):
        submission.write(folder / "out.csv")
    assert (folder / "out.csv").read_text() == "mine"
    submission.write(folder / "out.csv", overwrite=True)
    assert len(pd.read_csv(folder / "out.csv")) == 3
    assert not list(folder.glob(".*"))


def test_one_sigmoid_unit_and_a_labelled_split(folder):
    data = build(folder, ["cat", "dog"])
    submission = Submission(data, np.array([[0.25], [0.5], [1]]))
    np.testing.assert_array_equal(
        submission.probabilities, [[0.75, 0.25], [0.5, 0.5], [0, 1]]
    )
    assert submission.to_frame("label").label.tolist() == ["cat", "cat", "dog"]
    valid = Submission(data, np.full((4, 1), 0.5), split="valid")
    assert valid.ids == [file.removesuffix(".png") for file in data.files("valid")]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["c.png", "d.e.png", "d.e.png"], r"without 'x/a\.png'"),
        (["c.png", "d.e.png", "a.png"], r"without 'x/a\.png'"),
        (["c.png", "d.e.png", "x/a.png", "c.png"], r"more than once 'c\.png'"),
        (["c.png", "d.e.png", "x/a.png", "f.png"], r"unknown 'f\.png'"),
    ],
)
def test_every_file_once(data, files, message):
    probabilities = PROBABILITIES[[0, 1, 2, 0][: len(files)]]
    with pytest.raises(ValueError, match=message):
        Submission(data, probabilities, files)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:2], r"row for each file.*shape \(2, 3\) for 3 files"),
        (lambda p: p[:, :2], r"column for each class.*3 classes"),
        (lambda p: p[0], "row for each file"),
        (lambda p: p * np.array([[1], [np.nan], [1]]), r"in \[0, 1\].*1 other.*'d\.e"),
        (lambda p: p * [[1], [1], [2]], r"in \[0, 1\].*for 'x/a\.png'"),
        (lambda p: p - [[0.5], [0], [0]], r"in \[0, 1\]"),
        (lambda p: p * [[1], [0.99], [1]], r"rows that sum to 1.*'d\.e\.png'"),
    ],
)
def test_values_that_are_no_probabilities(data, change, message):
    with pytest.raises(ValueError, match=message):
        Submission(data, change(PROBABILITIES))


def test_files_with_the_same_id(folder):
    Image.new("RGB", (SIZE, SIZE)).save(folder / "test" / "a.jpg")
    with pytest.raises(ValueError, match="their ids. Received: 'a' more than once"):
        Submission(build(folder, ["cat", "dog"]), np.full((4, 2), 0.5))


def test_answers_that_do_not_fit_the_data(data, tagged, folder):
    single = Submission(data, PROBABILITIES)
    several = Submission(tagged, PROBABILITIES)
    with pytest.raises(ValueError, match="`answer` must be 'tags' for data with sev"):
        single.write(folder / "out.csv", "tags")
    with pytest.raises(ValueError, match="Received: answer='label'"):
        several.to_frame("label")
    with pytest.raises(ValueError, match="`answer` must be one of 'probabilities'"):
        single.to_frame("classes")
    with pytest.raises(ValueError, match=r"`thresholds` must be one.*shape \(2,\)"):
        several.to_frame("tags", thresholds=np.zeros(2))
    with pytest.raises(ValueError, match="`compression` must be one of None, 'gzip'"):
        single.write(folder / "out.csv", compression="zip")
    assert not (folder / "out.csv").exists()


def test_tags_with_spaces(folder):
    data = build(folder, ["a b,c", "c"], label_delimiter=",")
    with pytest.raises(ValueError, match="must have none themselves. Received: 'a b'"):
        Submission(data, np.full((3, 2), 0.5)).to_frame("tags")


def test_a_split_that_is_not_there():
    data = ImageData.from_arrays(IMAGES, np.arange(12) % 2, seed=1)
    with pytest.raises(ValueError, match="`split` must be one of 'train', 'valid'"):
        Submission(data, PROBABILITIES)

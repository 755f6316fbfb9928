"""Every argument of the three flows: what it does in the legacy class, or an error."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tensorflow.keras.preprocessing.image import ImageDataGenerator as Legacy

from kerasdl.data.generator import ImageDataGenerator


def images(shape=(12, 12, 3)):
    return np.random.default_rng(0).uniform(0, 255, (8, *shape)).astype("float32")


def arguments(function, *leave_out):
    return {*inspect.signature(function).parameters} - {"self", *leave_out}


def assert_same_batches(ours, theirs, tolerance=1e-3):
    assert len(ours) == len(theirs)
    for _ in range(len(theirs)):
        assert_same(next(ours), next(theirs), tolerance)


def assert_same(ours, theirs, tolerance):
    assert type(ours) is type(theirs)
    if isinstance(ours, (tuple, list)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b, tolerance)
        return
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


LABELS = np.array([0, 1] * 4)
ARRAYS = {"x": images(), "y": LABELS, "shuffle": False}
EXTRA = np.arange(16).reshape(8, 2)
FLOW = {
    "x": (
        {},
        [(images(), EXTRA), [images(), [EXTRA, LABELS]], images(shape=(5, 7, 1))],
    ),
    "y": ({}, [None, np.eye(8)]),
    "batch_size": ({}, [3, 8]),
    "sample_weight": ({}, [np.linspace(0, 1, 8)]),
    "ignore_class_split": ({"y": LABELS > 0, "subset": "training"}, [True]),
    "subset": ({}, ["training", "validation"]),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, v) for name, (_, values) in FLOW.items() for v in values]
)
def test_flow_argument_does_what_it_does_in_the_legacy_class(name, value):
    kwargs = ARRAYS | FLOW[name][0] | {name: value}
    generators = (c(validation_split=0.3) for c in (ImageDataGenerator, Legacy))
    ours, theirs = (generator.flow(**kwargs) for generator in generators)
    assert ours.n == theirs.n
    assert_same_batches(ours, theirs)


def test_every_flow_argument_is_covered():
    elsewhere = {
        "shuffle": "test_generator.py, test_order_and_draws_follow_the_seed",
        "seed": "test_generator.py, test_order_and_draws_follow_the_seed",
        "save_to_dir": "test_saved_images",
        "save_prefix": "test_saved_images",
        "save_format": "test_saved_images",
    }
    for cls in (ImageDataGenerator, Legacy):
        assert arguments(cls.flow) == {*FLOW, *elsewhere}


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"x": images()[0]}, "`x` must be images .*shape"),
        ({"x": images()[:0], "y": None}, "`x` must be images"),
        ({"y": LABELS[:5]}, "`y` must have one row per image"),
        ({"sample_weight": np.ones(3)}, "`sample_weight` must have one row"),
        (
            {"y": None, "sample_weight": np.ones(8)},
            "`sample_weight` must come with `y`",
        ),
        ({"x": (images(), EXTRA[:2])}, re.escape("`x[1][0]` must have one row")),
        ({"y": np.array([-np.inf, *range(7)])}, "`y` must be finite.* -inf in row 0"),
        (
            {"sample_weight": np.array([1.0] * 7 + [np.nan])},
            "`sample_weight` must be finite.* nan in row 7",
        ),
        ({"batch_size": 0}, "`batch_size` must be"),
        ({"subset": "test"}, "`subset` must be one of"),
        (
            {"subset": "training", "y": np.arange(8)},
            "`y` must have every class on both",
        ),
        ({"seed": -1}, "`seed` must be"),
        ({"save_to_dir": "/no/such/folder"}, "`save_to_dir` must be an existing"),
        ({"save_format": "doc"}, "`save_format` must be one of"),
    ],
)
def test_flow_refuses(kwargs, match):
    with pytest.raises(ValueError, match=match):
        ImageDataGenerator(validation_split=0.3).flow(**ARRAYS | kwargs)


def test_subset_needs_a_split():
    with pytest.raises(ValueError, match="`subset` must be None without"):
        ImageDataGenerator().flow(**ARRAYS, subset="training")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Class folders of PNG files of 12x12, nested, and files that are no images."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(1)
    for folder, names in {
        "b": ["2.png", "10.PNG", "1.png", "notes.txt"],
        "a": ["x.png", "y.png", "z.webp", ".hidden.png"],
        "a/deep": ["0.png", "w.png"],
        "elsewhere/c": ["1.png"],
    }.items():
        (root / "data" / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            pixels = rng.integers(0, 256, (12, 12, 4), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "data" / folder / name, "PNG")
    (root / "linked").mkdir()
    (root / "linked" / "a").mkdir()
    (root / "linked" / "a" / "link").symlink_to(root / "data" / "a")
    smooth = np.add.outer(np.linspace(0, 200, 20), np.linspace(0, 55, 26))
    (root / "smooth" / "a").mkdir(parents=True)
    Image.fromarray(np.stack([smooth] * 3, -1).astype(np.uint8)).save(
        root / "smooth" / "a" / "1.png"
    )
    return root


DIRECTORY = {"directory": "data", "target_size": (12, 12), "shuffle": False}
# Argument: (what it stands beside, values, tolerance in levels of 255).
FROM_DIRECTORY = {
    "directory": ({}, ["data"], 1e-3),
    "target_size": ({"directory": "smooth"}, [(20, 26), [40, 52]], 5.0),
    "color_mode": ({}, ["rgb", "rgba", "grayscale"], 1.0),
    "classes": ({}, [["b", "a"], ["b"], ["."]], 1e-3),
    "class_mode": (
        {"classes": ["a", "b"]},
        ["categorical", "binary", "sparse", "input", None],
        1e-3,
    ),
    "batch_size": ({}, [2, 5], 1e-3),
    "follow_links": ({"directory": "linked"}, [True], 1e-3),
    "subset": ({}, ["training", "validation"], 1e-3),
    "keep_aspect_ratio": (
        {"directory": "smooth", "target_size": (44, 13), "interpolation": "bilinear"},
        [False, True],
        3.0,
    ),
}
ELSEWHERE_IN_FILES = {
    "shuffle": "test_generator.py, test_order_and_draws_follow_the_seed",
    "seed": "test_generator.py, test_order_and_draws_follow_the_seed",
    "save_to_dir": "test_saved_images",
    "save_prefix": "test_saved_images",
    "save_format": "test_saved_images",
}


def directory_flows(photos, **kwargs):
    kwargs = DIRECTORY | kwargs
    kwargs["directory"] = str(photos / kwargs["directory"])
    generators = (c(validation_split=0.4) for c in (ImageDataGenerator, Legacy))
    return [generator.flow_from_directory(**kwargs) for generator in generators]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, (_, vs, _) in FROM_DIRECTORY.items() for value in vs],
)
def test_directory_argument_does_what_it_does_in_the_legacy_class(name, value, photos):
    beside, _, tolerance = FROM_DIRECTORY[name]
    ours, theirs = directory_flows(photos, **beside, **{name: value})
    for attribute in (
        "filenames",
        "filepaths",
        "class_indices",
        "num_classes",
        "samples",
        "n",
        "image_shape",
        "batch_size",
        "class_mode",
        "color_mode",
        "target_size",
    ):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    np.testing.assert_array_equal(ours.classes, theirs.classes)
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    assert_same_batches(ours, theirs, tolerance)


def test_interpolation_is_the_kernel_of_that_name(tmp_path):
    (tmp_path / "noise").mkdir()
    noise = np.random.default_rng(2).integers(0, 256, (20, 26, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise" / "1.png")

    def resized(cls, name):
        flow = cls(interpolation_order=0).flow_from_directory(
            tmp_path, target_size=(36, 38), class_mode=None, interpolation=name
        )
        return next(flow)

    names = ("nearest", "bilinear", "bicubic", "lanczos")
    for name in names:
        image = resized(ImageDataGenerator, name)
        gaps = {n: np.abs(image - resized(Legacy, n)).mean() for n in names}
        assert min(gaps, key=gaps.get) == name
        # OpenCV's cubic is sharper than Pillow's, its Lanczos window wider.
        assert gaps[name] <= {"nearest": 0, "bilinear": 1}.get(name, 10)


def test_every_directory_argument_is_covered():
    covered = {*FROM_DIRECTORY, *ELSEWHERE_IN_FILES, "interpolation"}
    assert arguments(Legacy.flow_from_directory) == covered
    ours = ImageDataGenerator.flow_from_directory
    assert arguments(ours, "max_pixels") == covered


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"directory": "nothing"}, "`directory` must be an existing directory"),
        ({"classes": ["a", "z"]}, "`classes` must be an existing directory"),
        ({"class_mode": "raw"}, "`class_mode` must be one of"),
        ({"class_mode": "binary"}, "'binary' must have two classes. Received: 3"),
        ({"color_mode": "hsv"}, "`color_mode` must be one of"),
        ({"target_size": (0, 12)}, "`target_size` must be"),
        ({"interpolation": "box"}, "`interpolation` must be one of"),
        ({"subset": "test"}, "`subset` must be one of"),
    ],
)
def test_directory_refuses(kwargs, match, photos):
    kwargs = DIRECTORY | kwargs
    kwargs["directory"] = photos / kwargs["directory"]
    with pytest.raises(ValueError, match=match):
        ImageDataGenerator().flow_from_directory(**kwargs)


def table():
    return pd.DataFrame(
        {
            "filename": ["b/1.png", "a/y.png", "b/10.PNG", "a/deep/w.png", "b/2.png"],
            "class": ["two", "one", "two", "one", "one"],
            "several": [["u", "v"], ["v"], ["w"], ["u", "v", "w"], ["u"]],
            "age": [3.5, 1.0, 2.0, 0.5, 4.0],
            "height": [1, 2, 3, 4, 5],
            "three": ["k", "l", "m", "k", "l"],
        }
    )


def renamed():
    return table().rename(columns={"filename": "path"})


def with_age(age):
    return table().assign(age=[3.5, age, 2.0, 0.5, 4.0])


RAW = {"class_mode": "raw", "y_col": "age"}


def with_missing():
    wrong = pd.DataFrame({"filename": ["b/no.png", "b/notes.txt"], "class": "two"})
    return pd.concat([table(), wrong])


DATAFRAME = {
    "dataframe": table(),
    "directory": "data",
    "target_size": (12, 12),
    "shuffle": False,
}
FROM_DATAFRAME = {
    "dataframe": ({}, [table(), with_missing()]),
    "directory": ({}, ["data"]),
    "x_col": ({"dataframe": renamed()}, ["path"]),
    "y_col": ({}, ["three", "several"]),
    "weight_col": ({}, ["age"]),
    "target_size": ({}, [(12, 12)]),
    "color_mode": ({}, ["rgba"]),
    "classes": ({"y_col": "several"}, [["w", "u"], ["v"]]),
    "class_mode": ({}, ["categorical", "binary", "sparse", "input", None]),
    "batch_size": ({}, [2]),
    "subset": ({}, ["training", "validation"]),
    "interpolation": ({}, ["bilinear"]),
    "validate_filenames": ({}, [False]),
}
TARGETS = [
    {"class_mode": "raw", "y_col": "age"},
    {"class_mode": "raw", "y_col": ["age", "height"]},
    {"class_mode": "multi_output", "y_col": ["age", "height"]},
    {"class_mode": "multi_output", "y_col": ["age"], "weight_col": "height"},
    {"class_mode": "sparse", "y_col": "three", "classes": ["m", "k"]},
    {"class_mode": "binary", "y_col": "three", "classes": ["m", "k"]},
]


@pytest.mark.filterwarnings("ignore:Found 2 invalid", "ignore:left out 2 of 7 rows")
@pytest.mark.parametrize(
    "kwargs",
    [
        beside | {name: value}
        for name, (beside, values) in FROM_DATAFRAME.items()
        for value in values
    ]
    + TARGETS,
    ids=str,
)
def test_dataframe_argument_does_what_it_does_in_the_legacy_class(kwargs, photos):
    kwargs = DATAFRAME | kwargs
    kwargs["directory"] = str(photos / kwargs["directory"])
    ours, theirs = (
        cls(validation_split=0.4).flow_from_dataframe(**kwargs)
        for cls in (ImageDataGenerator, Legacy)
    )
    for attribute in ("filenames", "filepaths", "samples", "n"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    if hasattr(theirs, "class_indices"):
        assert ours.class_indices == theirs.class_indices
        assert ours.classes == theirs.classes
    assert_same_batches(ours, theirs)


def test_every_dataframe_argument_is_covered():
    covered = {*FROM_DATAFRAME, *ELSEWHERE_IN_FILES}
    ours = ImageDataGenerator.flow_from_dataframe
    assert arguments(ours, "max_pixels") == covered
    # Its `kwargs` are switches that do nothing any more: for ours Python raises.
    assert arguments(Legacy.flow_from_dataframe, "kwargs") == covered
    with pytest.raises(TypeError, match="drop_duplicates"):
        ImageDataGenerator().flow_from_dataframe(table(), drop_duplicates=True)


@pytest.mark.filterwarnings("ignore:left out")
@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"class_mode": "other"}, "`class_mode` must be one of"),
        ({"x_col": "path"}, "`x_col` must name columns of `dataframe`"),
        ({"x_col": "age"}, "`x_col` must be a column of str. .* holds 3.5"),
        ({"y_col": "age"}, "`y_col` must be a column of str or list or tuple"),
        (
            {"y_col": "several", "class_mode": "sparse"},
            "`y_col` must be a column of str",
        ),
        ({"class_mode": "multi_output"}, "`y_col` must be a list for class_mode="),
        ({"class_mode": "categorical", "y_col": ["age"]}, "`y_col` must be a str"),
        ({"class_mode": "raw", "y_col": ["age", "x"]}, "`y_col` must name columns"),
        ({"class_mode": "binary", "y_col": "three"}, "'binary' must have two classes"),
        ({"weight_col": "class"}, "`weight_col` must be a column of numbers"),
        ({"weight_col": "age", "class_mode": None}, "`weight_col` must be .* beside"),
        ({"class_mode": "raw", "classes": ["u"]}, "`classes` must be None"),
        ({"directory": "linked"}, "A flow must have at least one image"),
        ({"dataframe": "photos.csv"}, "`dataframe` must be a pandas DataFrame"),
        ({"dataframe": table().iloc[:0]}, "A flow must have at least one image"),
        ({"dataframe": with_age(np.nan), **RAW}, "`y_col` .* finite.* nan in row 1"),
        ({"dataframe": with_age(-np.inf), **RAW}, "`y_col` .* finite.* -inf in row 1"),
        (
            {"dataframe": with_age(np.nan), "weight_col": "age"},
            "`weight_col` must be a column with a finite value .* nan in row 1",
        ),
        (
            {"dataframe": table().assign(three=[["a", 1]] * 5), "y_col": "three"},
            "`y_col` must be a column of str. .* holds 1",
        ),
        (
            {"dataframe": table().assign(three=["a\nb"] * 5), "y_col": "three"},
            "`y_col` must be non-empty names of one line",
        ),
        (
            {"dataframe": pd.concat([table(), table()[["age"]]], axis=1), **RAW},
            "`y_col` must name columns of `dataframe`, each there once",
        ),
    ],
)
def test_dataframe_refuses(kwargs, match, photos):
    kwargs = DATAFRAME | kwargs
    kwargs["directory"] = photos / kwargs["directory"]
    with pytest.raises(ValueError, match=match):
        ImageDataGenerator().flow_from_dataframe(**kwargs)


def test_rows_without_an_image_are_named(photos):
    with pytest.warns(UserWarning, match="left out 2 of 7 rows.*b/no.png, b/notes.txt"):
        flow = ImageDataGenerator().flow_from_dataframe(with_missing(), photos / "data")
    assert flow.samples == 5


@pytest.mark.parametrize("source", ["flow", "directory", "dataframe"])
def test_saved_images(source, photos, tmp_path):
    saved = {}
    for name, cls in {"ours": ImageDataGenerator, "theirs": Legacy}.items():
        folder = tmp_path / name
        folder.mkdir()
        saving = {"save_to_dir": folder, "save_prefix": "view", "save_format": "png"}
        generator = cls(rescale=1 / 255)
        if source == "flow":
            flow = generator.flow(**ARRAYS | {"y": None}, batch_size=3, **saving)
        elif source == "directory":
            kwargs = DIRECTORY | {"directory": photos / "data", "batch_size": 3}
            flow = generator.flow_from_directory(**kwargs, **saving)
        else:
            kwargs = DATAFRAME | {"directory": photos / "data", "batch_size": 3}
            flow = generator.flow_from_dataframe(**kwargs, **saving)
        next(flow)
        files = sorted(folder.iterdir())
        for i, file in enumerate(files):
            assert re.fullmatch(rf"view_{i}_\d+\.png", file.name)
        saved[name] = np.stack([np.asarray(Image.open(file)) for file in files])
    assert len(saved["ours"]) == 3
    np.testing.assert_array_equal(saved["ours"], saved["theirs"])

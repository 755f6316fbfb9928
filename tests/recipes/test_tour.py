"""Tours: a section runs as it stands, is printed, and becomes a part of one page."""

import argparse
import re

import numpy as np
import pytest

TINY = '''
"""A tour of two sections."""
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from _tour import Pictures


def _helper(x):
    return 2 * x


def numbers(seed):
    """What numbers do."""
    x = np.array([1.0, 2.5])
    # Twice as much.
    _helper(x)
    [1, 2]
    x[0]
    {"a": 0.5}
    "<b>"
    seed


def pictures(grey):
    """A table, a chart and pictures."""
    pd.DataFrame({"a": [1.5]}, ["row"])
    figure = Figure(figsize=(2, 1))
    figure.set_label("Nothing drawn")
    figure
    Pictures({"the grey, half": grey / 2, "a mask": grey > 128})
    last = 1
'''


@pytest.fixture
def tour(monkeypatch, tmp_path, recipes_path):
    import _tour

    (tmp_path / "tiny.py").write_text(TINY)
    monkeypatch.setattr(_tour, "FOLDER", tmp_path)
    return _tour


def parsed(tour, tmp_path, *argv):
    parser = tour.tour_parser("A tour.")
    out = ["--out", str(tmp_path / "run"), "--seed", "5"]
    return tour.parse_tour(parser, [*out, *argv], "tiny", ["tiny"])


def test_sections_run_line_by_line(tour, tmp_path, capsys):
    args, sections = parsed(tour, tmp_path)
    grey = np.tile(np.uint8([[0, 200]]), (40, 20))
    values = tour.walk(args, sections, "Tiny", grey=lambda: grey)
    assert [name for name, _ in values["numbers"]] == [
        "_helper(x)",
        "[1, 2]",
        "x[0]",
        '{"a": 0.5}',
        '"<b>"',
        "seed",
    ]
    assert values["numbers"][-1][1] == 5
    out = capsys.readouterr().out
    assert re.search(r"# Twice as much.\n_helper\(x\)\n +\[2. 5.\]\n", out)
    assert re.search(r"^\[1, 2\] +\[1, 2\]$", out, re.M)
    assert re.search(r"^x\[0\] +1$", out, re.M)
    files = {path.name for path in (tmp_path / "run").iterdir()}
    pictures = {"pictures_the_grey_half.png", "pictures_a_mask.png", "pictures_1.png"}
    assert files == {"tour.html", "manifest.json", *pictures}

    import cv2

    mask = cv2.imread(str(tmp_path / "run" / "pictures_a_mask.png"))
    assert mask.shape == (160, 160, 3)  # enlarged, each pixel as it is
    np.testing.assert_array_equal(np.unique(mask), [0, 255])
    page = (tmp_path / "run" / "tour.html").read_text(encoding="utf-8")
    assert '<pre class="result">&lt;b&gt;</pre>' in page
    assert page.count("data:image/") == 3
    assert "<code>last = 1</code>" in page
    # What the lines use stands there too, once, and no other section.
    assert page.count("def _helper(x):\n    return 2 * x") == 1
    assert "def pictures" not in page


def test_one_section_alone(tour, tmp_path):
    args, sections = parsed(tour, tmp_path, "--section", "numbers")
    # What no section needs is not made.
    values = tour.walk(args, sections, "Tiny", grey=lambda: 1 / 0)
    assert list(values) == ["numbers"]


def test_list_names_the_sections(tour, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        parsed(tour, tmp_path, "--list")
    assert not end.value.code
    assert capsys.readouterr().out.split("\n")[:2] == [
        f"{'numbers':<24} What numbers do.",
        f"{'pictures':<24} A table, a chart and pictures.",
    ]


def test_bad_input_leaves_no_folder(tour, tmp_path):
    message = "`section` must be one of numbers, pictures. Received: section='sums'"
    with pytest.raises(ValueError, match=f"{message}. --list says what they are."):
        parsed(tour, tmp_path, "--section", "numbers", "sums")
    with pytest.raises(ValueError, match="'number'. Did you mean 'numbers'?"):
        parsed(tour, tmp_path, "--section", "number")
    args, sections = parsed(tour, tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "small.png").write_bytes(png(np.zeros((8, 40, 3), "uint8")))
    (tmp_path / "long.png").write_bytes(png(np.zeros((64, 1280, 3), "uint8")))
    (tmp_path / "flat.png").write_bytes(png(np.full((64, 64), 9, "uint8")))
    for name, words in (
        ("text.png", "not an image"),
        ("small.png", r"least 64x64 pixels.* Received: image='.*' \(40x8\)$"),
        ("long.png", r"least 64x64 pixels.* \(1280x64\), 640x32 of them"),
        ("flat.png", r"must show something. Received: image='.*' \(64x64\)"),
        ("none.png", "unreadable"),
    ):
        path = tmp_path / name
        with pytest.raises(ValueError, match=words):
            tour.walk(
                args,
                sections,
                "Tiny",
                grey=lambda path=path: tour.sample_photo(path, "flower.jpg"),
            )
    assert not list(tmp_path.glob("run*"))


def test_what_no_section_takes_is_refused(tour, tmp_path):
    parser = tour.tour_parser("A tour.")
    parser.add_argument("--image")
    argv = ["--out", str(tmp_path / "run"), "--image", "photo.png"]
    options = {"image": "grey"}
    assert tour.parse_tour(parser, argv, "tiny", ["tiny"], options)
    message = "`image` must be left out where .* image='photo.png' for numbers$"
    with pytest.raises(ValueError, match=message):
        argv += ["--section", "numbers"]
        tour.parse_tour(parser, argv, "tiny", ["tiny"], options)


def test_a_section_named_twice_runs_once(tour, tmp_path):
    _, sections = parsed(tour, tmp_path, "--section", *["numbers"] * 2)
    assert [section.name for section in sections] == ["numbers"]


def test_a_photo_is_made_small_enough(tour, tmp_path):
    pixels = np.full((128, 1280), 90, "uint8")
    pixels[64:] = 91
    (tmp_path / "grey.png").write_bytes(png(pixels))
    photo = tour.sample_photo(tmp_path / "grey.png", "flower.jpg")
    assert photo.shape == (64, 640, 3)
    assert np.all(photo[:32] == 90)
    assert np.all(photo[32:] == 91)


@pytest.mark.parametrize("kind", ["grey", "alpha", "16 bits"])
def test_other_kinds_of_pictures_are_photos_too(tour, tmp_path, kind):
    grey = np.tile(np.arange(80, dtype="uint8"), (70, 1))
    made = {
        "grey": grey,
        "alpha": np.dstack([grey, grey, grey, np.full_like(grey, 99)]),
        "16 bits": grey.astype("uint16") * 257,
    }
    (tmp_path / "photo.png").write_bytes(png(made[kind]))
    photo = tour.sample_photo(tmp_path / "photo.png", "flower.jpg")
    np.testing.assert_array_equal(photo, np.dstack([grey] * 3))


def png(pixels):
    import cv2

    return cv2.imencode(".png", pixels)[1].tobytes()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.1), "0.1"),
        ((2, 3), "(2, 3)"),
        ([np.eye(2), 1.5], "[[1. 0.]\n [0. 1.]]\n1.5"),
        ([0.25, 1e-9], "0.25, 1e-09"),
        ({"a": (1, 2)}, "a: (1, 2)"),
        (np.array(1 / 3), "0.33333"),
        (True, "True"),
        (argparse.Namespace(a=1), "Namespace(a=1)"),
    ],
)
def test_values_as_text(recipes_path, value, text):
    import _tour

    assert _tour.as_text(value) == text

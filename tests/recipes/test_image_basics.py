"""The course's chapter on image processing, by OpenCV and by layers."""

import re

import pytest

# By section: expressions of the tour and what the lesson gives for them.
LESSON = {
    "rgb": {
        "COLOURS": {
            "black": (0, 0, 0),
            "red": (255, 0, 0),
            "yellow": (255, 255, 0),
            "white": (255, 255, 255),
            "dark": (20, 20, 20),
            "light grey": (200, 200, 200),
        }
    },
    "hsv": {
        'cv2.cvtColor(np.uint8([[COLOURS["yellow"]]]), cv2.COLOR_RGB2HSV)[0, 0]': [
            30,
            255,
            255,
        ]
    },
    "a_grey_by_hand": {
        "0.3 * r + 0.59 * g + 0.11 * b": 124.5,
        "(30 * r + 59 * g + 11 * b) // 100": 124,
        "(77 * r + 151 * g + 28 * b) >> 8": 124,
        "(77 + 151 + 28) * 255 >> 8": 255,
        "(r + g + b) / 3": 116.6667,
        "g": 100,
    },
    "mean_filter": {
        "round((around.sum() - 29) / 8)": 148,
        "cv2.blur(around, (3, 3))[1, 1]": 1209 / 9,
        "np.median(around)": 147,
    },
    "edges": {
        "[_by_opencv(kernels[0], step)[1, 1:3] for kernels in three]": [
            [0, 100],
            [300, 300],
            [400, 400],
        ]
    },
}


@pytest.fixture(scope="module")
def tour(take_tour):
    return take_tour("image_basics")


@pytest.mark.parametrize("section", LESSON)
def test_a_section_gives_what_the_lesson_does(tour, shows, section):
    shows(tour[1][section], LESSON[section])


def test_hue_saturation_value(tour):
    table = next(v for v in tour[1]["hsv"].values() if hasattr(v, "columns"))
    assert table["red"].tolist() == [0, 100, 100]
    assert table["yellow"].tolist() == [60, 100, 100]
    assert table["white"].tolist() == [0, 0, 100]
    assert table["black"].tolist() == [0, 0, 0]
    assert table["dark"].tolist() == [0, 0, 8]
    assert table["light grey"].tolist() == [0, 0, 78]


def test_three_greys_are_opencv_s(tour):
    differences = next(iter(tour[1]["five_greys"].values()))
    assert list(differences) == ["floats", "whole numbers", "shift", "mean", "green"]
    for name in ("floats", "whole numbers", "shift"):
        assert differences[name] <= 1


def test_each_linear_filter_is_a_layer(tour):
    by_filter2d, by_function, by_colour = tour[1]["filters_as_layers"].values()
    assert {
        "Roberts 1",
        "Roberts 2",
        "Prewitt x",
        "Prewitt y",
        "Sobel x",
        "Sobel y",
    } < (set(by_filter2d))
    for differences in (by_filter2d, by_function):
        assert max(differences.values()) < 1e-4
    assert by_colour < 1e-4


def test_the_filter_fits_the_noise(tour):
    table, by_formula, _ = tour[1]["noise_and_filters"].values()
    salt, gauss = table.columns
    assert table[salt].idxmax() == "median 3x3"
    assert table[gauss].idxmax() == "bilateral 7"
    assert by_formula == pytest.approx(table.loc["none", salt], abs=0.01)


def test_what_opencv_does_is_done_by_hand(tour):
    shown = tour[1]
    assert next(iter(shown["equalise"].values())) == 0
    for section, expression in (
        ("sharpening", "np.abs(sharp - (x - cv2.Laplacian(x, cv2.CV_32F))).max()"),
        ("brightness_contrast_saturation", None),
    ):
        found = shown[section]
        value = found[expression] if expression else list(found.values())[-1]
        assert value < 1e-2
    for expression, value in shown["morphology"].items():
        assert "array_equal" not in expression or value
    eroded, dilated = (
        shown["a_small_shape"][f"cv2.{name}(shape, ones)"]
        for name in ("erode", "dilate")
    )
    assert (eroded.sum(), dilated.sum()) == (1, 25)


def test_features(tour):
    shown = tour[1]
    assert next(iter(shown["hog_features"].values()))
    (flat, dark_at_the_right), shares, _ = shown["lbp_features"].values()
    assert (flat, dark_at_the_right) == (255, 255 - 1 - 2 - 128)
    assert sum(shares) == pytest.approx(1)
    assert all(next(iter(shown["gabor_filters"].values())).values())
    for section, length in (("orb_features", 32), ("sift_features", 128)):
        described, (right, count), _ = shown[section].values()
        assert described[1] == length
        assert right > 0.9 * count == 45


def test_the_page_has_every_section_and_picture(tour):
    folder, shown = tour
    page = (folder / "tour.html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    files = {path.name for path in folder.glob("*.png")}
    pictures = {"edges_Canny.png", "equalise_CLAHE.png", "hog_features_HOG.png"}
    assert pictures | {"lbp_features_LBP.png", "orb_features_matches.png"} <= files
    assert page.count("<img") == len(files)
    assert set(re.findall('<h2 id="[^"]*">([^<]*)<', page)) == {
        name.replace("_", " ") for name in shown
    }


def test_the_extra_is_named(recipes_path, monkeypatch):
    import runpy
    import sys

    main = runpy.run_path(str(recipes_path / "image_basics.py"))["main"]
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ImportError, match=r"kerasdl\[tours\]"):
        main(["--section", "rgb"])

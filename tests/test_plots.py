import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from PIL import Image

from kerasdl import plots

RED, GREEN = (
    np.full((9, 12, 3), colour, np.uint8) for colour in ([255, 0, 0], [0, 255, 0])
)


def picture(path):
    return np.asarray(Image.open(path).convert("RGB"))


def shows(path, colour):
    return (picture(path) == colour).all(axis=-1).any()


def rows(stage, epochs):
    return [
        {
            "stage": stage,
            "epoch": epoch,
            "loss": 1 / epoch,
            "accuracy": 1 - 0.5 / epoch,
            "val_loss": 1.2 / epoch,
            "val_accuracy": 1 - 0.6 / epoch,
        }
        for epoch in range(1, epochs + 1)
    ]


def test_smooth_is_the_recursive_exponential_mean_of_pandas():
    points = np.random.default_rng(0).normal(size=50)
    expected = pd.Series(points).ewm(alpha=0.2, adjust=False).mean()
    np.testing.assert_allclose(plots.smooth(points), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "history",
    [
        pd.DataFrame(
            [*rows("scratch", 20), *rows("frozen", 3), *rows("fine_tuned", 1)]
        ),
        rows("head", 1),
        pd.DataFrame(rows("one", 5)).drop(columns="stage").iloc[2:],
        [
            {"stage": "$a_b$", "epoch": 1, "loss": 2.0},
            {"stage": "b", "epoch": 1, "loss": 1},
        ],
        [{"stage": "a", "epoch": 1, "loss": float("nan"), "val_loss": float("inf")}],
    ],
    ids=["stages", "one-epoch", "without-stage", "loss-only", "diverged"],
)
def test_save_curves_writes_a_picture(tmp_path, history):
    plots.save_curves(history, tmp_path / "curves.png")
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]
    assert shows(tmp_path / "curves.png", tuple(bytes.fromhex("8a8f98")))


def test_lines_that_are_not_smoothed_go_through_the_points(tmp_path):
    """A line of two points: its highest place is that of the second point."""
    history = [{"stage": "a", "loss": loss} for loss in (0.0, 1.0)]
    tops = []
    for smoothing in (0, 0.8):
        path = tmp_path / f"{smoothing}.png"
        plots.save_curves(history, path, smoothing)
        line = (picture(path) == tuple(bytes.fromhex("8a8f98"))).all(axis=-1)
        ends = line[:, line.shape[1] * 3 // 4 :]  # near the second point
        tops.append(np.flatnonzero(ends.any(axis=1)).min())
    assert tops[0] < tops[1] - 100


@pytest.mark.parametrize("history", [[], [{"stage": "a", "epoch": 1}]])
def test_save_curves_refuses_a_history_without_points(tmp_path, history):
    with pytest.raises(ValueError, match="`history` must have rows with loss, acc"):
        plots.save_curves(history, tmp_path / "curves.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [1, 2, 16, 41])
def test_save_confusion_paints_a_perfect_diagonal_darkest(tmp_path, count):
    names = [f"class {number}" for number in range(count)]
    plots.save_confusion(
        7 * np.eye(count, dtype=int), names, tmp_path / "confusion.png"
    )
    image = picture(tmp_path / "confusion.png")
    assert min(image.shape[:2]) >= 200
    darkest_blue, lightest_blue = (8, 48, 107), (247, 251, 255)
    assert shows(tmp_path / "confusion.png", darkest_blue)
    assert shows(tmp_path / "confusion.png", lightest_blue) == (count > 1)


def test_save_confusion_of_many_classes_shows_a_mistake_of_a_few_percent(tmp_path):
    matrix = 100 * np.eye(50, dtype=int)
    matrix[3, 3], matrix[3, 0] = 96, 4
    plots.save_confusion(matrix, [str(n) for n in range(50)], tmp_path / "many.png")
    mistake = colormaps["Blues"](0.04**0.4, bytes=True)[:3]
    pixels = picture(tmp_path / "many.png")
    # A whole cell of that colour: the bar of colours has but a few pixels of each.
    assert (pixels == mistake).all(axis=-1).sum() > 500
    assert np.abs(np.subtract(mistake, (247, 251, 255), dtype=int)).max() > 40


def test_save_confusion_takes_a_class_without_pictures(tmp_path):
    plots.save_confusion([[2, 1], [0, 0]], ["a", "b" * 60], tmp_path / "confusion.png")
    assert shows(tmp_path / "confusion.png", (247, 251, 255))


def test_save_confusion_refuses_another_number_of_names(tmp_path):
    with pytest.raises(ValueError, match="`matrix` must have a row and a column"):
        plots.save_confusion(np.eye(3), ["cats", "dogs"], tmp_path / "confusion.png")


def test_save_gallery_shows_pictures_of_any_size_and_type(tmp_path):
    path = tmp_path / "mistakes.png"
    images = [RED, GREEN[:5].astype("float32"), RED]
    titles = ["dogs/dog.12.jpg: cats 0.97 (true: dogs)", "$x", "a_very_long_name" * 9]
    plots.save_gallery(images, titles, path, columns=2, headline="The worst")
    assert shows(path, (255, 0, 0))
    assert shows(path, (0, 255, 0))


def test_save_gallery_without_pictures_holds_the_headline(tmp_path):
    plots.save_gallery([], [], tmp_path / "mistakes.png", headline="No mistakes")
    assert picture(tmp_path / "mistakes.png").min() < 100


def test_save_gallery_refuses_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="`titles` must be one for each image"):
        plots.save_gallery([RED], [], tmp_path / "mistakes.png")
    with pytest.raises(ValueError, match="`columns` must be an integer of at least 1"):
        plots.save_gallery([RED], ["red"], tmp_path / "mistakes.png", columns=0)


def test_save_grid_keeps_every_pixel(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 9, 12, 3), dtype="uint8")
    plots.save_grid(images.astype("float32") + 0.4, tmp_path / "grid.png", columns=3)
    grid = picture(tmp_path / "grid.png")
    assert grid.shape == (2 * 9 + 4, 3 * 12 + 2 * 4, 3)
    np.testing.assert_array_equal(grid[:9, :12], images[0])
    np.testing.assert_array_equal(grid[13:, 16:28], images[4])
    assert (grid[13:, 32:] == 255).all()


def test_save_grid_refuses_pictures_of_several_sizes(tmp_path):
    with pytest.raises(ValueError, match="`images` must be of one size"):
        plots.save_grid([RED, GREEN[:5]], tmp_path / "grid.png")
    with pytest.raises(ValueError, match="`images` must be of one size"):
        plots.save_grid([], tmp_path / "grid.png")


def test_tile_is_what_save_grid_writes(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 9, 12, 3), dtype="uint8")
    plots.save_grid(images, tmp_path / "grid.png", columns=3)
    expected = picture(tmp_path / "grid.png")
    np.testing.assert_array_equal(plots.tile(images, columns=3), expected)
    with pytest.raises(ValueError, match="`columns` must be an integer of at least 1"):
        plots.tile(images, columns=0)


def test_save_bars_draws_lengths_in_proportion(tmp_path):
    plots.save_bars(
        ["slow", "fast"], [10, 40], tmp_path / "bars.png", "img/s", "Speed", ["fast"]
    )
    image = picture(tmp_path / "bars.png")
    lengths = {
        name: (image == tuple(bytes.fromhex(colour))).all(axis=-1).sum(axis=1).max()
        for name, colour in (("slow", "a9b4c2"), ("fast", "2a6f97"))
    }
    assert lengths["fast"] / lengths["slow"] == pytest.approx(4, rel=0.05)


def test_save_bars_refuses_another_number_of_values(tmp_path):
    with pytest.raises(ValueError, match="`names` must be one for each value"):
        plots.save_bars(["slow"], [1, 2], tmp_path / "bars.png", "img/s")


RATES = np.geomspace(1e-7, 10, 50)
VALLEY = np.interp(np.arange(50), [0, 20, 35, 45, 49], [0.7, 0.7, 0.1, 0.4, 1e30])


@pytest.mark.parametrize("log_rates", [True, False])
def test_save_lr_find_draws_losses_and_marks(tmp_path, log_rates):
    path = tmp_path / "lr.png"
    marks = {"steepest": 1e-3, "valley": 1e-2}
    plots.save_lr_find(RATES, 1.1 * VALLEY, VALLEY, marks, path, log_rates)
    assert shows(path, tuple(bytes.fromhex("2a6f97")))
    assert shows(path, tuple(bytes.fromhex("d1495b")))
    # The line is not flattened by its explosion: the fall takes much of the height.
    line = (picture(path) == tuple(bytes.fromhex("2a6f97"))).all(axis=-1)
    rows = np.flatnonzero(line.any(axis=1))
    assert np.ptp(rows) > 0.6 * len(line)


def test_save_lr_find_takes_a_single_point(tmp_path):
    plots.save_lr_find([1e-7], [2.0], [2.0], {}, tmp_path / "lr.png")
    assert picture(tmp_path / "lr.png").min() < 100


@pytest.mark.parametrize("count", [0, 49])
def test_save_lr_find_refuses_other_numbers_of_losses(tmp_path, count):
    with pytest.raises(
        ValueError, match="`losses` and `smoothed` must be one for each"
    ):
        plots.save_lr_find(RATES, VALLEY[:count], VALLEY, {}, tmp_path / "lr.png")


@pytest.mark.parametrize(("classes", "size"), [(3, (1440, 480)), (120, (1440, 2448))])
def test_save_photo_statistics(tmp_path, rng, classes, size):
    names = [f"class {number}" for number in range(classes)]
    counts = pd.DataFrame(3, index=["train", "valid"], columns=names)
    counts.loc["train"] = 9
    sizes = pd.DataFrame({"height": rng.integers(90, 110, 50), "width": [60] * 50})
    plots.save_photo_statistics(counts, sizes, tmp_path / "photos.png")
    seen = picture(tmp_path / "photos.png")
    assert seen.shape[1::-1] == size
    train, valid = (
        (seen == colour).all(axis=2) for colour in ([42, 111, 151], [209, 73, 91])
    )
    row = valid.sum(axis=1).argmax()
    start = valid[row].argmax()
    before = train[row, :start]
    # The lengths of two bars in a row, up to a pixel where they meet.
    length = before[::-1][2:].argmin() + 2
    assert length / valid[row].sum() == pytest.approx(3, rel=0.05)


def test_a_failed_write_leaves_the_old_picture(tmp_path, monkeypatch):
    path = tmp_path / "grid.png"
    plots.save_grid([RED], path)

    def full(file):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        plots.save_grid([GREEN], path)
    assert shows(path, (255, 0, 0))
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]


def test_no_global_state_of_matplotlib_is_touched(tmp_path):
    code = (
        "import sys, kerasdl.plots; before = 'matplotlib' in sys.modules; "
        f"kerasdl.plots.save_bars(['a'], [1], {str(tmp_path / 'bars.png')!r}, 'b'); "
        "print(before, 'matplotlib.pyplot' in sys.modules, 'tensorflow' in sys.modules)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out == "False False False\n"

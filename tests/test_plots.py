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


@pytest.mark.parametrize("factor", [0.0, 0.8, 0.95])
def test_smooth_weighs_points_by_powers_that_sum_to_one(factor):
    points = np.random.default_rng(0).normal(size=50)
    expected = []
    for count in range(1, 51):
        weights = factor ** np.arange(count)[::-1]
        expected.append(points[:count] @ (weights / weights.sum()))
    np.testing.assert_allclose(plots.smooth(points, factor), expected, rtol=1e-9)
    assert plots.smooth(points[:1], factor)[0] == points[0]


@pytest.mark.parametrize("factor", [1, -0.1, float("nan")])
def test_factors_that_are_none(factor, tmp_path):
    with pytest.raises(ValueError, match="`factor` must be at least 0 and below 1"):
        plots.smooth([1.0, 2.0], factor)
    with pytest.raises(ValueError, match="`factor` must be at least 0 and below 1"):
        plots.save_curves(rows("a", 20), tmp_path / "curves.png", factor)


def test_lines_that_cross_cross_where_the_points_do(tmp_path, monkeypatch):
    """Validation begins below training and is above it from the 12th epoch on."""
    epochs = np.arange(30)
    history = pd.DataFrame({"loss": 1 - epochs / 40, "val_loss": 0.725 + 0 * epochs})
    figures = []
    monkeypatch.setattr(
        plots.curves, "save_figure", lambda figure, path: figures.append(figure)
    )
    for count in (30, 19):
        plots.save_curves(history[:count], tmp_path / "curves.png")
    (many, few) = (figure.axes[0] for figure in figures)
    lines = [line for line in many.lines if line.get_linewidth() == 2]
    train, valid = (line.get_ydata() for line in lines if len(line.get_ydata()))
    assert train[0] == 1  # the first epoch's own
    np.testing.assert_allclose(valid, 0.725)
    crossed = int((train < valid).argmax())
    assert 12 <= crossed <= 16  # the mean of the last few epochs lags by at most 4
    assert many.get_legend().get_title().get_text() == "lines are smoothed"
    assert few.get_legend().get_title().get_text() == ""
    lines = [line for line in few.lines if line.get_linewidth() == 2]
    np.testing.assert_array_equal(
        [line.get_ydata() for line in lines if len(line.get_ydata())][0],
        history["loss"][:19],
    )


def test_epochs_without_a_number_are_passed_over(tmp_path, monkeypatch):
    """As of `validation_freq=2`: a line through every second epoch."""
    figures = []
    monkeypatch.setattr(
        plots.curves, "save_figure", lambda figure, path: figures.append(figure)
    )
    history = pd.DataFrame({"loss": [4, 3, 2, 1], "val_loss": [np.nan, 3, np.nan, 2]})
    plots.save_curves(history, tmp_path / "curves.png")
    lines = [line for line in figures[0].axes[0].lines if line.get_linewidth() == 2]
    points = [line.get_xydata().tolist() for line in lines if len(line.get_xdata())]
    assert points[1] == [[2, 3], [4, 2]]


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


def test_every_column_with_a_twin_has_a_panel(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(
        plots.curves, "save_figure", lambda figure, path: figures.append(figure)
    )
    names = ["loss", "box_loss", "val_loss", "val_box_loss", "val_map", "seconds"]
    names += ["top_5", "val_top_5", "accuracy"]
    plots.save_curves([dict.fromkeys(names, 1.0)], tmp_path / "curves.png")
    panels = [axes for axes in figures[0].axes if axes.get_visible()]
    found = {
        axes.get_ylabel(): [text.get_text() for text in axes.get_legend().get_texts()]
        for axes in panels
    }
    both = ["training", "validation"]
    assert list(found) == ["accuracy", "box_loss", "top_5", "loss"]
    assert found["accuracy"] == ["training"]
    assert found["box_loss"] == found["top_5"] == found["loss"] == both


def test_lines_that_are_not_smoothed_go_through_the_points(tmp_path):
    """A line that leaps at its end: its highest place is that of the last point."""
    history = [{"stage": "a", "loss": loss} for loss in [0.0] * 19 + [1.0]]
    tops = []
    for smoothing in (0, 0.8):
        path = tmp_path / f"{smoothing}.png"
        plots.save_curves(history, path, smoothing)
        line = (picture(path) == tuple(bytes.fromhex("8a8f98"))).all(axis=-1)
        ends = line[:, line.shape[1] * 3 // 4 :]  # near the last point
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


@pytest.fixture
def figures(monkeypatch):
    """What would be saved."""
    drawn = []
    for module in (plots.confusion, plots.gallery):
        monkeypatch.setattr(
            module, "save_figure", lambda figure, _: drawn.append(figure)
        )
    return drawn


@pytest.mark.parametrize("count", [2, 5, 10, 15])
def test_the_figures_of_a_confusion_matrix_lie_in_their_cells(count, figures, tmp_path):
    names = [f"a long name of a class {number}" for number in range(count)]
    plots.save_confusion(77 * np.eye(count, dtype=int), names, tmp_path / "a.png")
    (figure,) = figures
    figure.draw_without_rendering()
    (axes,) = figure.axes
    cell = axes.get_window_extent().width / count
    assert all(text.get_window_extent().width < cell for text in axes.texts)


def test_the_lines_of_a_title_stay_lines(figures, tmp_path):
    title = "test/cats/cat.0025.jpg\n✗ dogs 0.91\ntrue: cats 0.09"
    plots.save_gallery([RED], [title], tmp_path / "a.png")
    assert figures[0].axes[0].get_title() == title


def test_of_a_thousand_classes_every_few_are_named(tmp_path, figures):
    names = [f"class {number}" for number in range(1000)]
    plots.save_confusion(np.eye(1000, dtype=int), names, tmp_path / "a.png")
    ticks = figures[0].axes[0].get_xticklabels()
    assert [tick.get_text() for tick in ticks[:2]] == ["class 0", "class 7"]
    assert 100 < len(ticks) <= 160
    assert ticks[0].get_fontsize() > 4


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
        ["slow", "fast"],
        [10, 40],
        tmp_path / "bars.png",
        label="img/s",
        title="Speed",
        highlight=["fast"],
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
    plots.save_lr_find(
        RATES, 1.1 * VALLEY, VALLEY, suggestions=marks, path=path, log_rates=log_rates
    )
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

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from PIL import Image

from kerasdl import plots


def pixels_of(path, colour):
    picture = np.asarray(Image.open(path).convert("RGB"), int)
    wanted = np.round(np.array(to_rgb(colour)) * 255)
    return (np.abs(picture - wanted).max(axis=-1) <= 1).sum()


def test_each_series_has_a_line_of_its_own_colour(tmp_path):
    first, second = colormaps["tab10"].colors[:2]
    plots.save_lines({"a": [1, 2, 3]}, tmp_path / "one.png", "epoch", "loss")
    plots.save_lines({"a": [1, 2], "b": [3, 1]}, tmp_path / "two.png", "epoch", "loss")
    assert pixels_of(tmp_path / "one.png", first) > 100
    assert pixels_of(tmp_path / "one.png", second) == 0
    assert pixels_of(tmp_path / "two.png", second) > 100


@pytest.mark.parametrize("numbers", [[1], [None, 1.0, None], [1, float("nan")]])
def test_one_point_is_seen(numbers, tmp_path):
    first = colormaps["tab10"].colors[0]
    plots.save_lines({"a": numbers}, tmp_path / "point.png", "epoch", "loss")
    below = np.asarray(Image.open(tmp_path / "point.png").convert("RGB"))[150:]
    Image.fromarray(below).save(tmp_path / "below.png")  # without the legend
    assert pixels_of(tmp_path / "below.png", first) > 20


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [1], "b": []}])
def test_nothing_to_draw(series, tmp_path):
    with pytest.raises(ValueError, match="`series` must hold numbers"):
        plots.save_lines(series, tmp_path / "lines.png", "epoch", "loss")
    assert not list(tmp_path.iterdir())

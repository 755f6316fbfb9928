"""Figures outside pyplot: files by their end, and nothing shown outside a notebook."""

import sys

import pytest
from matplotlib.figure import Figure
from PIL import Image

from kerasdl import plots


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.png", b"\x89PN"),
        ("a.svg", b"<?xml"),
        ("a.pdf", b"%PDF"),
        ("A.PNG", b"\x89"),
    ],
)
def test_a_file_is_of_the_kind_its_end_says(tmp_path, name, start):
    figure = plots.save_losses([2.0, 1.0], tmp_path / name)
    assert isinstance(figure, Figure)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_other_ends_are_refused(tmp_path):
    message = "`path` must end in .png, .svg or .pdf. Received: path='.*a.jpg'"
    with pytest.raises(ValueError, match=message):
        plots.save_losses([2.0, 1.0], tmp_path / "a.jpg")
    assert [*tmp_path.iterdir()] == []


def test_without_a_path_a_figure_is_made_and_pyplot_is_left_alone(tmp_path, capsys):
    pyplot = "matplotlib.pyplot" in sys.modules
    figure = plots.save_grid([[[[0.0, 0.0, 255.0]] * 5] * 3] * 2)
    assert capsys.readouterr() == ("", "")
    assert ("matplotlib.pyplot" in sys.modules) == pyplot
    plots.save_grid([[[[0.0, 0.0, 255.0]] * 5] * 3] * 2, tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.size == (14, 3)  # pixel by pixel, with a gap of four
        assert tuple(figure.get_size_inches() * figure.dpi) == picture.size

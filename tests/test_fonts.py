"""Names in scripts that the installed fonts lack are drawn as numbers, not as boxes."""

import warnings

import numpy as np
import pytest
from matplotlib.text import Text

from kerasdl import _fonts, plots
from kerasdl.tabular.pictures import save_embedding
from kerasdl.text.translation import save_attention
from kerasdl.text.translation.report import _numbers

WORDS = ["猫", "dog", "Löwe", "кот", "犬"]
SHOWN = ["#1", "dog", "Löwe", "кот", "#5"]  # DejaVu, of matplotlib, has three


@pytest.fixture
def no_wide_font(monkeypatch):
    monkeypatch.setattr(_fonts, "families", lambda: ["sans-serif"])


@pytest.mark.parametrize(
    "draw",
    [
        lambda path: save_attention(WORDS, WORDS, np.eye(5), path),
        lambda path: plots.save_confusion(np.eye(5, dtype=int), WORDS, path),
        lambda path: plots.save_bars(WORDS, range(5), path, label="length"),
        lambda path: save_embedding(WORDS, np.eye(5), "Kinds", path),
    ],
)
def test_no_picture_has_boxes(no_wide_font, tmp_path, draw):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a glyph that no font has
        figure = draw(tmp_path / "picture.png")
    drawn = {text.get_text() for text in figure.findobj(Text)}
    assert set(SHOWN) <= drawn
    assert not {"猫", "犬"} & drawn


def test_the_page_says_what_numbers_of_pieces_mean(no_wide_font):
    assert _numbers("Columns", ["▁the", "#1", "猫", "</s>"]) == " Columns: #3 猫."
    assert _numbers("Rows", ["▁the", "#tag"]) == ""


def test_an_installed_font_draws_its_letters(monkeypatch, tmp_path):
    monkeypatch.setattr(_fonts, "_WIDE", ("No Such Font", "STIXGeneral"))
    _fonts.families.cache_clear()
    try:
        assert _fonts.families() == ["sans-serif", "STIXGeneral"]
        letter = next(
            chr(code)
            for code in sorted(_fonts._characters("STIXGeneral"))
            if code not in _fonts._characters("sans-serif") and chr(code).isalpha()
        )
        figure = plots.save_bars([letter], [1], tmp_path / "bars.png", label="")
        drawn = [t for t in figure.findobj(Text) if t.get_text() == letter]
        assert drawn
        for text in drawn:
            assert text.get_fontfamily() == ["sans-serif", "STIXGeneral"]
    finally:
        _fonts.families.cache_clear()

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasdl import plots


def picture(path):
    return np.asarray(Image.open(path).convert("RGB"))


def rows_of(path, colour):
    """The rows of pixels that hold `colour`, from left to right: one a column."""
    found = (picture(path) == tuple(bytes.fromhex(colour))).all(axis=-1)
    columns = np.flatnonzero(found.any(axis=0))
    return np.array([found[:, column].argmax() for column in columns])


def test_the_rate_is_drawn_from_the_first_batch_to_the_last(tmp_path):
    plots.save_learning_rate(np.linspace(1, 0, 50), tmp_path / "rates.png")
    assert [path.name for path in tmp_path.iterdir()] == ["rates.png"]
    heights = rows_of(tmp_path / "rates.png", "2a6f97")
    assert len(heights) > 500
    assert (np.diff(heights) >= -1).all()  # falls; the round end of the line aside
    assert heights[-1] - heights[0] > 300


def test_smoothed_losses_are_the_unbiased_mean_of_pandas(tmp_path, monkeypatch):
    losses = np.random.default_rng(0).normal(1, 0.3, 80)
    figures = []
    save = plots.batches.save_figure
    monkeypatch.setattr(
        plots.batches, "save_figure", lambda f, p: (figures.append(f), save(f, p))
    )
    plots.save_losses(losses, tmp_path / "losses.png", factor=0.9)
    raw, smoothed = figures[0].axes[0].lines
    np.testing.assert_allclose(raw.get_ydata(), losses)
    expected = pd.Series(losses).ewm(alpha=0.1, adjust=True).mean()
    np.testing.assert_allclose(smoothed.get_ydata(), expected, rtol=1e-10)
    assert len(rows_of(tmp_path / "losses.png", "d1495b")) > 500


@pytest.mark.parametrize("save", [plots.save_learning_rate, plots.save_losses])
def test_no_batches(save, tmp_path):
    with pytest.raises(ValueError, match="must hold a number for each batch"):
        save([], tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_factor_outside_its_range(tmp_path):
    with pytest.raises(ValueError, match="`factor` must be at least 0 and below 1"):
        plots.save_losses([1.0], tmp_path / "a.png", factor=1.0)

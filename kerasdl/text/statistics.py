"""What texts are like: counts by split and class, lengths, as table and picture."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasdl._figure import new_figure, save_figure

from .data import TextData
from .splits import SPLITS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def text_statistics(data: TextData) -> pd.DataFrame:
    """For each split and class: texts, mean, median and largest length in tokens.

    And the share of tokens that are not in the vocabulary, and of texts longer than
    `max_len`, of which the end is not read.

    Args:
        data: the texts.
    """
    rows = {}
    for split in SPLITS:
        table = data.rows(split)
        for name in data.class_names:
            own = table[table["label"] == name]["prepared"]
            if not len(own):
                continue
            tokens = [data.tokenizer.split(text) for text in own]
            lengths = np.array([len(text) for text in tokens])
            known = set(data.tokenizer.vocabulary)
            unknown = sum(token not in known for text in tokens for token in text)
            rows[f"{split} {name}"] = {
                "texts": len(own),
                "mean_length": float(lengths.mean()),
                "median_length": float(np.median(lengths)),
                "longest": int(lengths.max()),
                "unknown": unknown / max(1, lengths.sum()),
                "cut": float((lengths > data.tokenizer.max_len).mean()),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def save_lengths(data: TextData, path: str | Path | None = None) -> "Figure":
    """Draw how long training texts of each class are, in tokens.

    Args:
        data: the texts.
        path: the picture to write; None shows it in a notebook.
    """
    table = data.rows("train")
    lengths = table["prepared"].map(lambda text: len(data.tokenizer.split(text)))
    edges = np.linspace(0, max(1, np.quantile(lengths, 0.99)), 40).tolist()
    figure = new_figure(7, 3)
    axes = figure.add_subplot()
    for name in data.class_names:
        own = lengths[table["label"] == name]
        axes.hist(np.minimum(own, edges[-1]), edges, histtype="step", label=name)
    axes.axvline(min(data.tokenizer.max_len, edges[-1]), color="grey", linestyle=":")
    axes.set_xlabel(f"{data.tokenizer.unit} of a text")
    axes.set_ylabel("texts")
    axes.legend()
    return save_figure(figure, path)

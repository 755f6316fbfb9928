"""One HTML page that shows how well texts are classified, and by which words."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from kerasdl import page, plots
from kerasdl._checks import check_writable

from .answers import answer_tokens, scores
from .data import TextData
from .marks import token_marks
from .statistics import save_lengths, text_statistics

_SHOWN = 12  # texts of a kind
_LETTERS = 400  # of a text that is shown


def save_report(
    network: keras.Model,
    data: TextData,
    path: str | Path,
    title: str = "Text report",
    settings: Mapping[str, Any] | None = None,
    history: pd.DataFrame | None = None,
    peers: pd.DataFrame | None = None,
) -> None:
    """Write a report on held-out texts as one HTML file.

    Args:
        network: of tokens.
        data: of its training; shown are test rows, or validation rows without those.
        path: the `.html` file.
        title: its headline.
        settings: names and values, such as a run's manifest.
        history: a row for each epoch.
        peers: scores of other ways on the same rows, a row for each.

    Raises:
        ValueError: `path` is in no folder, or no text is held out.
    """
    check_writable("path", path)
    split = held_out(data)
    truth, found = data.labels(split), answer_tokens(network, data.encoded(split))
    best = {name: (f"{v:.4f}", "") for name, v in scores(truth, found).items()}
    result = [page.numbers(best)]
    if peers is not None and len(peers):
        result.append(page.table(peers, "On the same rows"))
    table = _rows(data, split, truth, found)
    sections = [
        ("Result", "".join(result)),
        ("Classes", _classes(data.class_names, truth, found)),
        ("Most certain mistakes", _mistakes(table)),
        ("Most uncertain texts", _uncertain(table)),
        ("What counts", _marked(network, data, split, table)),
        ("Texts", _texts(data)),
    ]
    sections += page.closing(history, settings)
    intro = page.note(
        f"{len(truth):,} {split} texts of {len(data.frame):,}; no text is in two splits"
    )
    page.save_page(path, title, intro, sections)


def held_out(data: TextData) -> str:
    """The split that answers are judged on: "test", or "valid" without one.

    Raises:
        ValueError: there is neither.
    """
    for split in ("test", "valid"):
        if len(data.rows(split)):
            return split
    raise ValueError("`data` must hold out texts for validation. Received: none")


def _rows(
    data: TextData, split: str, truth: np.ndarray, found: np.ndarray
) -> pd.DataFrame:
    names = np.array(data.class_names)
    best = found.argmax(axis=1)
    ordered = np.sort(found, axis=1)
    table = pd.DataFrame(
        {
            "text": [_short(text) for text in data.rows(split)["text"]],
            "label": names[truth],
            "answer": names[best],
            "probability": found.max(axis=1).astype(float),
        }
    )
    table["right"], table["lead"] = best == truth, ordered[:, -1] - ordered[:, -2]
    return table


def _classes(names: Sequence[str], truth: np.ndarray, found: np.ndarray) -> str:
    counts = confusion_matrix(truth, found.argmax(axis=1), labels=range(len(names)))
    return page.chart(
        plots.save_confusion,
        counts,
        list(names),
        alt=f"Confusion matrix of {len(names)} classes",
        caption="Rows by true class, columns by answer.",
    )


def _mistakes(table: pd.DataFrame) -> str:
    wrong = table[~table["right"]].nlargest(_SHOWN, "probability")
    if not len(wrong):
        return page.note("There is none.")
    return _listed(wrong, "Wrong, and most certain of it")


def _uncertain(table: pd.DataFrame) -> str:
    return _listed(table.nsmallest(_SHOWN, "lead"), "Where two classes are closest")


def _listed(table: pd.DataFrame, caption: str) -> str:
    shown = table[["label", "answer", "probability", "text"]]
    return page.table(shown.rename_axis("row"), caption, {"probability": ".3f"})


def _marked(
    network: keras.Model, data: TextData, split: str, table: pd.DataFrame
) -> str:
    """A few texts, each token coloured by what it adds to the answer."""
    wrong = table[~table["right"]].nlargest(_SHOWN // 4, "probability").index
    right = table[table["right"]].nlargest(_SHOWN // 4, "probability").index
    close = table.nsmallest(_SHOWN // 4, "lead").index
    encoded, prepared = data.encoded(split), data.rows(split)["prepared"].tolist()
    names = list(data.class_names)
    parts = [
        page.note(
            "Green speaks for the answer, red against it: gradient times input of each "
            "token's embedding."
        )
    ]
    blank = " " if data.tokenizer.unit == "words" else ""
    for row in dict.fromkeys([*right, *wrong, *close]):
        tokens = data.tokenizer.split(prepared[row])[: len(encoded[row])]
        answer = names.index(table["answer"][row])
        marks = token_marks(network, encoded[row], answer)
        said = f"{table['answer'][row]} ({table['probability'][row]:.3f})"
        truth = "" if table["right"][row] else f", true {table['label'][row]}"
        parts.append(f"<p><b>{escape(said + truth)}</b> {_spans(tokens, marks, blank)}")
        parts.append("</p>")
    return "".join(parts)


def _spans(tokens: Sequence[str], marks: np.ndarray, blank: str) -> str:
    most = max(float(np.abs(marks).max(initial=0)), 1e-9)
    spans = []
    for token, mark in zip(tokens, marks, strict=True):
        colour = "0,140,60" if mark > 0 else "200,30,30"
        strength = abs(mark) / most
        style = f"background:rgba({colour},{0.6 * strength:.2f})"
        spans.append(f'<span style="{style}">{escape(token)}</span>')
    return blank.join(spans)


def _texts(data: TextData) -> str:
    lines = data.repeats.lines() if data.repeats else []
    chart = page.chart(
        save_lengths,
        data,
        alt="Histogram of the lengths of training texts by class",
        caption="Lengths of training texts; dotted is what is read at most.",
    )
    table = page.table(text_statistics(data), "By split and class")
    return "".join([*map(page.note, lines), chart, table])


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"

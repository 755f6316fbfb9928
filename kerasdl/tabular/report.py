"""One HTML page that shows how well answers fit a table, and what they depend on."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl import page, plots
from kerasdl._checks import check_writable
from kerasdl._numbers import number

from . import pictures
from .data import TableData
from .explain import importance, partial_dependence
from .measures import measures, rmse
from .networks import embedding_name
from .target import Target
from .values import values_of

_DEPENDENCES = 6
_GRID = 12  # values of a column of numbers
_ROWS = 8192  # that are answered at once
_CODES = 60  # of a column of categories, to be set or drawn one by one


def predict(
    model: Callable[[dict[str, np.ndarray]], Any], data: TableData, frame: pd.DataFrame
) -> np.ndarray:
    """Answers to raw rows: numbers in the target's unit, or probabilities.

    Args:
        model: a Keras model, or a function like one, that takes what `data` gives.
        data: of the training.
        frame: raw rows.
    """
    inputs = data.as_inputs(*data.columns.encode(frame))
    # Called, as `Model.predict` lays a pipeline each time, and a page asks 100 times.
    parts = [
        model({name: array[start : start + _ROWS] for name, array in inputs.items()})
        for start in range(0, len(frame), _ROWS)
    ]
    outputs = np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])
    return data.target.decode(outputs) if data.target.is_regression else outputs


def scores(model: keras.Model, data: TableData, split: str = "valid") -> dict[str, Any]:
    """Measures of the answers to a split, by name.

    Args:
        model: takes what `data` gives.
        data: of the training.
        split: "train" or "valid".
    """
    rows = data.rows(split)
    return answer_scores(data.target, rows, predict(model, data, rows))


def answer_scores(
    target: Target, rows: pd.DataFrame, answers: np.ndarray
) -> dict[str, float]:
    """Measures of answers that are there, by name.

    Args:
        target: of the data.
        rows: raw ones, with the truth.
        answers: to them, as of `predict`.
    """
    truth = rows[target.name]
    if target.is_regression:
        return measures(truth, answers)
    return class_scores(target.encode(truth), answers)


def class_scores(classes: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Accuracy, macro F1, log loss, and the ROC AUC where both classes are there.

    Args:
        classes: numbers of the true ones.
        probabilities: `(n, classes)`.
    """
    from sklearn import metrics

    found = probabilities.argmax(axis=1)
    scored = {
        "accuracy": metrics.accuracy_score(classes, found),
        "macro_f1": metrics.f1_score(classes, found, average="macro"),
        "log_loss": metrics.log_loss(
            classes, probabilities, labels=range(probabilities.shape[1])
        ),
    }
    if probabilities.shape[1] == 2 and len(np.unique(classes)) == 2:
        scored["roc_auc"] = metrics.roc_auc_score(classes, probabilities[:, 1])
    return {name: float(value) for name, value in scored.items()}


def save_report(
    model: keras.Model,
    data: TableData,
    path: str | Path,
    title: str = "Table report",
    settings: Mapping[str, Any] | None = None,
    history: pd.DataFrame | None = None,
    peers: pd.DataFrame | None = None,
    time: str | None = None,
) -> None:
    """Write a report on the validation rows as one HTML file.

    Args:
        model: takes what `data` gives.
        data: the table.
        path: the `.html` file.
        title: its headline.
        settings: names and values, such as a run's manifest.
        history: a row for each epoch.
        peers: scores of other ways on the same rows, a row for each.
        time: a column of times, over which errors are drawn.

    Raises:
        ValueError: `path` is in no folder.
    """
    check_writable("path", path)
    rows = data.rows("valid")
    answers = predict(model, data, rows)
    target = data.target
    sections = [("Result", _result(answer_scores(target, rows, answers), peers))]
    if target.is_regression:
        truth = rows[target.name].to_numpy("float64")
        sections.append(("Answers", _answers(data, rows, truth, answers, time)))
    else:
        truth = target.encode(rows[target.name])
        sections.append(("Classes", _classes(target.class_names, truth, answers)))
    sections.append(("What they depend on", _dependences(model, data, rows, truth)))
    if embedded := _embeddings(model, data):
        sections.append(("Embeddings", embedded))
    sections += page.closing(history, settings)
    intro = page.note(
        f"{len(rows):,} validation rows of {len(data.frame):,}; target {target.name}"
    )
    page.save_page(path, title, intro, sections)


def _result(own: Mapping[str, float], peers: pd.DataFrame | None) -> str:
    parts = [page.numbers({name: (number(value), "") for name, value in own.items()})]
    if peers is not None and len(peers):
        parts.append(page.table(peers, "On the same rows"))
    return "".join(parts)


def _answers(
    data: TableData,
    rows: pd.DataFrame,
    truth: np.ndarray,
    answers: np.ndarray,
    time: str | None,
) -> str:
    name = data.target.name
    parts = [
        page.chart(
            pictures.save_predicted,
            truth,
            answers,
            name,
            alt=f"Predicted over true {name} of {len(rows):,} rows",
            caption="On the line an answer is right.",
        )
    ]
    if time:
        parts.append(
            page.chart(
                pictures.save_over_time,
                rows[time],
                answers - truth,
                time,
                alt=f"Mean error of each {time}",
                caption="Mean error, and the band of the middle half.",
            )
        )
    for column in data.columns.categories:
        if column.num_codes <= _CODES:
            parts.append(_by_category(rows[column.name], truth, answers))
    return "".join(parts)


def _by_category(values: pd.Series, truth: np.ndarray, answers: np.ndarray) -> str:
    table = pd.DataFrame({"truth": truth, "error": answers - truth})
    groups = table.groupby(values.to_numpy(), dropna=False)
    found = pd.DataFrame(
        {
            "rows": groups.size(),
            "mean_truth": groups["truth"].mean(),
            "mean_error": groups["error"].mean(),
            "rmse": groups["error"].apply(
                lambda errors: float((errors**2).mean() ** 0.5)
            ),
        }
    )
    found.index.name = str(values.name)
    return page.table(found, f"Errors by {values.name}")


def _classes(names: tuple[str, ...], truth: np.ndarray, answers: np.ndarray) -> str:
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(truth, answers.argmax(axis=1), labels=range(len(names)))
    return page.chart(
        plots.save_confusion,
        counts,
        list(names),
        alt=f"Confusion matrix of {len(names)} classes",
        caption="Rows by true class, columns by answer.",
    )


def _dependences(
    model: keras.Model, data: TableData, rows: pd.DataFrame, truth: np.ndarray
) -> str:
    is_regression = data.target.is_regression
    compiled = tf.function(lambda inputs: model(inputs), reduce_retracing=True)

    def answer(frame: pd.DataFrame) -> np.ndarray:
        return predict(compiled, data, frame)

    def log_loss(classes: np.ndarray, found: np.ndarray) -> float:
        return class_scores(classes, found)["log_loss"]

    loss = rmse if is_regression else log_loss
    found = importance(answer, rows, data.columns, truth, loss, seed=data.seed)
    parts = [page.table(found, "Rise of the error when a column is shuffled")]
    charts = []
    for name in found.index[:_DEPENDENCES]:
        values = _values(data, name)
        means = partial_dependence(
            lambda frame: answer(frame) if is_regression else answer(frame)[:, -1],
            rows,
            name,
            values,
            seed=data.seed,
        )
        shown = [str(value) for value in values] if _is_text(values) else values
        charts.append(
            page.chart(
                pictures.save_dependence,
                shown,
                means,
                name,
                alt=f"Mean answer by {name}",
                caption=f"Partial dependence on {name}.",
            )
        )
    return "".join([*parts, page.row(charts)])


def _is_text(values: list) -> bool:
    return isinstance(values[0], str)


def _values(data: TableData, name: str) -> list:
    """What a column is set to in turn."""
    for column in data.columns.categories:
        if column.name == name:
            values = list(column.values)
            places = np.linspace(0, len(values) - 1, min(len(values), 40)).astype(int)
            return [values[place] for place in places]
    found = values_of(data.frame[name]).dropna().to_numpy("float64")
    return sorted({*np.quantile(found, np.linspace(0.02, 0.98, _GRID)).tolist()})


def _embeddings(model: keras.Model, data: TableData) -> str:
    charts = []
    layers = {layer.name: layer for layer in model.layers}
    for place, column in enumerate(data.columns.categories):
        layer = layers.get(embedding_name(place))
        if layer is None or len(column.values) < 4:
            continue
        weights = layer.get_weights()[0][1 : 1 + len(column.values)]
        names = [str(value) for value in column.values]
        charts.append(
            page.chart(
                pictures.save_embedding,
                names,
                weights,
                column.name,
                alt=f"Embedding of {len(names)} values of {column.name}",
                caption=f"{column.name}: values that act alike lie together.",
            )
        )
    return page.row(charts) if charts else ""

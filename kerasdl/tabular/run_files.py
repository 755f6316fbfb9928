"""The files of a trained network of tables in its run's folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pandas as pd

from kerasdl import plots
from kerasdl._atomic import write_json, write_text
from kerasdl._file_names import LABELS, MODEL, MODEL_TFLITE, README
from kerasdl.artefacts import save_inference_model

from .data import TableData
from .files import TABLES, save_tables, save_tflite
from .predictor import TASK, Predictor, plain_rows
from .raw_model import with_raw_columns
from .report import save_report

if TYPE_CHECKING:
    from kerasdl.runs import Run

CHECK_ROWS = "check_rows.json"
_CHECKED = 100
# What rounding may do, as a share of an answer and of its spread.
_OFF, _HALF_OFF = 1e-3, 0.05
_CARD = """\
# {title}

A network that takes a row of a table and answers with {answer}.

- `model.keras` takes a dict with each column under its name, `(batch, 1)`: strings, of
  which "" is a hole, and numbers as float32, of which NaN is one. Vocabularies, fill
  values and scales are inside.
- `model.tflite` takes one encoded row and returns the same; `{tables}` says how a row
  is encoded.
- `{check}` has {count} validation rows and what the model answers.
- `manifest.json` says how they were made and how good they are.

In plain Keras, run in this folder:

```python
import json

import keras
import numpy as np
import tensorflow as tf

model = keras.saving.load_model("model.keras")
rows = json.load(open("{check}", encoding="utf-8"))
texts = {{tensor.name for tensor in model.inputs if tensor.dtype == "string"}}
columns = {{
    name: tf.constant(rows[name])[:, None] if name in texts
    else tf.constant([float("nan") if v is None else v for v in rows[name]])[:, None]
    for name in (tensor.name for tensor in model.inputs)
}}
print(model.predict_on_batch(columns)[:3], rows["prediction"][:3])
```

And by TFLite, of the first row:

```python
tables = json.load(open("{tables}", encoding="utf-8"))["columns"]
codes, numbers, flags = [], [], []
for c in tables["categories"]:
    value = rows[c["name"]][0]
    hole = value is None or value == ""
    known = {{v: code for code, v in enumerate(c["values"], 1)}}
    codes.append(len(known) + 1 if hole and c["has_hole"] else known.get(value, 0))
for c in tables["numbers"]:
    value = rows[c["name"]][0]
    numbers.append(((c["fill"] if value is None else value) - c["mean"]) / c["scale"])
    flags += [float(value is None)] if c["has_hole"] else []
lite = tf.lite.Interpreter("model.tflite").get_signature_runner()
given = {{"categories": [codes], "numbers": [numbers + flags]}}
kinds = {{name: part["dtype"] for name, part in lite.get_input_details().items()}}
taken = {{name: np.array(given[name], kind) for name, kind in kinds.items()}}
print(lite(**taken)["prediction"])
```
"""


def write_run_files(
    run: "Run",
    model: keras.Model,
    data: TableData,
    history: pd.DataFrame,
    title: str,
    peers: pd.DataFrame | None = None,
    time: str | None = None,
) -> Predictor:
    """Write models, tables, card, curves, history, check rows and the report.

    Args:
        run: at work; its manifest gains its task.
        model: that is kept; takes what `data` gives.
        data: the table.
        history: a row for each epoch; may be empty.
        title: of card and report.
        peers: as in `save_report`.
        time: as in `save_report`.

    Returns:
        What the run's own files answer with.
    """
    folder, columns, target = run.path, data.columns, data.target
    run.manifest |= {"task": TASK, "data": data.facts()}
    run.save_manifest()
    raw_model = with_raw_columns(model, columns, target)
    save_inference_model(raw_model, folder / MODEL)
    save_tflite(model, folder / MODEL_TFLITE, columns, target)
    save_tables(folder / TABLES, columns, target)
    if target.class_names:
        names = "".join(f"{name}\n" for name in target.class_names)
        write_text(folder / LABELS, names)
    predictor = Predictor(raw_model, columns, target)
    _check_answers(predictor, model, data)
    count = _write_check_rows(folder / CHECK_ROWS, predictor, data)
    write_text(folder / README, _card(title, data, count))
    if len(history):
        history.to_csv(folder / "history.csv", index=False)
        plots.save_curves(history, folder / "curves.png")
    report = folder / "report.html"
    save_report(
        model,
        data,
        report,
        title,
        settings=run.manifest,
        history=history,
        peers=peers,
        time=time,
    )
    return predictor


def _check_answers(predictor: Predictor, model: keras.Model, data: TableData) -> None:
    """Raise RuntimeError unless raw validation rows are answered as encoded ones."""
    target = data.target
    expected = model.predict(data.valid, verbose=0)
    if target.is_regression:
        expected = target.decode(expected)[:, None]
    off = abs(predictor.answer(data.rows("valid")) - expected)
    is_half = any(
        layer.compute_dtype in ("float16", "bfloat16") for layer in model.layers
    )
    around = 0.0 if target.scale == "log" else target.spread
    allowed = (_HALF_OFF if is_half else _OFF) * (abs(expected) + around)
    if not (off <= allowed).all():
        raise RuntimeError(
            "The model of raw columns does not answer as the trained network does: off "
            f"by {np.max(off):.3g} in a validation row"
        )


def _write_check_rows(path: Path, predictor: Predictor, data: TableData) -> int:
    """The raw columns of the first validation rows, and the answers to them."""
    rows = data.rows("valid").iloc[:_CHECKED]
    checked: dict[str, Any] = plain_rows(rows, data.columns)
    answers = predictor.answer(rows)
    is_one = answers.shape[1] == 1
    checked["prediction"] = (answers[:, 0] if is_one else answers).tolist()
    write_json(path, checked)
    return len(rows)


def _card(title: str, data: TableData, count: int) -> str:
    names = data.target.class_names
    answer = f"`{data.target.name}`, a number in its own unit"
    if names:
        answer = f"the probability of each class of `{data.target.name}` (labels.txt)"
    return _CARD.format(
        title=title, answer=answer, tables=TABLES, check=CHECK_ROWS, count=count
    )

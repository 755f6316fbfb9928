"""The files of a trained network of texts in its run's folder."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pandas as pd

from kerasdl import plots
from kerasdl._atomic import write_json, write_text
from kerasdl._file_names import LABELS, MODEL, MODEL_TFLITE, README
from kerasdl.artefacts import save_inference_model

from .answers import answer_tokens
from .data import TextData
from .files import save_tflite
from .predictor import TASK, Predictor
from .report import held_out, save_report
from .strings import with_strings
from .tokenizer import FILE

if TYPE_CHECKING:
    from kerasdl.runs import Run

CHECK_TEXTS = "check_texts.json"
_CHECKED = 50
_OFF, _HALF_OFF = 1e-3, 0.05  # of a probability, by rounding
_CARD = """\
# {title}

A network that says which of {classes} a text is.

- `model.keras` takes strings, `(batch,)`: {unit}. It returns the probability of each
  class, in the order of `labels.txt`. It reads the first {length:,} {of}.
- `model.tflite` takes `tokens`, int32 `(1, {length})`, and returns the same. The number
  of a token is its place in `vocabulary` of `text.json` plus 2; 1 is an unknown one,
  and 0 fills the rest.
- `check_texts.json` has {count} texts, as the model takes them, and what it answers.
  {held_out}
- `report.html` shows how good it is, and `manifest.json` says how it was made.

In plain Keras, run in this folder:

```python
import json

import keras
import numpy as np

model = keras.saving.load_model("model.keras")
check = json.load(open("check_texts.json", encoding="utf-8"))
texts = np.array(check["text"], dtype=object)
print(model.predict(texts, verbose=0)[:3], check["probability"][:3])
```

And by TFLite, of the first text:

```python
import tensorflow as tf

form = json.load(open("text.json", encoding="utf-8"))
number = {{token: place for place, token in enumerate(form["vocabulary"], 2)}}
text = texts[0].encode().lower().decode()  # ASCII alone
tokens = text.split() if form["unit"] == "words" else list(text)
given = np.zeros((1, {length}), "int32")
for place, token in enumerate(tokens[: {length}]):
    given[0, place] = number.get(token, 1)
lite = tf.lite.Interpreter("model.tflite").get_signature_runner()
print(lite(tokens=given)["probability"])
```
"""
_HELD_OUT = "No training saw them."
_SEEN = "The training that the report judges did not see them; that of this model did."
_UNITS = {
    "characters": "any text as it is",
    "words": "words with one blank between, as jieba cuts them",
}


def write_run_files(
    run: "Run",
    model: keras.Model,
    data: TextData,
    history: pd.DataFrame,
    title: str,
    peers: pd.DataFrame | None = None,
    final: keras.Model | None = None,
) -> Predictor:
    """Write models, vocabulary, card, curves, history, check texts and the report.

    Args:
        run: at work; its manifest gains its task.
        model: that was measured on held-out texts; takes tokens.
        data: the texts.
        history: a row for each epoch; may be empty.
        title: of card and report.
        peers: as in `save_report`.
        final: that is kept in place of `model`, such as one that trained on all texts.

    Returns:
        What the run's own files answer with.
    """
    folder, own = run.path, data.tokenizer
    network = model if final is None else final
    run.manifest |= {"task": TASK, "data": data.facts()}
    run.save_manifest()
    of_strings = with_strings(network, own)
    save_inference_model(of_strings, folder / MODEL)
    save_tflite(network, folder / MODEL_TFLITE, own)
    own.save(folder / FILE, class_names=data.class_names, text_column=data.text_column)
    write_text(folder / LABELS, "".join(f"{name}\n" for name in data.class_names))
    checked = _checked(of_strings, network, data)
    write_json(folder / CHECK_TEXTS, checked)
    card = _card(title, data, len(checked["text"]), final is not None)
    write_text(folder / README, card)
    if len(history):
        history.to_csv(folder / "history.csv", index=False)
        plots.save_curves(history, folder / "curves.png")
    save_report(
        model,
        data,
        folder / "report.html",
        title,
        settings=run.manifest,
        history=history,
        peers=peers,
    )
    return Predictor(network, own, data.class_names, data.text_column)


def _checked(
    of_strings: keras.Model, network: keras.Model, data: TextData
) -> dict[str, Any]:
    """Held-out texts and what strings are answered.

    Raises:
        RuntimeError: tokens are answered otherwise.
    """
    rows = data.rows(held_out(data))["prepared"].iloc[:_CHECKED].to_numpy(object)
    found = of_strings.predict(rows, verbose=0)
    off = np.abs(found - answer_tokens(network, data.tokenizer.encode(rows))).max()
    is_half = any("16" in str(layer.compute_dtype) for layer in network.layers)
    if not off <= (_HALF_OFF if is_half else _OFF):
        raise RuntimeError(
            "The model of strings does not answer as the trained network does: off by "
            f"{off:.3g}"
        )
    return {"text": rows.tolist(), "probability": found.tolist()}


def _card(title: str, data: TextData, count: int, is_final: bool) -> str:
    own = data.tokenizer
    return _CARD.format(
        title=title,
        classes=", ".join(data.class_names),
        unit=_UNITS[own.unit],
        of=own.unit,
        length=own.max_len,
        count=count,
        held_out=_SEEN if is_final else _HELD_OUT,
    )

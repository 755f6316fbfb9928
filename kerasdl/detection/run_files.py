"""The files of a trained detector in its run's folder."""

from typing import TYPE_CHECKING

import keras
import pandas as pd

from kerasdl import plots
from kerasdl._atomic import write_text
from kerasdl._file_names import MODEL, MODEL_TFLITE, README
from kerasdl.artefacts import save_inference_model

from .data import BoxData
from .detector import TASK
from .files import save_tflite
from .report import DetectionReport

if TYPE_CHECKING:
    from kerasdl.runs import Run

FOUND = "valid_boxes.json"
_CARD = """\
# {title}

A detector of {classes}: mAP {map:.3f}, AP50 {ap50:.3f} on {count} validation photos.

- `model.keras` takes RGB pixels in [0, 255], float32 `(batch, {height}, {width}, 3)`,
  and returns a dict: `boxes` `(batch, n, 4)`, x1 y1 x2 y2 in pixels of what it takes;
  `scores` and `labels` `(batch, n)`; `count` `(batch,)`, how many of the n are answers.
  Suppression is inside, of built-in operations.
- `model.tflite` takes one picture and returns the same.
- `labels.txt` names the classes; {resize}.
- `{found}` has the answers to the validation photos, in pixels of the photos.
- `manifest.json` says how it was made; answers are shown from a score of
  {threshold:.3f} on, where F1 is best.

In plain Keras, run in this folder:

```python
import keras
import numpy as np

model = keras.saving.load_model("model.keras")
pixels = np.zeros((1, {height}, {width}, 3), "float32")  # a photo
found = model.predict_on_batch(pixels)
count = int(found["count"][0])
print(found["boxes"][0, :count], found["scores"][0, :count], found["labels"][0, :count])
```

And by TFLite:

```python
import tensorflow as tf

detect = tf.lite.Interpreter("model.tflite").get_signature_runner()
found = detect(pixels=pixels)
print(found["boxes"].shape, found["count"])
```
"""
_PLACED = {
    "pad": "photos are resized as they are, between black borders",
    "squash": "photos are stretched to that size",
    "crop": "of photos the middle is taken",
}


def write_run_files(
    run: "Run",
    model: keras.Model,
    data: BoxData,
    report: DetectionReport,
    history: pd.DataFrame,
    title: str,
) -> None:
    """Write models, labels, card, curves, history, answers and the report.

    Args:
        run: at work; its manifest gains its task and the measures.
        model: of final answers.
        data: of its training.
        report: of the validation photos.
        history: a row for each epoch; may be empty.
        title: of card and report.
    """
    folder = run.path
    run.manifest |= {
        "task": TASK,
        "data": data.facts(),
        "image_size": list(data.image_size),
        "resize": data.resize,
        "threshold": report.best["threshold"],
    }
    run.record(**report.scores)
    save_inference_model(model, folder / MODEL)
    save_tflite(model, folder / MODEL_TFLITE)
    run.save_labels(data.class_names)
    report.found.to_json(folder / FOUND)
    height, width = data.image_size
    card = _CARD.format(
        title=title,
        classes=", ".join(data.class_names),
        count=len(report.truth.photos),
        height=height,
        width=width,
        resize=_PLACED[data.resize],
        found=FOUND,
        **{name: report.scores.get(name, 0) for name in ("map", "ap50", "threshold")},
    )
    write_text(folder / README, card)
    data.show_batch(folder / "train_batch.png")
    if len(history):
        history.to_csv(folder / "history.csv", index=False)
        plots.save_curves(history, folder / "curves.png")
    report.save(folder / "report.html", title, settings=run.manifest, history=history)

"""The README.md of a detector's run: how to use its files without kerasdl."""

from collections.abc import Mapping, Sequence

_NAMES = 50  # of classes that the headline lists; labels.txt has all
# How Keras's own resize does what each rule did in training, and the way back.
_RESIZE = {
    "pad": ", pad_to_aspect_ratio=True",
    "squash": "",
    "crop": ", crop_to_aspect_ratio=True",
}
_SCALE = {
    "pad": "[min({width} / wide, {height} / high)] * 2",
    "squash": "[{width} / wide, {height} / high]",
    "crop": "[max({width} / wide, {height} / high)] * 2",
}
_MASKS = """\
- It returns `masks` too, `(batch, n, {}, {})`: probabilities at a quarter of the
  picture's size. Scores are those of boxes times the mean probability of what the mask
  covers, or its highest where it covers nothing.
"""
_TEXT = """\
# {title}

A detector of {classes}: mAP {map:.3f}, AP50 {ap50:.3f} on {count} validation photos.

- `model.keras` takes RGB pixels in [0, 255], float32 `(batch, {height}, {width}, 3)`,
  and returns a dict: `boxes` `(batch, n, 4)`, x1 y1 x2 y2 in pixels of what it takes;
  `scores` and `labels` `(batch, n)`; `count` `(batch,)`, how many of the n are answers.
  Suppression is inside, of built-in operations.
{masks}- `model.tflite` takes one picture and returns the same.
- `labels.txt` names the classes, one a line.
- `{found}` has the answers to the validation photos, in pixels of the photos.
- `manifest.json` says how it was made. Answers are shown from a score of
  {threshold:.3f} on, where F1 is best.

In plain Keras, run in this folder on an upright photo (`load_img` does not turn it by
its EXIF data):

```python
import keras
import numpy as np

labels = open("labels.txt", encoding="utf-8").read().splitlines()
photo = keras.utils.img_to_array(keras.utils.load_img("photo.jpg"))
pixels = keras.ops.image.resize(photo, ({height}, {width}), antialias=True{resize})
pixels = np.array(pixels)[None]
high, wide = photo.shape[:2]
scale = np.array({scale})
begin = (np.array([{width}, {height}]) - scale * [wide, high]) / 2


def show(found):
    rows = zip(found["boxes"][0], found["scores"][0], found["labels"][0])
    for box, score, label in rows:
        if score >= {threshold:.3f}:
            corners = (box.reshape(2, 2) - begin) / scale  # in pixels of the photo
            print(labels[label], round(float(score), 4), corners.ravel().round(1))


show(keras.saving.load_model("model.keras").predict_on_batch(pixels))
```

By LiteRT (`pip install ai-edge-litert`), going on:

```python
from ai_edge_litert.interpreter import Interpreter

show(Interpreter("model.tflite").get_signature_runner()(pixels=pixels))
```

By ONNX Runtime, after `recipes/export_model.py` has written `export/`:

```python
import onnxruntime

session = onnxruntime.InferenceSession("export/model.onnx")
names = [output.name for output in session.get_outputs()]
show(dict(zip(names, session.run(names, {{"pixels": pixels}}))))
```

In Kotlin, with `com.google.ai.edge.litert:litert`:

```kotlin
val lite = Interpreter(File("model.tflite"))
// RGB in [0, 255]
val pixels = Array(1) {{ Array({height}) {{ Array({width}) {{ FloatArray(3) }} }} }}
val boxes = Array(1) {{ Array({answers}) {{ FloatArray(4) }} }}
val scores = Array(1) {{ FloatArray({answers}) }}
val labels = Array(1) {{ IntArray({answers}) }}
val found = mapOf<String, Any>("boxes" to boxes, "scores" to scores, "labels" to labels)
lite.runSignature(mapOf<String, Any>("pixels" to pixels), found, "serving_default")
```

In Swift, with TensorFlowLiteSwift:

```swift
let interpreter = try Interpreter(modelPath: "model.tflite")
let lite = try interpreter.signatureRunner(with: "serving_default")
try lite.allocateTensors()
// Data of {height} * {width} * 3 floats, RGB in [0, 255]
try lite.copy(pixels, toInputNamed: "pixels")
try lite.invoke()
let boxes = try lite.output(named: "boxes").data  // {answers} * 4 floats
let scores = try lite.output(named: "scores").data
```

`export/model_mediapipe.tflite` is for MediaPipe Tasks' ObjectDetector, which resizes
and names classes itself:

```python
from mediapipe import Image
from mediapipe.tasks.python.vision import ObjectDetector

detector = ObjectDetector.create_from_model_path("export/model_mediapipe.tflite")
print(detector.detect(Image.create_from_file("photo.jpg")))
```
"""


def run_readme(
    title: str,
    class_names: Sequence[str],
    image_size: tuple[int, int],
    resize: str,
    *,
    scores: Mapping[str, float],
    photos: int,
    answers: int,
    masks: tuple[int, int] | None,
    found: str,
) -> str:
    """The text of a run folder's README.md.

    Args:
        title: its headline.
        class_names: in the order of the classes.
        image_size: (height, width) in pixels.
        resize: "pad", "squash" or "crop", the rule of the training.
        scores: `map`, `ap50` and `threshold`, where there are any.
        photos: how many they were measured on.
        answers: how many the model gives for a picture.
        masks: (rows, columns) of each mask it gives, or None.
        found: the file of the answers to these photos.
    """
    height, width = image_size
    shown, more = ", ".join(class_names[:_NAMES]), len(class_names) - _NAMES
    return _TEXT.format(
        title=title,
        classes=f"{shown} and {more:,} more" if more > 0 else shown,
        height=height,
        width=width,
        resize=_RESIZE[resize],
        scale=_SCALE[resize].format(height=height, width=width),
        count=photos,
        answers=answers,
        masks=_MASKS.format(*masks) if masks else "",
        found=found,
        **{name: scores.get(name, 0) for name in ("map", "ap50", "threshold")},
    )

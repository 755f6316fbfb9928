"""The README.md of a run folder: how to use its files without kerasdl."""

from collections.abc import Sequence

from kerasdl._checks import check_one_of, size_pair

# How Keras's own resize does what each rule did in training.
_RESIZE = {
    "crop": ", crop_to_aspect_ratio=True",
    "squash": "",
    "pad": ", pad_to_aspect_ratio=True",
}

_TEXT = """\
# {title}

A classifier of pictures: {classes}.

- `labels.txt`: one class name a line, in output order. A model with one output unit
  (a sigmoid) returns the probability of line 2.{several}
- `model.keras` takes RGB pixels, float32 in [0, 255], `(batch, {height}, {width}, 3)`:
  scaling is inside. It returns probabilities.
- `model.tflite` takes one picture, uint8 `(1, {height}, {width}, 3)`, and returns the
  same probabilities in float32.
- `manifest.json` says how they were made.

In plain TensorFlow, run in this folder on an upright photo (`load_img` does not turn it
by its EXIF data):

```python
import keras
import tensorflow as tf

labels = open("labels.txt", encoding="utf-8").read().splitlines()
photo = keras.utils.img_to_array(keras.utils.load_img("photo.jpg"))
pixels = keras.ops.image.resize(photo, ({height}, {width}), antialias=True{resize})
by_keras = keras.saving.load_model("model.keras").predict_on_batch(pixels[None])[0]
lite = tf.lite.Interpreter("model.tflite").get_signature_runner()
by_lite = lite(pixels=tf.cast(pixels[None], "uint8").numpy())["probabilities"][0]
for outputs in (by_keras, by_lite):
    for label, probability in zip(labels[-len(outputs) :], outputs):  # or of line 2
        print(f"{{label}}: {{probability:.4f}}")
```
"""


def run_readme(
    class_names: Sequence[str],
    image_size: int | tuple[int, int],
    resize: str = "crop",
    title: str = "A trained classifier",
    thresholds: Sequence[float] | None = None,
) -> str:
    """Return the text of a run folder's README.md.

    Args:
        class_names: in output order.
        image_size: one side or (height, width), in pixels.
        resize: "crop", "squash" or "pad", the rule of the training.
        title: its headline.
        thresholds: of each class, where a picture may have several labels.

    Raises:
        ValueError: `resize` is none of the three, or `image_size` is no size.
    """
    check_one_of("resize", resize, _RESIZE)
    height, width = size_pair("image_size", image_size)
    return _TEXT.format(
        title=title,
        several="" if thresholds is None else _several(class_names, thresholds),
        classes=", ".join(class_names),
        height=height,
        width=width,
        resize=_RESIZE[resize],
    )


def _several(class_names: Sequence[str], thresholds: Sequence[float]) -> str:
    limits = ", ".join(
        f"{name} {limit:.3f}"
        for name, limit in zip(class_names, thresholds, strict=True)
    )
    return (
        "\n  A picture may have several labels: those whose probability is above\n  "
        f"{limits}."
    )

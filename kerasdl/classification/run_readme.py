"""The README.md of a run folder: how to use its files without kerasdl."""

from collections.abc import Mapping, Sequence

from kerasdl._checks import check_one_of, size_pair

# How Keras's own resize does what each rule did in training.
_RESIZE = {
    "crop": ", crop_to_aspect_ratio=True",
    "squash": "",
    "pad": ", pad_to_aspect_ratio=True",
}

_NAMES = 50  # of classes that the headline lists; labels.txt has all
_TEXT = """\
# {title}

{what}: {classes}.

- `labels.txt`: one class name a line, in output order. {outputs}
- `model.keras` takes RGB pixels, float32 in [0, 255], `(batch, {height}, {width}, 3)`:
  scaling is inside. It returns probabilities.
- `model.tflite` takes one picture, uint8 `(1, {height}, {width}, 3)`, and returns the
  same probabilities in float32.
- `manifest.json` says how they were made{thresholds}.

In plain TensorFlow, run in this folder on an upright photo (`load_img` does not turn it
by its EXIF data):

```python
{first}import keras
import tensorflow as tf

labels = open("labels.txt", encoding="utf-8").read().splitlines()
{read}photo = keras.utils.img_to_array(keras.utils.load_img("photo.jpg"))
pixels = keras.ops.image.resize(photo, ({height}, {width}), antialias=True{resize})
by_keras = keras.saving.load_model("model.keras").predict_on_batch(pixels[None])[0]
lite = tf.lite.Interpreter("model.tflite").get_signature_runner()
by_lite = lite(pixels=tf.cast(pixels[None] + 0.5, "uint8").numpy())["probabilities"][0]
for outputs in (by_keras, by_lite):
{show}
```
"""
_CARD = """
## Model card

| | |
|---|---|
{rows}

{answers}.
How good it is was measured on pictures like those it was trained on; of others
nothing is known.
"""
# With one label a picture, and with several.
_ONE = {
    "what": "A classifier of pictures",
    "outputs": "A model with one output unit\n"
    "  (a sigmoid) returns the probability of line 2.",
    "answers": "It answers one of the classes above, for pictures of other things too",
    "thresholds": "",
    "first": "",
    "read": "",
    "show": """\
    for label, probability in zip(labels[-len(outputs) :], outputs):  # or of line 2
        print(f"{label}: {probability:.4f}")""",
}
_SEVERAL = {
    "what": "A classifier of pictures that may have several of these labels, or none",
    "outputs": "Each output is the\n"
    "  probability of its label alone; they do not sum to 1.",
    "answers": "It answers any of the labels above, or none",
    "thresholds": ". A label is an answer if its probability is\n"
    "  above its own of the `thresholds` there, which are in output order",
    "first": "import json\n\n",
    "read": 'thresholds = json.load(open("manifest.json", encoding="utf-8"))'
    '["thresholds"]\n',
    "show": """\
    for label, probability, threshold in zip(labels, outputs, thresholds):
        answer = "yes" if probability > threshold else "no"
        print(f"{label}: {probability:.4f} {answer}")""",
}


def run_readme(
    class_names: Sequence[str],
    image_size: int | tuple[int, int],
    resize: str = "crop",
    title: str = "A trained classifier",
    multi_label: bool = False,
    facts: Mapping[str, str] | None = None,
) -> str:
    """Return the text of a run folder's README.md.

    Args:
        class_names: in output order.
        image_size: one side or (height, width), in pixels.
        resize: "crop", "squash" or "pad", the rule of the training.
        title: its headline.
        multi_label: whether a picture may have several labels; manifest.json then holds
            `thresholds`, one for each class.
        facts: for a model card: how the model was made and how good it is, by name.

    Raises:
        ValueError: `resize` is none of the three, or `image_size` is no size.
    """
    check_one_of("resize", resize, _RESIZE)
    height, width = size_pair("image_size", image_size)
    parts = _SEVERAL if multi_label else _ONE
    rows = "\n".join(f"| {name} | {fact} |" for name, fact in (facts or {}).items())
    card = _CARD.format(rows=rows, answers=parts["answers"]) if facts else ""
    text = _TEXT.format(
        title=title,
        classes=_some(class_names),
        height=height,
        width=width,
        resize=_RESIZE[resize],
        **parts,
    )
    return text + card


def _some(class_names: Sequence[str]) -> str:
    """The names, or of many the first ones."""
    shown, more = ", ".join(class_names[:_NAMES]), len(class_names) - _NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown

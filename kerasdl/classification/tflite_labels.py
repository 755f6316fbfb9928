"""Class names inside a `.tflite` file of one picture and one output."""

from collections.abc import Sequence

from kerasdl._file_names import LABELS
from kerasdl.artefacts import Tables, with_metadata

# Of the format's metadata, https://ai.google.dev/edge/litert/models/metadata.
_AXIS_LABELS, _IMAGE, _RGB = 2, 2, 1


def with_labels(content: bytes, class_names: Sequence[str], name: str) -> bytes:
    """Add class names to a file: as its metadata, and to be unzipped from it.

    Args:
        content: the file, of one input picture and one output.
        class_names: in output order; two for one output.
        name: of the model.
    """
    texts = {LABELS: "\n".join(class_names)}
    return with_metadata(content, _metadata(name), texts)


def _metadata(name: str) -> bytes:
    """A `ModelMetadata` of RGB pixels in and a probability for each label out."""
    made = Tables()
    table, text, vector = made.table, made.text, made.vector
    image = table(2, b0=_RGB)  # ImageProperties
    content = table(3, b0=_IMAGE, _1=image)  # Content
    pixels = table(7, _0=text("pixels"), _1=text("RGB in [0, 255]"), _3=content)
    labels = table(5, _0=text(LABELS), b2=_AXIS_LABELS)  # AssociatedFile
    answers = table(7, _0=text("probabilities"), _6=vector(labels))
    graph = table(10, _2=vector(pixels), _3=vector(answers))  # SubGraphMetadata
    return made.model(name, graph)

"""Class names inside a `.tflite` file of one picture and one output."""

import io
import zipfile
from collections.abc import Sequence

import flatbuffers
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from kerasdl._file_names import LABELS
from kerasdl.artefacts.packing import pack

# Of the format's metadata, https://ai.google.dev/edge/litert/models/metadata.
_METADATA_NAME, _IDENTIFIER, _MIN_PARSER = "TFLITE_METADATA", b"M001", "1.0.0"
_AXIS_LABELS, _IMAGE, _RGB = 2, 2, 1


def with_labels(content: bytes, class_names: Sequence[str], name: str) -> bytes:
    """Add class names to a file: as its metadata, and to be unzipped from it.

    Args:
        content: the file, of one input picture and one output.
        class_names: in output order; two for one output.
        name: of the model.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    buffer = schema.BufferT()
    buffer.data = bytearray(_metadata(name))
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = _METADATA_NAME, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    file = io.BytesIO(pack(model))
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(LABELS, "\n".join(class_names))
    return file.getvalue()


def _metadata(name: str) -> bytes:
    """A `ModelMetadata` of RGB pixels in and a probability for each label out."""
    builder = flatbuffers.Builder()

    def table(size: int, **slots: int) -> int:
        """A table of `size` fields: `_3` is an offset in the third, `b3` a byte."""
        builder.StartObject(size)
        for key, value in slots.items():
            if key[0] == "b":
                builder.PrependInt8Slot(int(key[1:]), value, 0)
            else:
                builder.PrependUOffsetTRelativeSlot(int(key[1:]), value, 0)
        return builder.EndObject()

    def vector(offset: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    text = builder.CreateString
    image = table(2, b0=_RGB)  # ImageProperties
    content = table(3, b0=_IMAGE, _1=image)  # Content
    pixels = table(7, _0=text("pixels"), _1=text("RGB in [0, 255]"), _3=content)
    labels = table(5, _0=text(LABELS), b2=_AXIS_LABELS)  # AssociatedFile
    answers = table(7, _0=text("probabilities"), _6=vector(labels))
    graph = table(10, _2=vector(pixels), _3=vector(answers))  # SubGraphMetadata
    whole = table(8, _0=text(name), _3=vector(graph), _7=text(_MIN_PARSER))
    builder.Finish(whole, _IDENTIFIER)
    return bytes(builder.Output())

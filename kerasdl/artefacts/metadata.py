"""Metadata in a `.tflite` file, and texts that can be unzipped from it."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from .packing import new_builder, pack

# Of the format's metadata, https://ai.google.dev/edge/litert/models/metadata.
_NAME, _IDENTIFIER, _MIN_PARSER = "TFLITE_METADATA", b"M001", "1.0.0"


class Tables:
    """Writes tables of a flatbuffer schema, innermost first, without its classes."""

    def __init__(self) -> None:
        self.builder = new_builder()
        self.text = self.builder.CreateString

    def table(self, size: int, **slots: float) -> int:
        """A table of `size` fields: `_3` is an offset in the third, counted from 0.

        `b3` is a byte there, `i3` an int, `f3` a float.
        """
        builder = self.builder
        put = {
            "_": builder.PrependUOffsetTRelativeSlot,
            "b": builder.PrependInt8Slot,
            "i": builder.PrependInt32Slot,
            "f": builder.PrependFloat32Slot,
        }
        builder.StartObject(size)
        for key, value in slots.items():
            put[key[0]](int(key[1:]), value, 0)
        return builder.EndObject()

    def vector(self, *offsets: int) -> int:
        """A vector of tables."""
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return self.builder.EndVector()

    def numbers(self, values: Sequence[float], dtype: str) -> int:
        """A vector of numbers."""
        return self.builder.CreateNumpyVector(np.array(values, dtype))

    def finished(self, root: int, identifier: bytes) -> bytes:
        """The buffer whose root is the table `root`."""
        self.builder.Finish(root, identifier)
        return bytes(self.builder.Output())

    def model(self, name: str, graph: int) -> bytes:
        """A `ModelMetadata` of one `SubGraphMetadata`."""
        text, graphs = self.text(name), self.vector(graph)
        root = self.table(8, _0=text, _3=graphs, _7=self.text(_MIN_PARSER))
        return self.finished(root, _IDENTIFIER)


def with_metadata(content: bytes, metadata: bytes, texts: Mapping[str, str]) -> bytes:
    """Add metadata to a file, and texts to be unzipped from it.

    Args:
        content: the file.
        metadata: of `Tables.model`.
        texts: by file name.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    buffer = schema.BufferT()
    buffer.data = bytearray(metadata)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = _NAME, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    file = io.BytesIO(pack(model))
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return file.getvalue()

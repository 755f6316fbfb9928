"""What a file takes when it is zipped: a pruned model shrinks, as zeros do."""

import zlib
from pathlib import Path

_DEFLATE = -15  # without the header of a zip or gzip file, whose name it would count
_BLOCK = 1 << 20


def zipped_bytes(path: str | Path) -> int:
    """Bytes of a file under deflate at its highest level, as in a zip archive.

    Args:
        path: the file; a `.keras` file is an archive itself, of uncompressed files.

    Raises:
        ValueError: there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"`path` must be a file. Received: path={str(path)!r}")
    deflate = zlib.compressobj(9, zlib.DEFLATED, _DEFLATE)
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(_BLOCK), b"")
        count = sum(len(deflate.compress(block)) for block in blocks)
    return count + len(deflate.flush())

"""The files of a form, read in memory."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

_OTHER_FIELDS = 8
_FIELD_BYTES = 1000
_AT_A_TIME = 1 << 16


async def read_form(
    body: bytes, headers: Headers, max_files: int, field: str = "image"
) -> list[bytes]:
    """The content of the files that `multipart/form-data` has in fields `field`.

    Raises:
        HTTPException: 400 for anything else.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    files = []
    if kind == "multipart/form-data":
        parser = MultiPartParser(
            headers,
            _parts(body),
            max_files=max_files,
            max_fields=_OTHER_FIELDS,
            max_part_size=_FIELD_BYTES,
        )
        parser.spool_max_size = 0  # no limit: files stay in memory, which is counted
        try:
            files = (await parser.parse()).getlist(field)
        except MultiPartException as error:
            raise HTTPException(400, error.message) from error
    if not files or not all(isinstance(file, UploadFile) for file in files):
        text = (
            f"the body must be multipart/form-data with files in fields named {field}"
        )
        raise HTTPException(400, text)
    return [await file.read() for file in files if isinstance(file, UploadFile)]


async def _parts(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), _AT_A_TIME):
        yield body[start : start + _AT_A_TIME]
        await asyncio.sleep(0)  # others have their turns

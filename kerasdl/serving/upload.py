"""The files of a form, read in memory."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import HTTPException
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

_OTHER_FIELDS = 8
_FIELD_BYTES = 1000
_CHUNK = 1 << 16


def read_form(body: bytes, headers: Headers, max_files: int) -> list[bytes]:
    """The content of the files that `multipart/form-data` has in fields `image`.

    Raises:
        HTTPException: 400 for anything else.
    """
    kind = headers.get("content-type", "")
    files = []
    if kind.partition(";")[0].strip().lower() == "multipart/form-data":
        # Starlette reads forms in coroutines; this one is the only one of its thread.
        files = asyncio.run(_files(body, headers, max_files))
    if not files:
        text = "the body must be multipart/form-data with files in fields named image"
        raise HTTPException(400, text)
    return files


async def _files(body: bytes, headers: Headers, max_files: int) -> list[bytes]:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), _CHUNK):
            yield body[start : start + _CHUNK]

    parser = MultiPartParser(
        headers,
        chunks(),
        max_files=max_files,
        max_fields=_OTHER_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    parser.spool_max_size = 0  # of no limit: files stay in memory, which is counted
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    files = form.getlist("image")
    if not all(isinstance(file, UploadFile) for file in files):
        return []
    return [await file.read() for file in files]

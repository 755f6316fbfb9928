"""Bodies on their way: how many, how slowly, and what memory they may take."""

import asyncio
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope

from .budget import Budget

# A body of no more bytes than this takes nothing from the budget: it never waits.
_SMALL = 64_000
# What a body becomes, with itself: the text of its JSON, its files or its pixels.
_GROWTH = 3
# Bytes a second; the second while others wait for the memory that a body has.
_LEAST_RATE = 10_000
_LEAST_RATE_WAITED_FOR = 100_000


class _Body:
    """One that arrives."""

    def __init__(self, address: str, is_zipped: bool, needed: int) -> None:
        self.address = address
        self.is_zipped = is_zipped
        self.needed = needed  # of the budget
        self.taken = 0
        self.size = 0  # bytes that have come
        self.start = asyncio.get_running_loop().time()  # later by what it waited
        self.clock = asyncio.timeout(None)
        self.is_displaced = False

    def set_clock(self, when: float | None) -> None:
        """Until when it must have come, in the loop's seconds; None: no matter when."""
        if not self.clock.expired():
            self.clock.reschedule(when)


class Intake:
    """Reads bodies whole.

    One budget bounds the memory of all requests: a body of more than 64 kB takes three
    times its bytes, from then until it is answered; one that is compressed, of any
    size, three times `max_bytes` more. While there is too little left it is not read
    on, and its clock stands still. Other bodies take nothing, and are few: those that
    arrive, and those that are under way.

    A body must come within `body_seconds` and a second more for each 10 kB; while
    others wait for its memory, within a second and one more for each 100 kB. When too
    many arrive, in all or half of them from one address, the oldest makes room: a body
    that comes at once is not turned away.

    Args:
        max_bytes: of a body, as it comes and decompressed.
        max_memory: the budget, in bytes; at least `4 * max_bytes`.
        body_seconds: said above.
        max_arriving: bodies that arrive at a time.

    Raises:
        ValueError: `max_memory` does not hold one body.
    """

    def __init__(
        self,
        max_bytes: int,
        max_memory: int,
        body_seconds: float,
        max_arriving: int,
    ) -> None:
        if max_memory < (1 + _GROWTH) * max_bytes:
            raise ValueError(
                f"`max_memory` must be at least {1 + _GROWTH} times `max_bytes`. "
                f"Received: max_memory={max_memory}, max_bytes={max_bytes}"
            )
        self._max_bytes = max_bytes
        self._body_seconds = body_seconds
        self._max_arriving = max_arriving
        self._memory = Budget(max_memory)
        self._arriving: dict[_Body, None] = {}  # the oldest first

    @asynccontextmanager
    async def body(self, scope: Scope, receive: Receive) -> AsyncIterator[bytes | None]:
        """The body of a request, or None when the client has gone; with its memory.

        Raises:
            HTTPException: 408 for one that comes too slowly, 413 for one that is too
                large, 400 or 415 for one that is compressed wrongly, 503 for the oldest
                of too many.
        """
        body = self._announced(scope)
        try:
            content = await self._arrived(body, receive)
            if content is not None and body.is_zipped:
                content = await asyncio.to_thread(_unzipped, content, self._max_bytes)
            yield content
        finally:
            self._memory.give(body.taken)

    def _announced(self, scope: Scope) -> _Body:
        """What the head of a request says of its body."""
        headers = Headers(scope=scope)
        # Who waits for "100 Continue" does not send a body that is refused.
        ends = {"Connection": "close"} if "expect" in headers else {}
        size = int(headers.get("content-length", self._max_bytes))
        if size > self._max_bytes:
            raise _too_large(self._max_bytes, ends)
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip"):
            text = "Content-Encoding must be gzip, or left out"
            raise HTTPException(415, text, {"Accept-Encoding": "gzip", **ends})
        is_zipped = encoding == "gzip"
        needed = size + _GROWTH * self._max_bytes if is_zipped else _GROWTH * size
        address = scope["client"][0] if scope["client"] else ""
        return _Body(address, is_zipped, needed)

    async def _arrived(self, body: _Body, receive: Receive) -> bytes | None:
        self._make_room(body.address)
        self._arriving[body] = None
        try:
            async with body.clock:
                return await self._read(body, receive)
        except TimeoutError as error:
            if body.is_displaced:
                text = "too many bodies are on their way; try again later"
                raise HTTPException(503, text, {"Retry-After": "1"}) from error
            raise HTTPException(408, "the body came too slowly") from error
        finally:
            self._arriving.pop(body, None)

    async def _read(self, body: _Body, receive: Receive) -> bytes | None:
        chunks: list[bytes] = []
        more = True
        while more:
            self._set_clock(body, body.taken > 0 and self._memory.is_waited_for)
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunk, more = message.get("body", b""), message.get("more_body", False)
            chunks.append(chunk)
            body.size += len(chunk)
            if body.size > self._max_bytes:
                raise _too_large(self._max_bytes)
            is_zipped_and_whole = body.is_zipped and not more
            if not body.taken and (body.size > _SMALL or is_zipped_and_whole):
                await self._take_memory(body)
        return b"".join(chunks)

    async def _take_memory(self, body: _Body) -> None:
        if body.needed > self._memory.left:
            for other in self._arriving:
                if other.taken:
                    self._set_clock(other, True)
        body.set_clock(None)
        time = asyncio.get_running_loop().time
        start = time()
        await self._memory.take(body.needed)
        body.taken = body.needed
        body.start += time() - start

    def _set_clock(self, body: _Body, is_waited_for: bool) -> None:
        seconds, rate = self._body_seconds, _LEAST_RATE
        if is_waited_for:
            seconds, rate = min(seconds, 1), _LEAST_RATE_WAITED_FOR
        body.set_clock(body.start + seconds + body.size / rate)

    def _make_room(self, address: str) -> None:
        """The oldest of the address that has most goes when one more is too many."""
        counts = Counter(body.address for body in self._arriving)
        if len(self._arriving) >= self._max_arriving:
            ((address, _),) = counts.most_common(1)
        elif counts[address] < self._max_arriving / 2:
            return
        oldest = next(body for body in self._arriving if body.address == address)
        del self._arriving[oldest]
        oldest.is_displaced = True
        oldest.set_clock(0)


def _too_large(max_bytes: int, headers: dict[str, str] | None = None) -> HTTPException:
    return HTTPException(413, f"the body must be at most {max_bytes} bytes", headers)


def _unzipped(body: bytes, max_bytes: int) -> bytes:
    """What one gzip member holds: of many tiny ones each would take its time."""
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16)
    try:
        content = member.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise HTTPException(400, f"the body must be gzip ({error})") from error
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    if not member.eof or member.unused_data:
        raise HTTPException(400, "the body must be gzip, whole and in one member")
    return content

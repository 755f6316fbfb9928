import asyncio
import gzip
import re
from contextlib import asynccontextmanager

import pytest
from starlette.exceptions import HTTPException

from kerasdl.serving import intake as intake_module
from kerasdl.serving.intake import Intake

MAX_BYTES = 1_000_000
KB = 1000


class Sender:
    """A client of an intake: its body arrives by `send`."""

    def __init__(self, intake, address="10.0.0.1", **headers):
        self.chunks, self.read = asyncio.Queue(), 0
        names = {key.replace("_", "-"): value for key, value in headers.items()}
        headers = [(key.encode(), str(names[key]).encode()) for key in names]
        self.scope = {"type": "http", "client": (address, 1), "headers": headers}
        self.leaving = asyncio.Event()
        self.task = asyncio.ensure_future(self._ask(intake))

    async def _ask(self, intake):
        async with intake.body(self.scope, self._receive) as body:
            self.read = len(body)
            await self.leaving.wait()
            return body

    async def _receive(self):
        size, more = await self.chunks.get()
        self.read += size
        return {"type": "http.request", "body": b"x" * size, "more_body": more}

    async def send(self, size, more=True):
        self.chunks.put_nowait((size, more))
        await settled()

    async def finished(self):
        self.leaving.set()
        return await self.task

    async def refusal(self):
        with pytest.raises(HTTPException) as caught:
            await self.task
        return caught.value.status_code, caught.value.detail


async def settled():
    """All coroutines have run as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def senders(max_memory=4 * MAX_BYTES, body_seconds=60):
    """`make(...)` gives a sender to one intake; those that are left go in the end."""
    intake, all_ = Intake(MAX_BYTES, max_memory, body_seconds, 16), []

    async def make(address="10.0.0.1", **headers):
        all_.append(Sender(intake, address, **headers))
        await settled()
        return all_[-1]

    yield make
    for sender in all_:
        sender.task.cancel()
    await asyncio.gather(*(sender.task for sender in all_), return_exceptions=True)


def run(story):
    asyncio.run(story())


def test_a_body_arrives_in_parts():
    @run
    async def _():
        async with senders() as make:
            sender = await make(content_length=30)
            await sender.send(10)
            await sender.send(20, more=False)
            assert await sender.finished() == b"x" * 30


def test_a_budget_that_holds_no_body_is_refused():
    message = (
        "`max_memory` must be at least 4 times `max_bytes`. Received: max_memory=39,"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        Intake(10, 39, 1, 16)


def test_what_comes_too_slowly_is_refused():
    @run
    async def _():
        async with senders(body_seconds=0.05) as make:
            sender = await make()
            await sender.send(100)
            assert await sender.refusal() == (408, "the body came too slowly")


def test_slow_bodies_of_an_address_make_room_for_a_whole_one_of_it():
    @run
    async def _():
        async with senders() as make:
            slow = [await make(content_length=100) for _ in range(8)]
            good = await make(content_length=5)
            await good.send(5, more=False)
            assert await good.finished() == b"xxxxx"
            text = "too many bodies are on their way; try again later"
            assert await slow[0].refusal() == (503, text)
            assert not any(each.task.done() for each in slow[1:])


def test_of_all_addresses_that_with_most_bodies_makes_room():
    @run
    async def _():
        async with senders() as make:
            few = [await make(f"10.0.1.{n}") for n in range(9)]
            many = [await make("10.0.0.1") for _ in range(7)]
            await make("10.0.2.1")
            assert (await many[0].refusal())[0] == 503
            assert not any(each.task.done() for each in few + many[1:])


def test_bodies_that_are_there_and_those_that_come_share_a_budget(monkeypatch):
    """Three times their bytes; who waits is not read, and his clock stands still."""
    monkeypatch.setattr(intake_module, "_LEAST_RATE", 1e12)

    @run
    async def _():
        async with senders(4 * MAX_BYTES, body_seconds=0.5) as make:
            first = await make(content_length=700 * KB)
            await first.send(700 * KB, more=False)  # has 2.1 of 4 MB until it leaves
            second = await make(content_length=800 * KB)
            await second.send(100 * KB)
            await second.send(700 * KB, more=False)
            small = await make(content_length=50 * KB)  # never waits
            await small.send(50 * KB, more=False)
            assert len(await small.finished()) == 50 * KB
            third = await make(content_length=600 * KB)  # wants less than the second
            await third.send(600 * KB, more=False)
            assert len(await third.finished()) == 600 * KB
            silent = await make()
            assert (await silent.refusal())[0] == 408  # the time has passed
            assert second.read == 100 * KB and not second.task.done()
            assert len(await first.finished()) == 700 * KB
            assert len(await second.finished()) == 800 * KB


def test_who_is_slow_and_has_memory_that_others_wait_for_makes_room():
    @run
    async def _():
        async with senders(4 * MAX_BYTES, body_seconds=0.05) as make:
            slow = await make(content_length=MAX_BYTES)
            await slow.send(70 * KB)  # 3 MB; else it would have 7 seconds
            good = await make(content_length=900 * KB)
            await good.send(900 * KB, more=False)
            assert (await slow.refusal())[0] == 408
            assert len(await good.finished()) == 900 * KB


def test_a_body_without_a_length_is_counted_as_it_comes():
    @run
    async def _():
        async with senders() as make:
            sender = await make()
            await sender.send(MAX_BYTES)
            await sender.send(1)
            assert (await sender.refusal())[0] == 413


def unzipped(content, encoding="gzip"):
    async def receive():
        return {"type": "http.request", "body": content, "more_body": False}

    async def story():
        headers = [(b"content-encoding", encoding.encode())]
        headers.append((b"content-length", str(len(content)).encode()))
        scope = {"type": "http", "client": None, "headers": headers}
        async with Intake(MAX_BYTES, 4 * MAX_BYTES, 60, 16).body(
            scope, receive
        ) as body:
            return body

    return asyncio.run(story())


def test_gzip_is_unpacked():
    for content in (b"", b"text", bytes(MAX_BYTES)):
        assert unzipped(gzip.compress(content)) == content
    assert unzipped(b"text", "identity") == b"text"


@pytest.mark.parametrize(
    ("content", "encoding", "status", "message"),
    [
        (gzip.compress(bytes(MAX_BYTES + 1)), "gzip", 413, "at most 1000000 bytes"),
        (gzip.compress(bytes(300 * MAX_BYTES)), "gzip", 413, "at most 1000000 bytes"),
        (gzip.compress(b"text" * 99)[:-1], "gzip", 400, "whole and in one member"),
        (gzip.compress(b"") * 9, "gzip", 400, "whole and in one member"),
        (gzip.compress(b"text") + b"\0", "gzip", 400, "whole and in one member"),
        (b"", "gzip", 400, "whole and in one member"),
        (b"text", "gzip", 400, "the body must be gzip (Error -3"),
        (b"text", "br", 415, "Content-Encoding must be gzip"),
        (b"text", "gzip, gzip", 415, "Content-Encoding must be gzip"),
    ],
    # A gzip file holds the time: as a part of a name it would differ by worker.
    ids=["over", "bomb", "cut", "members", "trailing", "empty", "plain", "br", "twice"],
)
def test_what_is_compressed_wrongly_is_refused(content, encoding, status, message):
    with pytest.raises(HTTPException) as caught:
        unzipped(content, encoding)
    assert caught.value.status_code == status
    assert message in caught.value.detail

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from kerasdl import _meeting
from kerasdl._meeting import meet


def addresses(count):
    with ExitStack() as stack:
        made = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count)
        ]
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in made]


def meet_all(places, own):
    with ThreadPoolExecutor(len(own)) as pool:
        return [pool.submit(meet, places, place) for place in own]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_all_come_and_leave_their_addresses_free(count):
    places = addresses(count)
    for future in meet_all(places, range(count)):
        assert future.result() is None
    for place in places:
        socket.create_server(("127.0.0.1", int(place.split(":")[1]))).close()


@pytest.mark.parametrize("taken", [0, 2])
def test_an_address_that_is_taken_is_told_to_all(taken):
    places = addresses(3)
    port = int(places[taken].split(":")[1])
    with socket.create_server(("127.0.0.1", port)):
        for future in meet_all(places, range(3)):
            with pytest.raises(ValueError, match=f"is free. Received: {places[taken]}"):
                future.result()


def test_strangers_count_for_nothing(monkeypatch):
    monkeypatch.setattr(_meeting, "_tell", lambda *args: False)
    words = iter(["", "GET / HTTP/1.1", "kerasdl ready 7", "kerasdl taken 0", "x 1"])
    heard = []

    def hear(listener):
        heard.append(next(words, "kerasdl ready 1"))
        return heard[-1]

    class Selector:
        register = __enter__ = lambda self, *args: self
        select = lambda self, *args: True  # noqa: E731
        __exit__ = lambda self, *args: None  # noqa: E731

    monkeypatch.setattr(_meeting, "_hear", hear)
    monkeypatch.setattr(_meeting.selectors, "DefaultSelector", Selector)
    meet(addresses(2), 0)
    assert len(heard) == 6


def test_machines_that_do_not_come_are_named(monkeypatch):
    monkeypatch.setattr(_meeting, "WAIT_SECONDS", -1)
    places = addresses(3)
    with pytest.raises(TimeoutError, match=f"Missing: {places[1]}, {places[2]}"):
        meet(places, 0)

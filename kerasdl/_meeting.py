"""Processes of a job meet before TensorFlow starts, whose own wait has no end."""

import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

WAIT_SECONDS = 1800  # for the machine that comes last
_TELLING_SECONDS = 10  # to others that are a little later
_AGAIN_SECONDS = 0.1
_READY, _TAKEN = "kerasdl ready", "kerasdl taken"


def meet(addresses: Sequence[str], own: int) -> None:
    """Wait until the processes of all `addresses` are there, and can take them.

    Each listens at its address and tells all others, until it has heard from them. One
    whose address is taken tells them that instead.

    Args:
        addresses: "host:port" of each process, in one order for all.
        own: place of this process among them.

    Raises:
        ValueError: something else uses the address of this process, or of another.
        TimeoutError: others have not come within half an hour.
    """
    others = [place for place in range(len(addresses)) if place != own]
    if not others:
        return
    try:
        listener = socket.create_server(("", _parts(addresses[own])[1]))
    except OSError as error:
        until = time.monotonic() + _TELLING_SECONDS
        while others and time.monotonic() < until:
            others = [p for p in others if not _tell(addresses[p], _TAKEN, own)]
        raise _taken(addresses[own]) from error
    with listener:
        _hear_all(listener, addresses, own, others)
    for place in others:  # that came after it was told, and waits
        _tell(addresses[place], _READY, own)


def _hear_all(
    listener: socket.socket, addresses: Sequence[str], own: int, others: Sequence[int]
) -> None:
    missing, until = set(others), time.monotonic() + WAIT_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while missing:
            if time.monotonic() > until:
                raise TimeoutError(
                    "the other machines of TF_CONFIG must come. Missing: "
                    f"{', '.join(addresses[place] for place in sorted(missing))}"
                )
            for place in missing:
                _tell(addresses[place], _READY, own)
            while missing and selector.select(_AGAIN_SECONDS):
                word, _, place = _hear(listener).rpartition(" ")
                if place not in map(str, others):
                    continue  # a stranger's
                if word == _TAKEN:
                    raise _taken(addresses[int(place)])
                if word == _READY:
                    missing.discard(int(place))


def _tell(address: str, word: str, own: int) -> bool:
    with suppress(OSError), socket.create_connection(_parts(address), 1) as connection:
        connection.sendall(f"{word} {own}".encode())
        return True
    return False


def _hear(listener: socket.socket) -> str:
    with suppress(OSError):
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(1)
            return connection.recv(64).decode(errors="replace")
    return ""


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _taken(address: str) -> ValueError:
    return ValueError(
        "TF_CONFIG must give every process an address that is free. Received: "
        f"{address}, which something else uses. End that, "
        "or change the port on all machines."
    )

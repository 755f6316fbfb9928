import logging
import os
import socket

import pytest

from kerasdl.serving import connections
from kerasdl.serving.connections import Rarely, most_connections


def connected(client):
    return socket.create_connection(("127.0.0.1", client.port), timeout=60)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HT",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HT",
    ],
)
def test_who_sends_no_head_is_not_waited_for(sent, run_server, predictor):
    with run_server(predictor, head_seconds=0.2) as client:
        address = ("127.0.0.1", client.port)
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(sent)
            seen = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        assert (b"200 OK" in seen) == (b"\r\n\r\n" in sent)
        assert client.get("/healthz").status == 200


def test_a_slow_body_outlives_the_time_for_heads(
    run_server, predictor, upload_form, photo
):
    body, headers = upload_form(photo())
    with run_server(predictor, head_seconds=0.05) as client:
        slow = client.half_sent(body, headers=headers)
        with socket.create_connection(("127.0.0.1", client.port), 60) as silent:
            assert silent.recv(1) == b""  # the time has passed
        slow.send(body[-1:])
        assert slow.getresponse().status == 200
        slow.close()


def test_silent_connections_leave_room_for_others(run_server, predictor, monkeypatch):
    monkeypatch.setattr(connections, "_MOST_CONNECTIONS", 20)
    with run_server(predictor, head_seconds=600) as client:
        silent = [connected(client) for _ in range(100)]
        assert client.get("/healthz").status == 200
        under_way = client.half_sent(b"0123456789")
        silent += [connected(client) for _ in range(100)]
        assert client.get("/healthz").status == 200
        under_way.send(b"9")
        assert under_way.getresponse().status == 400
        under_way.close()
        # The oldest have gone, the youngest have not.
        assert silent[0].recv(1) == b""
        silent[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert silent[-1].recv(12) == b"HTTP/1.1 200"
        for connection in silent:
            connection.close()


def test_connections_take_half_of_the_files_that_may_be_open(monkeypatch):
    for files, most in ((64, 32), (1024, 512), (1_000_000, 1000)):
        monkeypatch.setattr(os, "sysconf", {"SC_OPEN_MAX": files}.__getitem__)
        assert most_connections() == most


def test_who_does_not_take_the_answer_is_not_waited_for(run_server, predictor):
    with run_server(predictor, head_seconds=0.2) as client, connected(client) as deaf:
        request = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
        with pytest.raises(OSError):  # it is thrown out
            while True:
                deaf.sendall(request * 1000)
        assert client.get("/healthz").status == 200


def record(message, created, error=None):
    found = logging.LogRecord(
        name="asyncio",
        level=40,
        pathname="",
        lineno=0,
        msg=message,
        args=(),
        exc_info=None,
    )
    found.created = created
    found.exc_info = error and (type(error), error, None)
    return found


def test_a_line_is_logged_once_a_minute():
    log = Rarely()
    shown = [
        log.filter(record(message, seconds, error))
        for message, seconds, error in [
            ("no HTTP", 0, None),
            ("no HTTP", 59, None),
            ("accept failed\nfd=4", 59, OSError(24, "")),
            ("accept failed\nfd=5", 60, OSError(24, "")),
            ("accept failed", 60, ValueError()),
            ("no HTTP", 61, None),
            ("no HTTP", 62, None),
        ]
    ]
    assert shown == [True, False, True, False, True, True, False]


def test_the_log_of_a_server_is_rare(run_server, predictor, capfd, monkeypatch):
    # Servers that ran before in this process left theirs.
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "filters", [])
    with run_server(predictor) as client:
        for _ in range(5):
            with connected(client) as connection:
                connection.sendall(b"no HTTP\r\n\r\n")
                assert connection.recv(12) == b"HTTP/1.1 400"
    assert capfd.readouterr().err.count("Invalid HTTP request") == 1

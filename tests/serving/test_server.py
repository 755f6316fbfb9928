import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kerasdl.serving import ServedModel, Server, bind

SIZE = (8, 12)
REPOSITORY = Path(__file__).parents[2]


def test_a_taken_port_and_a_foreign_address_are_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = rf"free port \(0 takes one\).*port={port} \(Address already in use"
        with pytest.raises(ValueError, match=message):
            bind(port=port)
    with pytest.raises(ValueError, match="must be an address of this machine"):
        bind("192.0.2.1", 0)
    with pytest.raises(ValueError, match="`host` must be an address. Received: host="):
        bind("no host at all", 0)


def test_a_port_is_taken_from_bind_on():
    with bind(port=0) as first:
        port = first.getsockname()[1]
        for host in ("127.0.0.1", "0.0.0.0"):
            with pytest.raises(ValueError, match="a free port"):
                bind(host, port)


def test_the_address_tells_whether_others_reach_it():
    for host, url, is_loopback in [
        ("127.0.0.1", "http://127.0.0.1", True),
        ("localhost", "http://127.0.0.1", True),
        ("0.0.0.0", "http://0.0.0.0", False),
    ]:
        with bind(host, 0) as bound:
            server = Server(None, bound)
            if bound.family == socket.AF_INET:
                assert server.url == f"{url}:{bound.getsockname()[1]}"
            assert server.is_loopback is is_loopback


def test_a_port_that_was_served_a_moment_ago_is_free(run_server, predictor):
    """The server closes first, so that the system remembers the connection here."""
    with run_server(predictor) as client:
        port = client.port
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(
                b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            )
            while connection.recv(1 << 16):
                pass
    bind(port=port).close()


def test_names_that_an_address_cannot_hold_are_refused(predictor):
    for name in ("", "a/b", "a b", "é", "a:predict", "a\n"):
        with pytest.raises(ValueError, match="`name` must be letters, digits"):
            ServedModel(predictor, name)


def test_a_missing_package_is_an_error_that_names_the_extra():
    code = (
        "import sys; sys.modules['starlette'] = None\n"
        "import kerasdl\n"
        "try: kerasdl.serving.create_app()\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert "This needs the package 'starlette'" in result.stdout
    assert "pip install 'kerasdl[serve]'" in result.stdout

"""A classifier behind HTTP in one call: from a notebook, or at the end of a script."""

import threading

from kerasdl._notebook import is_console
from kerasdl.classification import Predictor

from .app import create_app
from .served_model import ServedModel
from .server import Server, bind


def serve(
    predictor: Predictor,
    name: str = "model",
    host: str = "127.0.0.1",
    port: int = 8501,
    *,
    wait: bool | None = None,
) -> Server:
    """Answer photos at `http://HOST:PORT`, which is printed; see `create_app`.

    Args:
        predictor: that answers.
        name: what its address calls it.
        host: an address of this machine; "0.0.0.0" lets the network in, without a
            password.
        port: 0 takes a free one.
        wait: until Ctrl-C; False serves in a thread until `stop` of what is returned.
            None waits in a script, and does not where somebody types.

    Raises:
        ValueError: the port is taken, or an argument is none of these.

    Example:
        ```
        server = learn.serve(port=0)
        server.stop()
        ```
    """
    bound = bind(host, port)
    ready = threading.Event()
    try:
        server = Server(create_app(ServedModel(predictor, name)), bound, ready.set)
    except BaseException:
        bound.close()
        raise
    thread = threading.Thread(target=server.run_until_stopped, daemon=True)
    server.thread = thread
    thread.start()
    while thread.is_alive() and not ready.wait(0.1):
        pass
    how = "`stop()` of what is returned ends it"
    if wait is None:
        wait = not is_console()
    print(f"{name} on {server.url} ({'Ctrl-C stops' if wait else how})", flush=True)
    if wait:
        try:
            thread.join()
        except KeyboardInterrupt:
            server.stop()
    return server

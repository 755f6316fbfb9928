"""How long a running server takes to answer, and how many requests a second it answers.

    python recipes/benchmarks/serving.py saved_models/cats_dogs --photo photo.jpg
    python recipes/benchmarks/serving.py http://127.0.0.1:8501 --photo photo.jpg

Of a run folder a `recipes/serve.py` is started for each `--servers`, and beside them
the least that answers at all: uvicorn with the model's `predict_on_batch`, or its
`.tflite` file, and nothing around it. In rounds each of them in turn has so many
clients at a time. A client sends a photo (a form to /classify, to a bare server the
file), waits for the answer and sends the next, over one connection.

Milliseconds are from a request's first byte to its answer's last, of all rounds; `a
second` is the median of the rounds; `a batch` is photos in a call of the model, from
/metrics; `refused` counts answers other than 200; `start s` is until a server's first
answer, `MB` the memory that it has then.

Clients and servers share this machine's processors: compare rows of one run only.
"""

import argparse
import http.client
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

import kerasdl

SERVE = Path(__file__).parents[1] / "serve.py"
BARE = Path(__file__).with_name("_bare_server.py")
# What is started for a run: the script, its arguments around the run.
SERVERS = {
    "litert": (SERVE, "RUN", "--port", "0", "--runtime", "litert"),
    "bare litert": (BARE, "litert", "RUN"),
    "keras": (SERVE, "RUN", "--port", "0", "--runtime", "keras"),
    "keras, waits 2 ms": (
        SERVE,
        "RUN",
        "--port",
        "0",
        "--runtime",
        "keras",
        "--max-wait-ms",
        "2",
    ),
    "bare keras": (BARE, "keras", "RUN"),
}
BOUNDARY = "kerasdl-7f3a91c5"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@dataclass
class Target:
    """A server, and what it answered so far."""

    name: str
    url: str
    body: bytes
    headers: dict[str, str]
    start: str = ""
    taken: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def is_bare(self):
        return self.name.startswith("bare")


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    positive = kerasdl.workbench.positive_int
    add = parser.add_argument
    add("target", metavar="URL_OR_RUN", help="a server, or a run folder to serve")
    add("--photo", type=Path, required=True, metavar="FILE", help="what is sent")
    add(
        "--servers",
        nargs="+",
        choices=list(SERVERS),
        default=list(SERVERS),
        help="of a run; default: all",
    )
    add(
        "--clients",
        type=positive,
        nargs="+",
        default=[1, 16, 64],
        metavar="N",
        help="at a time; a row each (default: 1 16 64)",
    )
    add("--requests", type=positive, default=200, metavar="N", help="of a round")
    add("--rounds", type=positive, default=5, metavar="N", help="default: 5")
    args = parser.parse_args(argv)
    if args.requests < 2:
        parser.error(f"--requests must be at least 2. Received: {args.requests}")
    if not args.photo.is_file():
        parser.error(f"--photo must be an existing file. Received: {args.photo}")
    if not is_url(args.target):
        try:
            kerasdl.runs.read_run(args.target)
        except ValueError as error:
            parser.error(f"URL_OR_RUN must begin with http://, or {error}")
    return args


def main(argv=None):
    args = parse_args(argv)
    photo = args.photo.read_bytes()
    with ExitStack() as stack:
        if is_url(args.target):
            targets = [Target("", args.target, upload(photo), FORM)]
            first_answer(targets[0])
        else:
            served = (begun(args.target, name, photo) for name in args.servers)
            targets = [stack.enter_context(each) for each in served]
        print(f"{'clients':>8} {'server':18}{'p50 ms':>9}{'p95 ms':>9}", end="")
        print(f"{'p99 ms':>9}{'a second':>10}{'a batch':>9}{'refused':>9}")
        for clients in args.clients:
            print("\n".join(rows(targets, clients, args.requests, args.rounds)))
        print("".join(target.start for target in targets), end="", flush=True)


def is_url(target):
    return target.startswith("http://")


@contextmanager
def begun(run, name, photo):
    """A server of a run, which has answered once."""
    command = [run if part == "RUN" else part for part in SERVERS[name]]
    start = time.perf_counter()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, *command], text=True, **pipes) as server:
        try:
            words = server.stdout.readline().split()
            urls = [word for word in words if is_url(word)]
            if not urls:
                raise OSError(f"the server {name!r} did not start")
            is_bare = command[0] == BARE
            body, headers = (photo, {}) if is_bare else (upload(photo), FORM)
            target = Target(name, urls[0], body, headers)
            first_answer(target)
            seconds = time.perf_counter() - start
            status = Path(f"/proc/{server.pid}/status")
            if status.exists():
                (line,) = [
                    line for line in status.read_text().splitlines() if "VmRSS" in line
                ]
                megabytes = int(line.split()[1]) / 1000
                target.start = (
                    f"{name:18} start s {seconds:5.1f}   MB {megabytes:6.0f}\n"
                )
            yield target
        finally:
            server.terminate()
            server.communicate()


def rows(targets, clients, requests, rounds):
    """Lines of the table, one a server: so many clients at a time."""
    before = [batches(target) for target in targets]
    for target in targets:
        target.taken, target.rates, target.refused = [], [], 0
    for _ in range(rounds):
        for target in targets:
            measure(target, clients, requests)
    for target, (calls, photos) in zip(targets, before, strict=True):
        if len(target.taken) < 2:
            raise OSError(f"{target.refused} requests were refused")
        cuts = quantiles(target.taken, n=100, method="inclusive")
        calls_after, photos_after = batches(target)
        size = (photos_after - photos) / max(calls_after - calls, 1)
        yield (
            f"{clients:8} {target.name:18}{cuts[49]:9.2f}{cuts[94]:9.2f}"
            f"{cuts[98]:9.2f}{median(target.rates):10.1f}{size:9.1f}"
            f"{target.refused:9}"
        )


def measure(target, clients, requests):
    """A round of one server."""
    shares = [requests // clients + (i < requests % clients) for i in range(clients)]
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(lambda share: client(target, share), shares))
    seconds = time.perf_counter() - start
    answers = [answer for each in answers for answer in each]
    taken = [1000 * each for status, each in answers if status == 200]
    target.taken += taken
    target.rates.append(len(taken) / seconds)
    target.refused += len(answers) - len(taken)


def client(target, requests):
    """Status and seconds of each of `requests`, one after the other."""
    answers = []
    connection = connect(target)
    for _ in range(requests):
        start = time.perf_counter()
        status, _ = ask(connection, "POST", "/classify", target.body, target.headers)
        answers.append((status, time.perf_counter() - start))
    connection.close()
    return answers


def first_answer(target):
    """An error of the photo or the server ends everything here."""
    connection = connect(target)
    try:
        status, content = ask(
            connection, "POST", "/classify", target.body, target.headers
        )
    except http.client.HTTPException as error:
        raise ValueError(
            f"`URL_OR_RUN` must be an HTTP server. Received: {target.url} ({error!r})"
        ) from error
    finally:
        connection.close()
    if status != 200:
        text = content.decode(errors="replace")
        raise ValueError(f"{target.url} answers {status}: {text}")


def connect(target):
    return http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=60)


def ask(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def batches(target):
    """Calls of the model so far, and photos in them; a bare server does not say."""
    if target.is_bare:
        return 0, 0
    connection = connect(target)
    _, text = ask(connection, "GET", "/metrics")
    connection.close()
    values = dict(line.rsplit(" ", 1) for line in text.decode().splitlines())
    names = ("serving_batch_size_count", "serving_batch_size_sum")
    return tuple(float(values[name]) for name in names)


def upload(photo):
    """The body of a form with one file."""
    head = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        'name="image"; filename="photo"\r\n\r\n'
    )
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


if __name__ == "__main__":
    kerasdl.workbench.run_recipe(main)

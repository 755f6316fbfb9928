"""How long a running server takes to answer, and how many requests a second it answers.

    python recipes/benchmarks/serving.py saved_models/cats_dogs --photo photo.jpg
    python recipes/benchmarks/serving.py http://127.0.0.1:8501 --photo photo.jpg

A run folder is served by a `recipes/serve.py` of its own, on a free port, for as long
as this takes. Each of so many clients at a time sends a photo to /classify, waits for
the answer and sends the next, over one connection. Milliseconds are from a request's
first byte to its answer's last; `a batch` is photos in a call of the model, from
/metrics; `refused` counts answers other than 200.

Client and server share this machine's processors: compare rows of one run only.
"""

import argparse
import http.client
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import kerasdl

SERVE = Path(__file__).parents[1] / "serve.py"
BOUNDARY = "kerasdl-7f3a91c5"


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    positive = kerasdl.workbench.positive_int
    add = parser.add_argument
    add("target", metavar="URL_OR_RUN", help="a server, or a run folder to serve")
    add("--photo", type=Path, required=True, metavar="FILE", help="what is sent")
    add(
        "--clients",
        type=positive,
        nargs="+",
        default=[1, 4, 16],
        metavar="N",
        help="at a time; a row each (default: 1 4 16)",
    )
    add("--requests", type=positive, default=200, metavar="N", help="of each row")
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
    body = upload(args.photo.read_bytes())
    with served(args.target) as url:
        try:
            send(url, body)  # an error of the photo or the server ends this here
        except http.client.HTTPException as error:
            raise ValueError(
                f"`URL_OR_RUN` must be an HTTP server. Received: {url} ({error!r})"
            ) from error
        print(f"{'clients':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}", end="")
        print(f"{'a second':>10}{'a batch':>9}{'refused':>9}")
        for clients in args.clients:
            print(row(url, body, clients, args.requests), flush=True)


def is_url(target):
    return target.startswith("http://")


@contextmanager
def served(target):
    """The address of a server, which is started, and stopped, for a run folder."""
    if is_url(target):
        yield target
        return
    command = [sys.executable, SERVE, target, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            words = server.stdout.readline().split()
            urls = [word for word in words if is_url(word)]
            if not urls:
                raise OSError("the server did not start")
            yield urls[0]
        finally:
            server.terminate()
            server.communicate()


def row(url, body, clients, requests):
    """A line of the table: so many clients at a time."""
    shares = [requests // clients + (i < requests % clients) for i in range(clients)]
    calls, photos = batches(url)
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(lambda share: client(url, body, share), shares))
    seconds = time.perf_counter() - start
    answers = [answer for each in answers for answer in each]
    taken = [1000 * each for status, each in answers if status == 200]
    refused = len(answers) - len(taken)
    if len(taken) < 2:
        raise OSError(f"{refused} of {len(answers)} requests were refused")
    cuts = quantiles(taken, n=100, method="inclusive")
    calls_after, photos_after = batches(url)
    size = (photos_after - photos) / (calls_after - calls)
    return (
        f"{clients:8}{cuts[49]:9.1f}{cuts[94]:9.1f}{cuts[98]:9.1f}"
        f"{len(taken) / seconds:10.1f}{size:9.1f}{refused:9}"
    )


def client(url, body, requests):
    """Status and seconds of each of `requests`, one after the other."""
    answers = []
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    for _ in range(requests):
        start = time.perf_counter()
        status, _ = ask(connection, "POST", "/classify", body)
        answers.append((status, time.perf_counter() - start))
    connection.close()
    return answers


def send(url, body):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    status, content = ask(connection, "POST", "/classify", body)
    connection.close()
    if status != 200:
        raise ValueError(f"{url} answers {status}: {content.decode(errors='replace')}")


def ask(connection, method, path, body=None):
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    connection.request(method, path, body, headers if body else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def batches(url):
    """Calls of the model so far, and photos in them."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
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

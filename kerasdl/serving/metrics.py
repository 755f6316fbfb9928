"""What the server did, in Prometheus's text format."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counts of one server; the process's memory and processor time are with them.

    Attributes:
        requests: answered requests by path (of the route, not as sent) and status code.
        seconds: from a request's first byte to the end of its answer, by path.
        in_flight: requests with a body that are not answered yet.
        batch_sizes: pictures in each call of the model.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "serving_requests",
            "Answered requests",
            ("path", "code"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "serving_request_seconds",
            "Time of a request",
            ("path",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.in_flight = Gauge(
            "serving_requests_in_flight",
            "Requests with a body under way",
            registry=self._registry,
        )
        self.batch_sizes = Histogram(
            "serving_batch_size",
            "Pictures in a call of the model",
            buckets=_BATCHES,
            registry=self._registry,
        )

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self._registry)

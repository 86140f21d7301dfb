"""Prometheus metrics. Labels are methods, codes and names of parts: never a person or tenant."""

import threading
from collections.abc import Callable
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

# From a cached read to the longest call that is allowed, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "medhub_calls", "Calls ended, by method and code.", ("method", "code"),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "medhub_call_seconds", "Time from arrival to answer.", ("method",),
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._children: dict[tuple[str, str], Callable[[float], None]] = {}

    def ended(self, method: str, code: str, seconds: float) -> None:
        """Count a call. The label children are looked up once."""
        note = self._children.get((method, code))
        if note is None:
            note = self._children[method, code] = self._noting(method, code)
        note(seconds)

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is scraped."""
        Gauge(name, help_text, registry=self.registry).set_function(read)

    def counter(self, name: str, help_text: str) -> Counter:
        """A counter of a service's own."""
        return Counter(name, help_text, registry=self.registry)

    def serve(self, listen: str) -> tuple[WSGIServer, threading.Thread]:
        """Serve `/metrics` on an address of its own, in a thread."""
        host, _, port = listen.rpartition(":")
        return start_http_server(int(port), addr=host, registry=self.registry)

    def _noting(self, method: str, code: str) -> Callable[[float], None]:
        count = self._calls.labels(method, code).inc
        observe = self._seconds.labels(method).observe

        def note(seconds: float) -> None:
            count()
            observe(seconds)

        return note

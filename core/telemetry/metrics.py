"""Prometheus metrics. Labels are methods, codes and names of parts: never a person or tenant."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from core.starting import CannotStart

# From a cached read to the longest call that is allowed, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


class _Calls(Collector):
    """Calls that have ended, in plain numbers.

    The event loop alone writes them. The library's own counters take a lock at each step, which
    costs more than a call's line in the log.
    """

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str], int] = {}
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def ended(self, method: str, code: str, seconds: float) -> None:
        """Count a call."""
        key = method, code
        self._ended[key] = self._ended.get(key, 0) + 1
        buckets = self._buckets.get(method)
        if buckets is None:
            buckets = self._buckets[method] = [0] * (len(BUCKETS) + 1)
        buckets[bisect_left(BUCKETS, seconds)] += 1
        self._seconds[method] = self._seconds.get(method, 0.0) + seconds

    def collect(self) -> Iterator[Metric]:
        """What is scraped, in a thread of its own."""
        calls = CounterMetricFamily(
            "medhub_calls", "Calls ended, by method and code.", labels=("method", "code")
        )
        for (method, code), many in list(self._ended.items()):
            calls.add_metric((method, code), many)
        yield calls
        times = HistogramMetricFamily(
            "medhub_call_seconds", "Time from arrival to answer.", labels=("method",)
        )
        for method, seconds in list(self._seconds.items()):
            times.add_metric((method,), _cumulated(self._buckets[method]), seconds)
        yield times


def _cumulated(buckets: list[int]) -> list[tuple[str, int]]:
    """Bounds and counts as Prometheus has them: each bucket holds the smaller ones too."""
    told, sofar = [], 0
    for bound, many in zip((*map(str, BUCKETS), "+Inf"), buckets, strict=True):
        sofar += many
        told.append((bound, sofar))
    return told


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        calls = _Calls()
        self.registry.register(calls)
        self.ended = calls.ended

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is scraped."""
        Gauge(name, help_text, registry=self.registry).set_function(read)

    def counter(self, name: str, help_text: str) -> Counter:
        """A counter of a service's own."""
        return Counter(name, help_text, registry=self.registry)

    def serve(self, listen: str) -> tuple[WSGIServer, threading.Thread]:
        """Serve `/metrics` on an address of its own, in a thread. Raises CannotStart."""
        host, _, port = listen.rpartition(":")
        try:
            return start_http_server(int(port), addr=host.strip("[]"), registry=self.registry)
        except (OSError, ValueError, OverflowError) as fault:
            why = f"METRICS_LISTEN: cannot serve metrics at {listen}: {fault}"
            raise CannotStart(f"{why} (of several workers each takes the next port)") from fault

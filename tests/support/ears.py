"""What can be overheard: what the servers of this process write, measure and tell callers."""

import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from prometheus_client import generate_latest

from core.telemetry.logs import JsonLines
from tests.support.matrix_wire import Seam
from tests.support.matrix_world import World


@dataclass
class Ears:
    """What the servers write, and what their callers see of a status."""

    written: io.StringIO = field(default_factory=io.StringIO)
    statuses: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def call(
        self, world: World, method: str, request: Message | bytes, metadata: Any = ()
    ) -> grpc.StatusCode:
        """Call with these bytes, and note all that comes back beside the answer."""
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        go: Any = world.platform.channel(method.split(".")[1]).unary_unary(f"/{method}")
        call = go(raw, metadata=metadata, timeout=20)
        try:
            await call
        except grpc.aio.AioRpcError as error:
            self.statuses += [error.details() or "", error.debug_error_string() or ""]
            self.statuses.append(repr(error.trailing_metadata()))
        self.statuses.append(repr((await call.initial_metadata(), await call.trailing_metadata())))
        code: grpc.StatusCode = await call.code()
        return code

    def take(self) -> str:
        """What was written since the last time."""
        written = self.written.getvalue()
        self.written.seek(0)
        self.written.truncate()
        return written


_OF_CLIENTS = ("grpc/aio/_call.py", "aclose(): asynchronous generator is already running")


class _Errors(logging.Handler):
    """Keeps what is logged as an error, whole: where it came from, and the line of the log.

    What grpcio's client leaves behind of a stream that was refused while it wrote is no fault of a
    server: its tasks, and the iterator of requests that they were still reading.
    """

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._into = into
        self.setFormatter(JsonLines("all"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one, unless it is of a client."""
        text = record.getMessage()
        if not any(mark in text for mark in _OF_CLIENTS):
            self._into.append(f"{self.format(record)} {text if record.name == 'asyncio' else ''}")


@contextmanager
def listening() -> Iterator[Ears]:
    """Listen to the streams of this process and to every logger, for the length of a block."""
    heard = Ears()
    handler = logging.StreamHandler(heard.written)
    handler.setFormatter(JsonLines("all"))
    root = logging.getLogger()
    level = root.level
    errors = _Errors(heard.errors)
    root.addHandler(handler)
    root.addHandler(errors)
    root.setLevel(logging.INFO)
    try:
        with redirect_stdout(heard.written), redirect_stderr(heard.written):
            yield heard
    finally:
        root.removeHandler(handler)
        root.removeHandler(errors)
        root.setLevel(level)


def metrics_of(seam: Seam) -> list[str]:
    """What each server would tell a scraper."""
    registries = {id(s.metrics): s.metrics.registry for s in seam.steps.values()}
    return [generate_latest(registry).decode() for registry in registries.values()]


def heard_of(words: Iterable[str], places: Iterable[str]) -> list[str]:
    """Those of the words that stand in one of the places, in any case."""
    folded = [place.casefold() for place in places]
    return [word for word in words if any(word.casefold() in place for place in folded)]

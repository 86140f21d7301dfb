"""The one place that reads the wall clock, so that tests can hold it still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _wall() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _wall


def now() -> datetime:
    """The present time, aware, in UTC."""
    return _source()


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Hold the clock at one moment for the length of a block (tests only)."""
    global _source
    before, _source = _source, lambda: at
    try:
        yield
    finally:
        _source = before

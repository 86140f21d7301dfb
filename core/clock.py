"""The one place that reads the wall clock, so that tests can hold it still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _wall() -> datetime:
    return datetime.now(UTC)


_sources: list[Callable[[], datetime]] = [_wall]


def now() -> datetime:
    """The present time, aware, in UTC."""
    return _sources[-1]()


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Hold the clock at one moment for the length of a block (tests only)."""
    _sources.append(lambda: at)
    try:
        yield
    finally:
        _sources.pop()

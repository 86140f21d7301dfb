"""Time that passes only when nobody has anything left to do: the clocks of a simulation.

The event loop never sleeps. When every task waits, its time jumps to the next timer, so minutes
of a protocol take as long as the work in them. Machines have wall clocks that disagree; the
monotonic clock is one and the same, since no machine compares its own with another's.
"""

import asyncio
import selectors
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from core import clock

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


class NothingLeft(Exception):
    """Every task waits for another one: nothing would ever happen again."""


class _Waiting(selectors.SelectSelector):
    """Instead of waiting for input, of which there is none, lets the time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise NothingLeft
        self.now += max(timeout, 0.0)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop on simulated time, in seconds from 0."""

    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        """The simulated time."""
        return self._waiting.now


@dataclass(eq=False)
class Machine:
    """Where something runs: a name, and a wall clock that is wrong by `skew` seconds."""

    name: str
    skew: float = 0.0
    _context: Context = field(default_factory=copy_context)

    def __post_init__(self) -> None:
        self._context.run(_here.set, self)

    def run(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start a task on this machine."""
        return asyncio.create_task(work, context=self._context.copy())

    def now(self) -> datetime:
        """What its wall clock shows."""
        return START + timedelta(seconds=asyncio.get_running_loop().time() + self.skew)


_here: ContextVar[Machine] = ContextVar("simulated_machine")


def _wall() -> datetime:
    return _here.get(_NOWHERE).now()


_NOWHERE = Machine("nowhere")


@contextmanager
def simulated_clocks() -> Iterator[None]:
    """Let `core.clock` show the wall clock of the machine whose task asks."""
    before = clock._sources
    clock._sources = [_wall]
    try:
        yield
    finally:
        clock._sources = before


def run(work: Coroutine[Any, Any, Any]) -> None:
    """Run a simulation to its end, and whatever it left running to an end as well."""
    loop = SimulatedLoop()
    # What a cancelled task of the simulation raises is nobody's concern.
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        with simulated_clocks():
            loop.run_until_complete(_whole(work))
            loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


async def _whole(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    finally:
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=1.0)

"""The deadlines of unary calls, all kept by one timer.

`asyncio.timeout` makes a timer for each call and removes it again, which costs more than the proof
of the caller, and nearly no call needs it. Here whoever is in progress is looked over every
LOOK_EVERY seconds, so a call ends at most that long after its deadline.
"""

import asyncio
import math
from types import TracebackType
from typing import Any

LOOK_EVERY = 0.01


class Deadlines:
    """The calls in progress that have a deadline. One for each server."""

    def __init__(self) -> None:
        self._kept: set[_Kept] = set()
        # No block that is kept ends before this moment.
        self._soonest = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def until(self, moment: float) -> "_Kept":
        """A block that ends with TimeoutError at the moment, on the loop's clock."""
        return _Kept(self, moment)

    def add(self, kept: "_Kept") -> None:
        """Look after a block; the timer runs while there is one."""
        self._kept.add(kept)
        self._soonest = min(self._soonest, kept.moment)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)

    def drop(self, kept: "_Kept") -> None:
        """The block has ended."""
        self._kept.discard(kept)

    def _look(self) -> None:
        self._timer = None
        if not self._kept:
            self._soonest = math.inf
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now >= self._soonest:
            for kept in [one for one in self._kept if one.moment <= now]:
                kept.expire()
            self._soonest = min((one.moment for one in self._kept), default=math.inf)
        self._timer = loop.call_later(LOOK_EVERY, self._look)


class _Kept:
    """One block, run by one task; cancelled and told apart as `asyncio.Timeout` does it."""

    __slots__ = ("_before", "_deadlines", "_passed", "_task", "moment")

    def __init__(self, deadlines: Deadlines, moment: float) -> None:
        self._deadlines = deadlines
        self.moment = moment
        self._passed = False

    def __enter__(self) -> None:
        task: asyncio.Task[Any] | None = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is kept for a task")
        self._task = task
        self._before = task.cancelling()
        self._deadlines.add(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._deadlines.drop(self)
        # Somebody else may have cancelled the task too: that goes first.
        if (
            self._passed
            and self._task.uncancel() <= self._before
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error

    def expire(self) -> None:
        """The moment has come."""
        self._deadlines.drop(self)
        self._passed = True
        self._task.cancel()

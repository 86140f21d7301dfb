"""Streams in progress, so that one is cut the moment its caller is revoked or runs out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from core import clock
from core.errors import Refusal
from core.truth import Claims, Truth
from core.truth.truth import Unauthenticated


class LiveStreams:
    """The streams of one server, each with the claims it was opened under."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._open: dict[asyncio.Task[object], Claims] = {}
        self._cut: dict[asyncio.Task[object], Refusal] = {}
        truth.state.changed.append(self._look_round)

    @contextmanager
    def held(self, claims: Claims) -> Iterator[None]:
        """Run a stream in the current task until the claims are revoked or expire.

        Raises Unauthenticated from the block when they are.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream runs in a task")
        left = max((claims.expires_at - clock.now()).total_seconds(), 0.0)
        timer = asyncio.get_running_loop().call_later(left, self._end, task)
        self._open[task] = claims
        try:
            yield
        except asyncio.CancelledError:
            refusal = self._cut.pop(task, None)
            if refusal is None:
                raise
            task.uncancel()
            raise refusal from None
        finally:
            timer.cancel()
            self._open.pop(task, None)
            self._cut.pop(task, None)

    def __len__(self) -> int:
        return len(self._open)

    def _look_round(self) -> None:
        for task, claims in list(self._open.items()):
            if not self._truth.still_holds(claims):
                self._end(task)

    def _end(self, task: asyncio.Task[object]) -> None:
        if task in self._open and task not in self._cut:
            self._cut[task] = Unauthenticated()
            task.cancel()

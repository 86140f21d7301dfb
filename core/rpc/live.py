"""Streams in progress, so that one is cut the moment its caller may no longer have it.

A unary call is judged when it begins. A stream goes on, so it is judged again whenever the truth
changes, and each second besides: what is too old to open a stream is too old to keep one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from core import clock
from core.contract import Method
from core.errors import Refusal
from core.rpc.authorize import permit
from core.truth import Truth

# How long a stream goes unlooked at, in seconds, when nothing changes.
LOOK_AGAIN_SECONDS = 1.0
# How old the truth may be that keeps a stream open, in seconds, at the least: a method that asks
# auth at each call asks when the stream is opened, and follows the changes from then on.
SHORTEST_BOUND = 2.0


@dataclass(eq=False, slots=True)
class _Stream:
    """A stream, the task that runs it, and why it was cut, if it was."""

    task: asyncio.Task[object]
    method: Method
    token: str
    cut: Refusal | None = None


class LiveStreams:
    """The streams of one server, each with the token it was opened with."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._open: set[_Stream] = set()
        self._moved = asyncio.Event()
        truth.state.changed.append(self._on_change)

    @contextmanager
    def held(self, method: Method, token: str) -> Iterator[None]:
        """Run a stream in the current task for as long as its caller may have it.

        The block is left by the refusal (Unauthenticated, PermissionDenied, AuthUnavailable, or
        the one given to `end_all`) when that is over.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream runs in a task")
        stream = _Stream(task, method, token)
        self._open.add(stream)
        looking = asyncio.create_task(self._look_after(stream))
        try:
            yield
        except BaseException:
            # The code that was interrupted may have turned the cancellation into something else.
            if stream.cut is None:
                raise
            task.uncancel()
            raise stream.cut from None
        finally:
            self._open.discard(stream)
            looking.cancel()

    def end_all(self, refusal: Refusal) -> None:
        """Cut every stream, as when the server stops."""
        for stream in list(self._open):
            self._end(stream, refusal)

    def __len__(self) -> int:
        return len(self._open)

    async def _look_after(self, stream: _Stream) -> None:
        try:
            expires_at = self._truth.claims_of(stream.token).expires_at
            while True:
                moved = self._moved
                await self._judge(stream)
                left = (expires_at - clock.now()).total_seconds()
                if left <= 0:
                    raise self._truth.out_of_time()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, LOOK_AGAIN_SECONDS)):
                        await moved.wait()
        except Refusal as refusal:
            self._end(stream, refusal)

    async def _judge(self, stream: _Stream) -> None:
        method = stream.method
        caller = await self._truth.caller_of(
            stream.token,
            bound=max(method.freshness, SHORTEST_BOUND),
            continues=method.continues_reads,
        )
        permit(method, caller)

    def _end(self, stream: _Stream, refusal: Refusal) -> None:
        if stream in self._open and stream.cut is None:
            stream.cut = refusal
            stream.task.cancel()

    def _on_change(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

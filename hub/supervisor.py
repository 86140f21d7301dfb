"""Starts children in order, heals them while they run, stops them in reverse order."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.child import Child, ChildSpec, NotPrepared
from hub.log_file import LogFile

# A crashed child starts again at once; one that keeps crashing waits twice as long each time, up
# to a pause at which its log stays readable. It is never given up: the cause may pass (a disk that
# was full). After a steady time the next crash counts as the first.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
STEADY_SECONDS = 30.0
_LOOK_EVERY = 0.05
_TAIL_LINES = 20

Report = Callable[[str], None]


class StartFailed(Exception):
    """A child ended, or did not become ready in time; the text ends with its last log lines."""

    def __init__(self, name: str, why: str, log: LogFile | None) -> None:
        last = f"; the end of {log.path}:\n{log.tail(_TAIL_LINES)}" if log else ""
        super().__init__(f"{name} {why}{last}")


class Supervisor:
    """`async with Supervisor(…) as supervisor` stops all children at the end, however it ends."""

    def __init__(self, logs: Path | None, report: Report) -> None:
        """`logs` is the folder for the children's output; None lets it through."""
        self._logs = logs
        self._report = report
        # Those that were started together stop together.
        self._groups: list[list[Child]] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._stop_asked = asyncio.Event()
        self._hurry = False

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.ask_to_stop)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    @property
    def children(self) -> Sequence[Child]:
        """The children, in the order in which they were started."""
        return tuple(child for group in self._groups for child in group)

    def ask_to_stop(self) -> None:
        """Asked once, all stops in good order; asked again, at once."""
        if self._stop_asked.is_set():
            self._hurry = True
            for child in self.children:
                child.kill()
        self._stop_asked.set()

    async def until_asked_to_stop(self, work: Awaitable[None]) -> None:
        """Do `work`, then wait; being asked to stop ends either."""
        working = asyncio.ensure_future(work)
        asked = asyncio.create_task(self._stop_asked.wait())
        try:
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
                await asked
        finally:
            for task in (working, asked):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    async def start(self, spec: ChildSpec) -> Child:
        """Start a child, wait until it is ready, and keep it running from then on.

        Raises StartFailed when it ends first, or is not ready in the time its spec allows.
        """
        child = Child(spec, self._log(spec.name))
        self._groups.append([child])
        await self._bring_up(child)
        return child

    async def start_together(self, *specs: ChildSpec) -> None:
        """Start children that wait for each other; returns when all are ready."""
        children = [Child(spec, self._log(spec.name)) for spec in specs]
        self._groups.append(children)
        await together(*map(self._bring_up, children))

    async def run_once(self, spec: ChildSpec) -> None:
        """Run a program to its end; raises StartFailed when it does not succeed in time."""
        child = Child(spec, self._log(spec.name))
        self._groups.append([child])
        began = time.monotonic()
        await child.start()
        try:
            code = await asyncio.wait_for(child.wait(), spec.ready_within)
        except TimeoutError:
            raise StartFailed(spec.name, "took too long", child.log) from None
        if code:
            await child.stop()
            raise StartFailed(spec.name, f"ended with {code}", child.log)
        self._groups.remove([child])
        self._report(f"{spec.name} is done ({time.monotonic() - began:.1f} s)")
        if child.log:
            child.log.close()

    async def stop(self) -> None:
        """Stop what runs, last started first, each within the time its spec allows.

        Children that were started together are stopped together: none of them waits for another.
        """
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers.clear()
        while self._groups:
            await asyncio.gather(*map(self._take_down, self._groups.pop()))

    async def _bring_up(self, child: Child) -> None:
        began = time.monotonic()
        await child.start()
        await self._until_ready(child, began + child.spec.ready_within)
        self._report(f"{child.spec.name} is ready ({time.monotonic() - began:.1f} s)")
        self._keepers.append(asyncio.create_task(self._keep(child)))

    async def _take_down(self, child: Child) -> None:
        began = time.monotonic()
        if self._hurry:
            child.kill()
        await child.stop()
        self._report(f"{child.spec.name} has stopped ({time.monotonic() - began:.1f} s)")
        if child.log:
            child.log.close()

    async def _until_ready(self, child: Child, deadline: float) -> None:
        while not await child.spec.ready.is_ready():
            if not child.is_alive:
                # Its last words may still be on the way through the pipe.
                await child.stop()
                raise StartFailed(child.spec.name, "ended while it was starting", child.log)
            if time.monotonic() > deadline:
                raise StartFailed(child.spec.name, "did not become ready in time", child.log)
            await asyncio.sleep(_LOOK_EVERY)

    async def _keep(self, child: Child) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = await child.wait()
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            self._report(f"{child.spec.name} ended ({_ending(code)}); starting it again")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await child.start()
            except (OSError, NotPrepared) as failure:
                self._report(f"{child.spec.name} cannot start: {failure}")

    def _log(self, name: str) -> LogFile | None:
        return LogFile(self._logs / f"{name}.log") if self._logs else None


async def together(*works: Coroutine[None, None, None]) -> None:
    """Do several things at once; when one fails the others are given up and its error raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

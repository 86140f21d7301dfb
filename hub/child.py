"""One child of the supervisor: what it is, and the process that is it at the moment."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hub.log_file import LogFile
from hub.readiness import Readiness, Started

_LAUNCHER = Path(__file__).with_name("launch.py")
_CHUNK = 64 * 1024


class NotPrepared(Exception):
    """What must be so before a child starts is not so; the text says what."""


def _nothing() -> None:
    """No preparation."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A program that must run. Times are seconds.

    `env` is added to the supervisor's own. `prepare` runs before each start, a restart too, and
    may raise NotPrepared. `death_signal` is sent by the kernel when the supervisor dies without
    stopping its children. `owner` is the (uid, gid) to run as, when it is not the supervisor's.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Readiness = field(default_factory=Started)
    ready_within: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 15.0
    death_signal: signal.Signals = signal.SIGKILL
    owner: tuple[int, int] | None = None
    prepare: Callable[[], None] = _nothing


class Child:
    """A spec and its present process. Its output goes to the log, or through without one."""

    def __init__(self, spec: ChildSpec, log: LogFile | None) -> None:
        self.spec = spec
        self.log = log
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether its process has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its present process; a child that was never started has none and is asked in error."""
        if self._process is None:
            raise LookupError(f"{self.spec.name} was never started")
        return self._process.pid

    async def start(self) -> None:
        """Start the process, in a session of its own: Ctrl-C is the supervisor's to answer."""
        await asyncio.to_thread(self.spec.prepare)
        output = asyncio.subprocess.PIPE if self.log else None
        self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            env={**os.environ, **self.spec.env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT if self.log else None,
            start_new_session=True,
        )
        if self.log and self._process.stdout:
            self._pump = asyncio.create_task(_pump(self._process.stdout, self.log))

    async def wait(self) -> int:
        """Wait until the process ends; its exit code, negative for a signal."""
        if self._process is None:
            raise LookupError(f"{self.spec.name} was never started")
        code = await self._process.wait()
        self._kill_group()
        return code

    async def stop(self) -> None:
        """Ask it to end, wait as long as the spec allows, then kill it and all it started."""
        if self._process is None:
            return
        if self.is_alive:
            with suppress(ProcessLookupError):
                self._process.send_signal(self.spec.stop_signal)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), self.spec.stop_within)
        self._kill_group()
        await self._process.wait()
        if self._pump:
            await asyncio.wait({self._pump}, timeout=1)
            self._pump.cancel()

    def kill(self) -> None:
        """End it now, without its consent."""
        self._kill_group()

    def _kill_group(self) -> None:
        """Kill what is left of its session: workers of a dead parent hold its port."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _command(self) -> tuple[str, ...]:
        owner = ":".join(map(str, self.spec.owner)) if self.spec.owner else "-"
        launch = (sys.executable, "-I", "-S", str(_LAUNCHER))
        return (*launch, str(os.getpid()), str(int(self.spec.death_signal)), owner, *self.spec.argv)


async def _pump(stream: asyncio.StreamReader, log: LogFile) -> None:
    while chunk := await stream.read(_CHUNK):
        log.write(chunk)

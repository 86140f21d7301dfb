"""Processes under measurement: their CPU time as the operating system counts it."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds that a process has used so far; `reaped` is what its ended children had."""

    own: float
    reaped: float


def cpu_of(pid: int) -> Cpu:
    """The CPU time of a process, all its threads included, in user and in kernel mode."""
    ticks = [int(field) for field in _fields_of(pid)[11:15]]
    user, system, reaped_user, reaped_system = (one / _TICKS_PER_SECOND for one in ticks)
    return Cpu(user + system, reaped_user + reaped_system)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a process in memory: `resident` with all that it shares, `share` with its part."""

    resident: float
    share: float


def memory_of(pid: int) -> Memory:
    """What a process holds in memory now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    held = {line.partition(":")[0]: line.split()[1] for line in lines[1:]}
    return Memory(float(held["Rss"]) * 1024, float(held["Pss"]) * 1024)


def age_of(pid: int) -> float:
    """Seconds since a process was started."""
    started = int(_fields_of(pid)[19]) / _TICKS_PER_SECOND
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def _fields_of(pid: int) -> list[str]:
    """What the operating system tells of a process, from its state on."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    # The command in parentheses may hold spaces; the fields begin behind it.
    return text.rpartition(")")[2].split()


def own_cpu(pid: int) -> Callable[[], float]:
    """Reads the CPU seconds of one process."""
    return lambda: cpu_of(pid).own


def cpu_below(pid: int) -> float:
    """CPU seconds of a process and everything that it has started, ended children included."""
    total = 0.0
    for one in tree_of(pid):
        with suppress(OSError):
            spent = cpu_of(one)
            total += spent.own + spent.reaped
    return total


def tree_of(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for number, parent in _parents():
        children.setdefault(parent, []).append(number)
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        waiting.extend(children.get(current, ()))
    return found


def command_of(pid: int) -> str:
    """The command line of a process with spaces between its words; "" when it has ended."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return text.replace(b"\0", b" ").decode(errors="replace").strip()


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                yield int(entry.name), int(_fields_of(int(entry.name))[1])


@dataclass
class Meter:
    """CPU seconds that several things use between `with` and its end: `used`, by name."""

    sources: Mapping[str, Callable[[], float]]
    used: dict[str, float] = field(default_factory=dict)
    _before: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._before = {name: read() for name, read in self.sources.items()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.used = {name: read() - self._before[name] for name, read in self.sources.items()}

"""Processes under measurement: their CPU time as the operating system counts it."""

import os
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
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    # The command in parentheses may hold spaces; the fields begin behind it, with the state.
    fields = [int(field) for field in text.rpartition(")")[2].split()[11:15]]
    user, system, reaped_user, reaped_system = (ticks / _TICKS_PER_SECOND for ticks in fields)
    return Cpu(user + system, reaped_user + reaped_system)


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
                stat = (entry / "stat").read_text(encoding="ascii", errors="replace")
                yield int(entry.name), int(stat.rpartition(")")[2].split()[1])


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

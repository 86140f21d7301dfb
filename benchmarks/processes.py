"""Processes under measurement: their CPU time as the operating system counts it."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds that a process has used so far, in user and in kernel mode."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.user + self.system


def cpu_of(pid: int) -> Cpu:
    """The CPU time of a process, all its threads included; not of its children."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    # The command in parentheses may hold spaces; the fields begin behind it, with the state.
    fields = text.rpartition(")")[2].split()
    return Cpu(int(fields[11]) / _TICKS_PER_SECOND, int(fields[12]) / _TICKS_PER_SECOND)


def cpu_below(pid: int) -> float:
    """CPU seconds of a process and everything that it has started and still runs."""
    return sum(cpu_of(one).total for one in tree_of(pid))


def tree_of(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="ascii")
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        waiting.extend(children.get(current, ()))
    return found

"""The results as a page: where and when they were measured, then a table for each scenario."""

# ruff: noqa: RUF001 - a range is set as people read it

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import Effort, Section

_HEAD = ("what", "median (min–max)", "compared", "target", "")
_HOW = """Every variant is launched anew for each round and the variants take turns; a figure is the
median over the launches, with the smallest and the largest. Ratios are formed launch by launch.
CPU time is the operating system's account of the process, over an exact number of calls. Client,
servers and PostgreSQL share this machine, so calls a second say little and CPU time says much."""


def page(sections: Sequence[Section], effort: Effort, postgres: str) -> str:
    """The whole page as Markdown."""
    parts = ["# Benchmarks", _HOW, "\n".join(f"- {fact}" for fact in _facts(effort, postgres))]
    parts.extend(map(_section, sections))
    return "\n\n".join(parts) + "\n"


def merged(whole: str, measured: str) -> str:
    """A page with the sections of another: in the place of their namesakes, or at its end.

    Each says what the head of its own page says: when and where it was measured.
    """
    (head, old), (facts, new) = _parted(whole), _parted(measured)
    told = [line for line in facts.splitlines() if line.startswith("- ")]
    apart = "\n".join(["Measured apart from the rest of this page:", "", *told])
    taken = {title: f"{text.rstrip()}\n\n{apart}\n" for title, text in new.items()}
    sections = {**old, **taken}
    return "\n".join([head.rstrip() + "\n", *(f"## {t}\n{s}" for t, s in sections.items())])


def _parted(page: str) -> tuple[str, dict[str, str]]:
    """What stands before the first section of a page, and each section's text by its title."""
    head, *sections = page.split("\n## ")
    parts = (section.partition("\n") for section in sections)
    return head, {title: text.rstrip() + "\n" for title, _, text in parts}


def _section(section: Section) -> str:
    rows = [_HEAD, ("---",) * len(_HEAD), *(line.cells() for line in section.lines)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    notes = "\n".join(f"- {note}" for note in section.notes)
    parts = [f"## {section.title}", section.text, table if section.lines else "", notes]
    return "\n\n".join(part for part in parts if part)


def _facts(effort: Effort, postgres: str) -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{_cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    packages = ("grpcio", "psycopg", "sqlalchemy")
    facts = [
        f"Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"Machine: {machine}, {platform.system()} {platform.release()}",
        ", ".join(
            [f"Python {platform.python_version()}", *(f"{p} {version(p)}" for p in packages)]
        ),
        f"Launches: {effort.launches}",
        # Whoever else works here makes each call dearer, by caches and by switching.
        f"Load average of the last 15 minutes: {os.getloadavg()[2]:.1f}",
    ]
    if postgres:
        facts.append(f"PostgreSQL {postgres}, with fsync")
    if effort.quick:
        facts.append("**A quick run: it shows that everything works; its figures mean little.**")
    return facts


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())

"""The load generator for the edge: GET over HTTP/1.1 connections that stay open.

Runs as a process of its own, `python -m benchmarks.http_load`, reads a Plan as JSON from standard
input and writes an Outcome as JSON. An answer that is not 200, or another one than the first to the
same path, is counted as failed.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field

import uvloop

from benchmarks.load import Outcome, percentile
from benchmarks.run import WorthlessRun, run_module


@dataclass(frozen=True, slots=True)
class Plan:
    """What to get; `paths` are used in turn, one call in flight on each connection.

    `bodies` are the answers that must come, one for each path; without them the first one counts.
    """

    host: str
    port: int
    paths: list[str]
    token: str
    calls: int
    connections: int
    bodies: list[str] = field(default_factory=list)


def carry_out(wanted: Plan) -> Outcome:
    """Run the load in a process of its own. Raises WorthlessRun when a call failed."""
    outcome = Outcome(**run_module("benchmarks.http_load", asdict(wanted)))
    if outcome.failed or outcome.calls != wanted.calls:
        raise WorthlessRun(f"HTTP: {outcome.calls} calls, failed {outcome.failed}")
    return outcome


@dataclass
class _Run:
    """One run: what is left to call, and what has come back."""

    plan: Plan
    latencies: list[float] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        head = f"Host: {self.plan.host}\r\nAuthorization: Bearer {self.plan.token}\r\n\r\n"
        self._requests = [f"GET {path} HTTP/1.1\r\n{head}".encode() for path in self.plan.paths]
        self._left = iter(range(self.plan.calls))
        self.bodies.update((place, one.encode()) for place, one in enumerate(self.plan.bodies))

    async def connection(self) -> None:
        """Make one call after the other on one connection."""
        reader, writer = await asyncio.open_connection(self.plan.host, self.plan.port)
        for number in self._left:
            place = number % len(self._requests)
            began = time.perf_counter()
            writer.write(self._requests[place])
            status, body = await _answer(reader)
            self.latencies.append(time.perf_counter() - began)
            if status != "200" or self.bodies.setdefault(place, body) != body:
                why = status if status != "200" else "OTHER_BODY"
                self.failed[why] = self.failed.get(why, 0) + 1
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The status of the next answer and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = head.split(b" ", 2)[1].decode()
    if b"\r\ncontent-length:" in head:
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        return status, await reader.readexactly(length)
    parts = []
    while chunk := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(chunk))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return status, b"".join(parts)


async def run(plan: Plan) -> Outcome:
    """Carry a plan out in this process."""
    going = _Run(plan)
    began = time.perf_counter()
    await asyncio.gather(*(going.connection() for _ in range(plan.connections)))
    seconds = time.perf_counter() - began
    going.latencies.sort()
    return Outcome(
        seconds=seconds,
        calls=len(going.latencies),
        failed=going.failed,
        p50=percentile(going.latencies, 0.5) * 1000,
        p99=percentile(going.latencies, 0.99) * 1000,
        size=len(going.bodies.get(0, b"")),
    )


def main() -> None:
    """Read a plan, carry it out, write the outcome."""
    wanted = Plan(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(run(wanted))), sys.stdout)


if __name__ == "__main__":
    main()

"""The load generator for the edge: GET over HTTP/1.1 connections that stay open.

Runs as a process of its own, `python -m benchmarks.http_load`, reads a Plan as JSON from standard
input and writes an Outcome as JSON. An answer that is not 200, or of another size than the first
to the same path, is counted as failed.
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
    """What to get; `paths` are used in turn, one call in flight on each connection."""

    host: str
    port: int
    paths: list[str]
    token: str
    calls: int
    connections: int


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
    sizes: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        head = f"Host: {self.plan.host}\r\nAuthorization: Bearer {self.plan.token}\r\n\r\n"
        self._requests = [f"GET {path} HTTP/1.1\r\n{head}".encode() for path in self.plan.paths]
        self._left = iter(range(self.plan.calls))

    async def connection(self) -> None:
        """Make one call after the other on one connection."""
        reader, writer = await asyncio.open_connection(self.plan.host, self.plan.port)
        for number in self._left:
            place = number % len(self._requests)
            began = time.perf_counter()
            writer.write(self._requests[place])
            status, size = await _answer(reader)
            self.latencies.append(time.perf_counter() - began)
            if status != "200" or self.sizes.setdefault(place, size) != size:
                why = status if status != "200" else "OTHER_SIZE"
                self.failed[why] = self.failed.get(why, 0) + 1
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[str, int]:
    """The status of the next answer and the size of its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = head.split(b" ", 2)[1].decode()
    if b"\r\ncontent-length:" in head:
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        return status, len(await reader.readexactly(length))
    size = 0
    while chunk := int(await reader.readline(), 16):
        size += len(await reader.readexactly(chunk))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return status, size


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
        size=going.sizes.get(0, 0),
    )


def main() -> None:
    """Read a plan, carry it out, write the outcome."""
    wanted = Plan(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(run(wanted))), sys.stdout)


if __name__ == "__main__":
    main()

"""The load generator: an exact number of unary calls, a fixed number of them in flight.

Runs as a process of its own, `python -m benchmarks.load`, reads a Plan as JSON from standard
input and writes an Outcome as JSON. An answer that is an error, or of another size than the
first to the same payload, or another one than was told, makes the run worthless, and is counted.
"""

import asyncio
import json
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import grpc
import uvloop

from benchmarks.run import WorthlessRun, run_module

# A call that takes longer than this in a benchmark is a fault, not a slow call.
CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to call. `payloads` are serialized requests as base64, used in turn.

    `same_size` is false where answers to one payload may differ in size. `answers` are those that
    must come, as base64, one for each payload; without them any of the right size will do.
    """

    target: str
    path: str
    payloads: list[str]
    metadata: list[tuple[str, str]]
    calls: int
    in_flight: int
    same_size: bool = True
    answers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What came back. Latencies are in milliseconds, `size` is the first answer's in bytes."""

    seconds: float = 0.0
    calls: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    p50: float = 0.0
    p99: float = 0.0
    size: int = 0


def plan(
    target: str,
    path: str,
    payloads: Sequence[bytes],
    *,
    calls: int,
    in_flight: int,
    token: str = "",
    same_size: bool = True,
    answers: Sequence[bytes] = (),
) -> Plan:
    """A plan from serialized requests and answers; `token` is a bearer token."""
    metadata = [("authorization", f"Bearer {token}")] if token else []
    encoded, told = ([b64encode(one).decode() for one in many] for many in (payloads, answers))
    return Plan(target, path, encoded, metadata, calls, in_flight, same_size, told)


def warm_up(wanted: Plan) -> None:
    """Run a load whose figures nobody asks for: a server that has just started may refuse."""
    run_module("benchmarks.load", asdict(wanted))


def carry_out(wanted: Plan) -> Outcome:
    """Run the load in a process of its own. Raises WorthlessRun when a call failed."""
    outcome = Outcome(**run_module("benchmarks.load", asdict(wanted)))
    if outcome.failed or outcome.calls != wanted.calls:
        raise WorthlessRun(f"{wanted.path}: {outcome.calls} calls, failed {outcome.failed}")
    return outcome


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of the ordered values lies; 0 for none."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


class _Run:
    """One run: what is left to call, and what has come back."""

    def __init__(self, plan: Plan, call: Any) -> None:
        self._payloads = [b64decode(p) for p in plan.payloads]
        self._metadata = tuple((key, value) for key, value in plan.metadata)
        self._same_size = plan.same_size
        self._answers = [b64decode(a) for a in plan.answers]
        self._call = call
        self._left = iter(range(plan.calls))
        self.latencies: list[float] = []
        self.failed: dict[str, int] = {}
        self.sizes: dict[int, int] = {}

    async def worker(self) -> None:
        """Make one call after the other until none is left."""
        for number in self._left:
            place = number % len(self._payloads)
            began = time.perf_counter()
            try:
                answer = await self._call(
                    self._payloads[place], metadata=self._metadata, timeout=CALL_SECONDS
                )
                self._check(place, answer)
            except grpc.aio.AioRpcError as error:
                self._failed(error.code().name)
            self.latencies.append(time.perf_counter() - began)

    def _check(self, place: int, answer: bytes) -> None:
        size = len(answer)
        if self.sizes.setdefault(place, size) != size and self._same_size:
            self._failed("OTHER_SIZE")
        elif self._answers and self._answers[place] != answer:
            self._failed("OTHER_ANSWER")

    def _failed(self, why: str) -> None:
        self.failed[why] = self.failed.get(why, 0) + 1


async def run(plan: Plan) -> Outcome:
    """Carry a plan out in this process."""
    async with grpc.aio.insecure_channel(plan.target) as channel:
        await channel.channel_ready()
        going = _Run(plan, channel.unary_unary(plan.path))
        began = time.perf_counter()
        await asyncio.gather(*(going.worker() for _ in range(plan.in_flight)))
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

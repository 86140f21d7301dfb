"""The load generator: an exact number of unary calls, a fixed number of them in flight.

Runs as a process of its own, `python -m benchmarks.load`, reads a Plan as JSON from standard
input and writes an Outcome as JSON. An answer that is an error, or of another size than the
first, makes the run worthless, and is counted.
"""

import asyncio
import json
import sys
import time
from base64 import b64decode
from dataclasses import asdict, dataclass, field
from typing import Any

import grpc
import uvloop

# A call that takes longer than this in a benchmark is a fault, not a slow call.
CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to call. `payloads` are serialized requests as base64, used in turn."""

    target: str
    path: str
    payloads: list[str]
    metadata: list[tuple[str, str]]
    calls: int
    in_flight: int


@dataclass(slots=True)
class Outcome:
    """What came back. Latencies are in milliseconds."""

    seconds: float = 0.0
    calls: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    p50: float = 0.0
    p99: float = 0.0


async def run(plan: Plan) -> Outcome:
    """Carry a plan out."""
    payloads = [b64decode(p) for p in plan.payloads]
    metadata = tuple((k, v) for k, v in plan.metadata)
    latencies: list[float] = []
    failed: dict[str, int] = {}
    left = iter(range(plan.calls))
    async with grpc.aio.insecure_channel(plan.target) as channel:
        call: Any = channel.unary_unary(plan.path)

        async def worker() -> None:
            for number in left:
                began = time.perf_counter()
                try:
                    await call(
                        payloads[number % len(payloads)], metadata=metadata, timeout=CALL_SECONDS
                    )
                except grpc.aio.AioRpcError as error:
                    failed[error.code().name] = failed.get(error.code().name, 0) + 1
                latencies.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(plan.in_flight)))
        seconds = time.perf_counter() - began
    latencies.sort()
    return Outcome(
        seconds=seconds,
        calls=len(latencies),
        failed=failed,
        p50=latencies[len(latencies) // 2] * 1000,
        p99=latencies[int(len(latencies) * 0.99)] * 1000,
    )


def main() -> None:
    plan = Plan(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(run(plan))), sys.stdout)


if __name__ == "__main__":
    main()

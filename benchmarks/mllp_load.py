"""The load generator for MLLP: several connections, a window of messages on each.

Runs as a process of its own, `python -m benchmarks.mllp_load`, reads a Plan as JSON from standard
input and writes an Outcome as JSON. Every acknowledgement must say AA and name a message that
waits; anything else is counted as failed.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

import uvloop

from benchmarks.load import Outcome, percentile
from benchmarks.run import WorthlessRun, run_module
from hub.hl7_files import acknowledged

_START, _END = b"\x0b", b"\x1c\r"
# An acknowledgement that does not come in this time never will.
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: `template` holds `@NUMBER@` where each message's own number goes."""

    host: str
    port: int
    template: str
    first: int
    messages: int
    connections: int
    window: int
    run: str


def carry_out(wanted: Plan) -> Outcome:
    """Run the load in a process of its own. Raises WorthlessRun when a message failed."""
    outcome = Outcome(**run_module("benchmarks.mllp_load", asdict(wanted)))
    if outcome.failed or outcome.calls != wanted.messages:
        raise WorthlessRun(f"MLLP: {outcome.calls} acknowledged, failed {outcome.failed}")
    return outcome


class _Sender:
    """One connection: keeps its window full until all is sent, then waits for the rest."""

    def __init__(self, plan: Plan, numbers: range) -> None:
        self._plan = plan
        self._numbers = iter(numbers)
        self._sent_at: dict[bytes, float] = {}
        self.latencies: list[float] = []
        self.failed: dict[str, int] = {}

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection(self._plan.host, self._plan.port)
        try:
            self._fill(writer)
            while self._sent_at:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await writer.drain()
                    self._take(await reader.readuntil(_END))
                self._fill(writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as trouble:
            why = type(trouble).__name__
            self.failed[why] = self.failed.get(why, 0) + len(self._sent_at)
        finally:
            writer.close()

    def _fill(self, writer: asyncio.StreamWriter) -> None:
        while len(self._sent_at) < self._plan.window:
            number = next(self._numbers, None)
            if number is None:
                return
            control_id = f"{self._plan.run}{number:08d}"
            message = self._plan.template.replace("@NUMBER@", control_id).encode()
            self._sent_at[control_id.encode()] = time.perf_counter()
            writer.write(_START + message + _END)

    def _take(self, answer: bytes) -> None:
        code, control_id = acknowledged(answer.removesuffix(_END).lstrip(_START))
        sent_at = self._sent_at.pop(control_id, None)
        if code != "AA" or sent_at is None:
            why = code if sent_at else "UNMATCHED"
            self.failed[why or "NONE"] = self.failed.get(why or "NONE", 0) + 1
            return
        self.latencies.append(time.perf_counter() - sent_at)


async def run(plan: Plan) -> Outcome:
    """Carry a plan out in this process."""
    senders = [
        _Sender(plan, range(plan.first + number, plan.first + plan.messages, plan.connections))
        for number in range(plan.connections)
    ]
    began = time.perf_counter()
    await asyncio.gather(*(sender.run() for sender in senders))
    seconds = time.perf_counter() - began
    latencies = sorted(one for sender in senders for one in sender.latencies)
    failed: dict[str, int] = {}
    for sender in senders:
        for why, count in sender.failed.items():
            failed[why] = failed.get(why, 0) + count
    return Outcome(
        seconds=seconds,
        calls=len(latencies),
        failed=failed,
        p50=percentile(latencies, 0.5) * 1000,
        p99=percentile(latencies, 0.99) * 1000,
    )


def main() -> None:
    """Read a plan, carry it out, write the outcome."""
    wanted = Plan(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(run(wanted))), sys.stdout)


if __name__ == "__main__":
    main()

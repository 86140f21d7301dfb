"""The yardstick itself: how much one launch of the same echo server differs from the next."""

from benchmarks.echo import PATH
from benchmarks.figures import Effort, Line, Section, Series
from benchmarks.load import carry_out, plan
from benchmarks.processes import Meter, own_cpu
from benchmarks.run import serving

_BYTES = 256
_IN_FLIGHT = 32


def measure(effort: Effort) -> Section:
    """Launch the echo server several times."""
    calls = effort.calls(10_000, 500)
    cpu, rate = [], []
    for _ in range(effort.launches):
        with serving("benchmarks.echo", "127.0.0.1:0") as (pid, port):
            wanted = plan(
                f"127.0.0.1:{port}", PATH, [bytes(_BYTES)], calls=calls, in_flight=_IN_FLIGHT
            )
            carry_out(wanted)
            with Meter({"server": own_cpu(pid)}) as meter:
                done = carry_out(wanted)
        cpu.append(meter.used["server"] / calls * 1e6)
        rate.append(calls / done.seconds)
    spread = Series.of([value / min(cpu) for value in cpu])
    return Section(
        "The yardstick",
        f"A bare grpc.aio server with uvloop answers the {_BYTES} bytes that it is sent,"
        f" {_IN_FLIGHT} calls in flight.",
        [
            Line("server CPU a call", Series.of(cpu), "µs", "its cheapest launch", spread),
            Line("calls a second", Series.of(rate), "/s"),
        ],
    )

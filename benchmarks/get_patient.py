"""GetPatient, whole, against the bare echo.

The call is authenticated, authorized, validated, read under row-level security, and recorded:
its access record is durable before the answer leaves. What the server does after that, to carry
the record to the audit trail and its fact to analytics, is measured apart: both are paused during
the calls and go on afterwards.
"""

from functools import partial

from benchmarks.echo import PATH
from benchmarks.figures import TIMES, Effort, Found, Line, Section, Target
from benchmarks.load import carry_out, plan, warm_up
from benchmarks.patients import GET, readings
from benchmarks.processes import Meter, own_cpu
from benchmarks.run import serving
from benchmarks.stage import Stage

IN_FLIGHT = 32
_MICRO = 1e6
_PATIENTS = 200
_FLUSH = "An access record waits for its commit: latency alone holds one flush of the disk."


def measure(stage: Stage, effort: Effort) -> Section:
    """Measure both, launch by launch."""
    payloads = readings(stage, effort.calls(_PATIENTS, 20))
    found = Found()
    for _ in range(effort.launches):
        found.launch(partial(_medhub, stage, effort, payloads, found))
        found.launch(partial(_echo, effort, found))
    return _section(found)


def _medhub(stage: Stage, effort: Effort, payloads: list[bytes], found: Found) -> None:
    """One launch of the clinical server."""
    stage.relaunch("clinical")
    target, token = stage.running.grpc["clinical"], stage.session().token
    calls = effort.calls(10_000, 600)
    warm_up(plan(target, GET, payloads, calls=calls // 5, in_flight=IN_FLIGHT, token=token))
    stage.settle()
    sources = {
        "server": stage.cpu("clinical"),
        "reads": stage.backends("medhub_clinical_app"),
        "trail": stage.cpu("compliance"),
        "postgres": stage.cpu("postgres"),
    }
    with Meter(sources) as whole:
        with stage.paused("compliance"), stage.paused("analytics"), Meter(sources) as answering:
            done = carry_out(
                plan(target, GET, payloads, calls=calls, in_flight=IN_FLIGHT, token=token)
            )
        stage.settle()
    few = effort.calls(1_500, 200)
    alone = carry_out(plan(target, GET, payloads, calls=few, in_flight=1, token=token))
    found.add(
        server=answering.used["server"] / calls * _MICRO,
        carrying=(whole.used["server"] - answering.used["server"]) / calls * _MICRO,
        reads=answering.used["reads"] / calls * _MICRO,
        postgres=whole.used["postgres"] / calls * _MICRO,
        trail=whole.used["trail"] / calls * _MICRO,
        rate=calls / done.seconds,
        size=done.size,
        p50=alone.p50,
        p99=alone.p99,
    )


def _echo(effort: Effort, found: Found) -> None:
    """One launch of the echo, with messages of the size of a patient."""
    calls, payloads = effort.calls(10_000, 600), [bytes(int(found.values["size"][-1]))]
    with serving("benchmarks.echo", "127.0.0.1:0") as (pid, port):
        target = f"127.0.0.1:{port}"
        warm_up(plan(target, PATH, payloads, calls=calls // 5, in_flight=IN_FLIGHT))
        with Meter({"server": own_cpu(pid)}) as meter:
            done = carry_out(plan(target, PATH, payloads, calls=calls, in_flight=IN_FLIGHT))
        few = effort.calls(1_500, 200)
        alone = carry_out(plan(target, PATH, payloads, calls=few, in_flight=1))
    found.add(
        echo=meter.used["server"] / calls * _MICRO,
        echo_rate=calls / done.seconds,
        echo_p50=alone.p50,
        echo_p99=alone.p99,
    )


def _section(found: Found) -> Section:
    echo = found["echo"]
    whole = found["server"].plus(found["carrying"])
    lines = [
        Line("bare grpc.aio echo, server CPU a call", echo, "µs"),
        Line(
            "GetPatient, server CPU a call", found["server"], "µs", "the echo",
            found["server"].over(echo), Target(1.6, TIMES),
        ),
        Line(
            "the same, and its record carried to the trail and to analytics", whole, "µs",
            "the echo", whole.over(echo),
        ),
        Line(
            "PostgreSQL CPU a call, answering", found["reads"], "µs", "the echo",
            found["reads"].over(echo),
        ),
        Line(
            "PostgreSQL CPU a call, all databases and the trail", found["postgres"], "µs",
            "the echo", found["postgres"].over(echo),
        ),
        Line("compliance CPU a call", found["trail"], "µs", "the echo", found["trail"].over(echo)),
        Line(
            f"calls a second, {IN_FLIGHT} in flight", found["rate"], "/s", "the echo",
            found["rate"].over(found["echo_rate"]),
        ),
        Line("p50 alone", found["p50"], "ms", "the echo", found["p50"].over(found["echo_p50"])),
        Line("p99 alone", found["p99"], "ms", "the echo", found["p99"].over(found["echo_p99"])),
    ]  # fmt: skip
    return Section(
        "GetPatient against the bare echo",
        "GetPatient is authenticated, authorized, validated, read under row-level security, and"
        f" its access record is durable before the answer leaves. {IN_FLIGHT} calls in flight, then"
        " one; patients take turns. The echo answers as many bytes and does nothing else.",
        lines,
        [_FLUSH, *found.notes()],
    )

"""CreatePatient, whole, against the same through SQLAlchemy's async ORM.

Both write the same tables under the same row-level security, and the same triggers record the
change in the same transaction. Compliance is paused, so that neither carries records meanwhile.
"""

from functools import partial

import jwt

from benchmarks.figures import TIMES, Effort, Found, Line, Section, Target
from benchmarks.load import Plan, carry_out, plan
from benchmarks.patients import CREATE, creations
from benchmarks.processes import Meter, own_cpu
from benchmarks.run import serving
from benchmarks.stage import Stage
from hub.services import Service

_IN_FLIGHT = 32
_MICRO = 1e6


def measure(stage: Stage, effort: Effort) -> Section:
    """Measure both, launch by launch."""
    found = Found()
    for _ in range(effort.launches):
        found.launch(partial(_medhub, stage, effort, found))
        found.launch(partial(_orm, stage, effort, found))
    return _section(found)


def _medhub(stage: Stage, effort: Effort, found: Found) -> None:
    stage.relaunch("clinical")
    calls, target = effort.calls(2_000, 150), stage.running.grpc["clinical"]
    token = stage.session().token
    warm, wanted = (_plan(target, n, token=token) for n in (calls // 4, calls))
    sources = {"server": stage.cpu("clinical"), "postgres": stage.backends("medhub_clinical_app")}
    with stage.paused("compliance"):
        carry_out(warm)
        before = _count(stage)
        with Meter(sources) as meter:
            done = carry_out(wanted)
        _check_written(stage, before, calls)
    stage.settle()
    found.add(
        server=meter.used["server"] / calls * _MICRO,
        postgres=meter.used["postgres"] / calls * _MICRO,
        p50=done.p50,
        p99=done.p99,
    )


def _orm(stage: Stage, effort: Effort, found: Found) -> None:
    calls = effort.calls(2_000, 150)
    env = stage.layout.environment(Service.CLINICAL)
    who = _caller(stage)
    with stage.paused("compliance"), serving(
        "benchmarks.orm_server", "127.0.0.1:0", env=env
    ) as (pid, port):  # fmt: skip
        target = f"127.0.0.1:{port}"
        warm, wanted = (_plan(target, n, metadata=who) for n in (calls // 4, calls))
        carry_out(warm)
        before = _count(stage)
        sources = {
            "server": own_cpu(pid),
            "postgres": stage.backends("medhub_clinical_app"),
        }
        with Meter(sources) as meter:
            done = carry_out(wanted)
        _check_written(stage, before, calls)
    stage.settle()
    found.add(
        orm=meter.used["server"] / calls * _MICRO,
        orm_postgres=meter.used["postgres"] / calls * _MICRO,
        orm_p50=done.p50,
        orm_p99=done.p99,
    )


def _plan(
    target: str, calls: int, *, token: str = "", metadata: list[tuple[str, str]] | None = None
) -> Plan:
    payloads = [one.SerializeToString() for one in creations(calls)]
    made = plan(target, CREATE, payloads, calls=calls, in_flight=_IN_FLIGHT, token=token)
    made.metadata.extend(metadata or [])
    return made


def _caller(stage: Stage) -> list[tuple[str, str]]:
    """The doctor, as the server without proofs is told of them."""
    claims = jwt.decode(stage.session().token, options={"verify_signature": False})
    return [("organization", claims["org"]), ("subject", claims["sub"])]


def _count(stage: Stage) -> int:
    return int(stage.rows("clinical", "SELECT count(*) FROM patient")[0][0])


def _check_written(stage: Stage, before: int, calls: int) -> None:
    written = _count(stage) - before
    if written != calls:
        raise RuntimeError(f"{written} patients were written by {calls} calls")


def _section(found: Found) -> Section:
    server, orm = found["server"], found["orm"]
    lines = [
        Line("CreatePatient, server CPU a call", server, "µs"),
        Line(
            "through the ORM, server CPU a call", orm, "µs", "CreatePatient", orm.over(server),
            Target(4.0, TIMES, at_most=False),
        ),
        Line("CreatePatient, PostgreSQL CPU a call", found["postgres"], "µs"),
        Line(
            "through the ORM, PostgreSQL CPU a call", found["orm_postgres"], "µs",
            "CreatePatient", found["orm_postgres"].over(found["postgres"]),
        ),
        Line("CreatePatient, p50", found["p50"], "ms"),
        Line(
            "through the ORM, p50", found["orm_p50"], "ms", "CreatePatient",
            found["orm_p50"].over(found["p50"]),
        ),
        Line("CreatePatient, p99", found["p99"], "ms"),
        Line(
            "through the ORM, p99", found["orm_p99"], "ms", "CreatePatient",
            found["orm_p99"].over(found["p99"]),
        ),
    ]  # fmt: skip
    return Section(
        "CreatePatient against the ORM",
        "A patient with two identifiers, search keys, a sealed revision, a care link and a"
        f" request_id; {_IN_FLIGHT} calls in flight. The same tables, row-level security and audit"
        " triggers on both sides. The ORM's server proves no token, asks no permission, validates"
        " nothing and takes no lock on identifiers.",
        lines,
        found.notes(),
    )

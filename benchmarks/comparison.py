"""One authenticated read of a patient, in medhub and in the designs that it is compared with.

What counts is the CPU of all processes of a design: servers, the auth service, PostgreSQL. On the
side of medhub that is everything until the access records stand in the audit trail.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from benchmarks import designs, http_load
from benchmarks.copied import ROLE, Copy, copied
from benchmarks.designs import Served
from benchmarks.environment import python
from benchmarks.figures import TIMES, Effort, Found, Line, Section, Series, Target
from benchmarks.load import carry_out, plan, warm_up
from benchmarks.patients import GET, readings
from benchmarks.processes import Meter, age_of, memory_of
from benchmarks.stage import Stage
from hub.ports import HOST
from medhub.clinical.v1 import patient_service_pb2

_IN_FLIGHT = 32
_PATIENTS = 50
_MILLI = 1e3
_MIB = 2**20
_MEDHUB = "medhub"
# The processes of medhub that take part in a read; PostgreSQL is the whole of it.
_PARTS = ("clinical", "auth", "compliance", "postgres")


@dataclass(frozen=True, slots=True)
class _Rival:
    """A design that medhub is compared with."""

    key: str
    title: str
    target: float
    calls: int
    serve: Callable[[Copy], AbstractContextManager[Served]]


def _rivals() -> list[_Rival]:
    found = python()
    each = partial(designs.django, found, shares_client=False)
    shared = partial(designs.django, found, shares_client=True)
    local = partial(designs.fastapi, found)
    # What costs more is as exact with fewer calls.
    return [
        _Rival("each", "Django Ninja, an HTTP client a call", 80, 200, each),
        _Rival("shared", "Django Ninja, one HTTP client", 8, 2_000, shared),
        _Rival("local", "FastAPI, tokens proved locally", 2.5, 10_000, local),
    ]


def measure(stage: Stage, effort: Effort) -> Section:
    """Measure all designs, launch by launch."""
    found, rivals = Found(), _rivals()
    requests = readings(stage, effort.calls(_PATIENTS, 20))
    with copied(stage, requests) as copy:
        for _ in range(effort.launches):
            for rival in rivals:
                found.launch(partial(_rival, stage, effort, rival, copy, found))
            found.launch(partial(_medhub, stage, effort, requests, found))
    return _section(found, rivals)


def _rival(stage: Stage, effort: Effort, rival: _Rival, copy: Copy, found: Found) -> None:
    """One launch of another design."""
    calls = effort.calls(rival.calls, 60)
    with rival.serve(copy) as served:
        load = partial(
            http_load.Plan, HOST, served.port, list(copy.shown), copy.token,
            connections=_IN_FLIGHT, bodies=list(served.bodies),
        )  # fmt: skip
        http_load.carry_out(load(calls=max(calls // 5, _IN_FLIGHT)))
        with Meter({**served.cpu(), "postgres": stage.backends(ROLE)}) as meter:
            http_load.carry_out(load(calls=calls))
        held = {part: _memory(served.workers(part)) for part in served.pids}
    _add(found, rival.key, meter.used, calls)
    for part, (resident, share) in held.items():
        found.add(**{f"{rival.key}_{part}_rss": resident, f"{rival.key}_{part}_pss": share})
        found.add(**{f"{rival.key}_{part}_start": served.started[part]})


def _medhub(stage: Stage, effort: Effort, requests: Sequence[bytes], found: Found) -> None:
    """One launch of the clinical server."""
    stage.relaunch("clinical")
    pid, session, calls = stage.pid("clinical"), stage.session(), effort.calls(10_000, 600)
    read = partial(session.call, stage.clients.patients.GetPatient)
    asked = [patient_service_pb2.GetPatientRequest.FromString(one) for one in requests]
    first = read(asked[0])
    started = age_of(pid)
    answers = [first, *(read(one) for one in asked[1:])]
    load = partial(
        plan, stage.running.grpc["clinical"], GET, requests, in_flight=_IN_FLIGHT,
        token=session.token, answers=[one.SerializeToString() for one in answers],
    )  # fmt: skip
    warm_up(load(calls=calls // 5))
    stage.settle()
    with Meter({part: stage.cpu(part) for part in _PARTS}) as meter:
        carry_out(load(calls=calls))
        stage.settle()
    resident, share = _memory([pid])
    _add(found, _MEDHUB, meter.used, calls)
    found.add(medhub_clinical_rss=resident, medhub_clinical_pss=share)
    found.add(medhub_clinical_start=started)


def _add(found: Found, key: str, used: Mapping[str, float], calls: int) -> None:
    found.add(**{f"{key}_{part}": seconds / calls * _MILLI for part, seconds in used.items()})
    found.add(**{f"{key}_rate": calls / sum(used.values())})


def _memory(pids: Sequence[int]) -> tuple[float, float]:
    """MiB that a worker holds: with what it shares, and with its part of that."""
    held = [memory_of(pid) for pid in pids]
    return fmean(one.resident for one in held) / _MIB, fmean(one.share for one in held) / _MIB


def _section(found: Found, rivals: Sequence[_Rival]) -> Section:
    medhub = found[f"{_MEDHUB}_rate"]
    lines = [Line("medhub", medhub, "calls/CPU-s")]
    for rival in rivals:
        rate = found[f"{rival.key}_rate"]
        target = Target(rival.target, TIMES, at_most=False)
        lines.append(
            Line(rival.title, rate, "calls/CPU-s", "as many in medhub", medhub.over(rate), target)
        )
    lines.extend(_spent(found, "medhub", _MEDHUB, _PARTS))
    for rival in rivals:
        parts = ("service", "postgres") if rival.key == "local" else ("service", "auth", "postgres")
        lines.extend(_spent(found, rival.title, rival.key, parts))
    lines.extend(_footprint(found))
    notes = [_WHAT_MEDHUB_DOES, _ENDED_SESSIONS, _LEFT_OUT, _FOOTPRINT, *found.notes()]
    return Section("One read, in medhub and in what it replaces", _TEXT, lines, notes)


def _spent(found: Found, title: str, key: str, parts: Sequence[str]) -> list[Line]:
    return [Line(f"{title}: {part}, CPU a call", found[f"{key}_{part}"], "ms") for part in parts]


def _footprint(found: Found) -> list[Line]:
    """Memory and cold start of what answers."""
    medhub = {kind: found[f"medhub_clinical_{kind}"] for kind in ("rss", "pss", "start")}
    workers = {
        "medhub, the clinical server": medhub,
        **{
            title: {kind: found[f"{key}_{kind}"] for kind in ("rss", "pss", "start")}
            for title, key in (
                ("Django Ninja, a worker", "shared_service"),
                ("the FastAPI auth service", "shared_auth"),
                ("FastAPI, tokens proved locally", "local_service"),
            )
        },
    }
    told = {"rss": ("memory, resident", "MiB"), "pss": ("memory, its share", "MiB"),
            "start": ("cold start to the first right answer", "s")}  # fmt: skip
    return [
        _against(f"{title}: {what}", held[kind], unit, medhub[kind])
        for kind, (what, unit) in told.items()
        for title, held in workers.items()
    ]


def _against(what: str, series: Series, unit: str, medhub: Series) -> Line:
    return Line(what, series, unit) if series is medhub else Line(
        what, series, unit, "medhub", series.over(medhub)
    )  # fmt: skip


_TEXT = (
    "One patient with two identifiers, read by id by somebody with a token; the same patients, the"
    f" same PostgreSQL, {_IN_FLIGHT} calls in flight, every answer compared. What counts is the CPU"
    " of all processes of a design. Django Ninja runs on gunicorn with two workers of four threads,"
    " keeps its connections, reads through the ORM with the tenant in `filter()`, holds roles in"
    " decorators, and asks a FastAPI auth service at each request. FastAPI proves an EdDSA token"
    " itself and reads through psycopg's pool, with the tenant in WHERE."
)
_WHAT_MEDHUB_DOES = (
    "medhub's part holds what the others do not do: row-level security and a care link under the"
    " read, identifiers that are sealed at rest, validation, an access log, a durable record of"
    " each access, and its way into the signed audit trail. Of the others nothing tells who has"
    " read what, and one forgotten `filter()` shows another organization's patients."
)
_ENDED_SESSIONS = (
    "FastAPI with local tokens does not notice a session that was ended until its token has run"
    " out; the replaced design notices at the next call, and medhub when auth's stream has told it."
)
_LEFT_OUT = (
    "Left out in favour of the others: Django's middleware for sessions, CSRF and messages, the"
    " access logs of gunicorn and uvicorn, and PostgreSQL's processes beside those that serve"
    " their connections. Envoy is on nobody's path."
)
_FOOTPRINT = (
    "Memory is that of one process after the calls of a launch and their warm-up: 12,000, and 2,400"
    " of Django Ninja. A cold start ends with the first right answer; medhub's server has then read"
    " the auth state."
)

"""What a call costs while organizations, people and patients become many.

A platform of its own is filled step by step and each call is measured at each step. Whoever calls
stays the same: a doctor with as many patients as at the beginning.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import jwt

from benchmarks.figures import TIMES, Effort, Found, Line, Section, Series, Target
from benchmarks.growth import COMMON_NAME, PASSWORD, Growth
from benchmarks.load import Plan, carry_out, plan, warm_up
from benchmarks.patients import GET, readings
from benchmarks.processes import Meter
from benchmarks.run import WorthlessRun
from benchmarks.stage import Stage, stage
from medhub.auth.v1 import auth_service_pb2
from medhub.clinical.v1 import patient_service_pb2 as wire

_LIST = "/medhub.clinical.v1.PatientService/ListPatients"
_SEARCH = "/medhub.clinical.v1.PatientService/SearchPatients"
_LOGIN = "/medhub.auth.v1.AuthService/Login"
_MICRO = 1e6
_PATIENTS = 200
_PAGE = 20
_IN_FLIGHT = 16
# Argon2 has one thread on a small machine; more log-ins at once would wait in its line.
_LOGINS_IN_FLIGHT = 2
# People who log in in turn, of all that there are.
_LOGGING_IN = 50
_LAUNCHES = 3
# One launch differs from the next by a third; more than that is not chance.
_FLAT = Target(1.5, TIMES)
# Of a log-in, Argon2 included: nobody notices it.
_LOGIN_P99 = Target(400.0, "ms")


@dataclass(frozen=True, slots=True)
class _Step:
    """How much there is, beside the demonstration."""

    title: str
    organizations: int = 0
    users: int = _LOGGING_IN
    patients: int = 0


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that is measured, and how often. `is_flat`: its cost must not grow."""

    title: str
    key: str
    service: str
    calls: int
    is_flat: bool = True


_CALLS = (
    _Call("GetPatient", "get", "clinical", 2_000),
    _Call("ListPatients", "list", "clinical", 300),
    _Call("SearchPatients by name and birth date", "person", "clinical", 300),
    _Call("SearchPatients by a common name", "name", "clinical", 200, is_flat=False),
    _Call("Login", "login", "auth", 60),
)


def steps(largest: int) -> list[_Step]:
    """From a demonstration to `largest` people and patients; nothing ever becomes less."""
    few, many = max(largest // 10_000, 1), max(largest // 100, 1)
    return [
        _Step("1 organization"),
        _Step(f"{few:,} organizations", few),
        _Step(f"{many:,} organizations", many),
        _Step(f"and {many:,} people", many, many),
        _Step(f"and {largest:,} people", many, largest),
        _Step(f"and {many:,} patients", many, largest, many),
        _Step(f"and {largest:,} patients", many, largest, largest),
    ]


def measure(effort: Effort) -> Section:
    """Fill a platform and measure it at each step."""
    found, taken = Found(), steps(effort.largest)
    with stage(None) as staged:
        claims = jwt.decode(staged.session().token, options={"verify_signature": False})
        growth = Growth(staged, UUID(claims["org"]))
        requests = readings(staged, effort.calls(_PATIENTS, 20))
        for number, step in enumerate(taken):
            growth.grow(organizations=step.organizations, users=step.users, patients=step.patients)
            for _ in range(min(effort.launches, _LAUNCHES)):
                found.launch(partial(_launch, staged, effort, requests, step, number, found))
    return _section(found, taken)


def _launch(
    staged: Stage, effort: Effort, requests: Sequence[bytes], step: _Step, number: int, found: Found
) -> None:
    """One launch of both servers, at one step."""
    staged.settle()
    for part in ("auth", "clinical"):
        staged.relaunch(part)
    plans = _plans(staged, requests, step)
    told: dict[str, float] = {}
    with staged.paused("compliance"):
        for call in _CALLS:
            spent = _measured(staged, effort, call, plans[call.key])
            told |= {f"{call.key}_{number}_{part}": value for part, value in spent.items()}
    found.add(**told)


def _measured(
    staged: Stage, effort: Effort, call: _Call, load: Callable[..., Plan]
) -> dict[str, float]:
    """Microseconds of a call: with its part of PostgreSQL, and that part alone. And the time of
    the slowest hundredth, in milliseconds. NaN when calls have failed.
    """
    calls = effort.calls(call.calls, 20)
    warm_up(load(calls=max(calls // 5, 10)))
    sources = {
        "server": staged.cpu(call.service),
        "postgres": staged.backends(f"medhub_{call.service}_app"),
    }
    try:
        with Meter(sources) as meter:
            outcome = carry_out(load(calls=calls))
    except WorthlessRun as why:
        # One call that is no longer answered must not hide what became of the others.
        print(why, file=sys.stderr, flush=True)
        return dict.fromkeys(("whole", "postgres", "p99"), math.nan)
    return {
        "whole": sum(meter.used.values()) / calls * _MICRO,
        "postgres": meter.used["postgres"] / calls * _MICRO,
        "p99": outcome.p99,
    }


def _plans(staged: Stage, requests: Sequence[bytes], step: _Step) -> dict[str, Callable[..., Plan]]:
    """What is called, by key; the number of calls is left open."""
    session = staged.session()
    own = wire.GetPatientRequest.FromString(requests[0])
    patient = session.call(staged.clients.patients.GetPatient, own)
    page = wire.ListPatientsRequest(page_size=_PAGE)
    person = wire.SearchPatientsRequest(query=patient.birth_name, birth_date=patient.birth_date)
    name = wire.SearchPatientsRequest(query=COMMON_NAME, page_size=_PAGE)
    people = [
        auth_service_pb2.LoginRequest(email=email, password=PASSWORD)
        for email in people_of(step.users)
    ]
    clinical, auth = (staged.running.grpc[service] for service in ("clinical", "auth"))
    called = partial(plan, clinical, token=session.token, in_flight=_IN_FLIGHT)
    return {
        "get": partial(called, GET, requests),
        "list": partial(called, _LIST, _serialized(page)),
        "person": partial(called, _SEARCH, _serialized(person)),
        "name": partial(called, _SEARCH, _serialized(name)),
        "login": partial(
            plan, auth, _LOGIN, _serialized(*people), in_flight=_LOGINS_IN_FLIGHT, same_size=False
        ),
    }


def _serialized(*messages: Any) -> list[bytes]:
    return [message.SerializeToString() for message in messages]


def people_of(users: int) -> list[str]:
    """The addresses of those who log in, spread over all people that there are."""
    return [f"user{1 + place * users // _LOGGING_IN}@grown.example" for place in range(_LOGGING_IN)]


def _section(found: Found, taken: Sequence[_Step]) -> Section:
    lines = [line for call in _CALLS for line in _lines(found, taken, call, "whole")]
    login = _CALLS[-1]
    lines.extend(_lines(found, taken, login, "postgres"))
    lines.extend(
        Line(f"Login, p99: {step.title}", slowest, "ms", target=_LOGIN_P99)
        for number, step in enumerate(taken)
        if not _has_failed(slowest := found[f"{login.key}_{number}_p99"])
    )
    return Section(
        "What many organizations, people and patients cost",
        "CPU of a call, the server's and that of the processes of PostgreSQL that serve it, on a"
        " platform that is filled step by step. Everybody works for one organization; other"
        " organizations have 10 patients each, and all further patients are in the caller's own,"
        f" in the care of others: the caller is linked to the same {_PATIENTS} throughout.",
        lines,
        [*_failures(found, taken), _COMMON, _GROWN, *found.notes()],
    )


def _lines(found: Found, taken: Sequence[_Step], call: _Call, part: str) -> list[Line]:
    title = call.title if part == "whole" else f"{call.title}, PostgreSQL alone"
    series = [found[f"{call.key}_{number}_{part}"] for number in range(len(taken))]
    first = Line(f"{title}: {taken[0].title}", series[0], "µs")
    return [first] + [
        Line(
            f"{title}: {step.title}", spent, "µs", "the first", spent.over(series[0]),
            _FLAT if call.is_flat else None,
        )
        for step, spent in zip(taken[1:], series[1:], strict=True)
        if not _has_failed(spent)
    ]  # fmt: skip


def _has_failed(series: Series) -> bool:
    return any(map(math.isnan, series.values))


def _failures(found: Found, taken: Sequence[_Step]) -> list[str]:
    """Steps at which a call was refused instead of answered."""
    return [
        f"**{call.title} was refused or too slow at the step `{step.title}`.**"
        for call in _CALLS
        for number, step in enumerate(taken)
        if _has_failed(found[f"{call.key}_{number}_whole"])
    ]


_COMMON = (
    f"The common name is borne by one patient in a thousand of the caller's organization and by all"
    f" {_PATIENTS} of the caller's own: a search weighs all who bear a name, so its cost follows"
    " them, and it has no target."
)
_GROWN = (
    "The rows are made inside PostgreSQL, and the trail does not record them; tables are vacuumed"
    " and analyzed at each step. Log-in is mostly Argon2, hence PostgreSQL's part of it apart."
)

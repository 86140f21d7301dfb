"""Clinical under load while auth is cut off, frozen, slowed or restarted, and back again.

The bounds of proof hold whatever the machine's load: what began later than the bound after the last
proof that could come is not let in. Nobody is ever told to log in again.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from tests.support.campaign import SEED, WHOLE, told
from tests.support.fuzz_ground import LACKING
from tests.support.matrix_callers import traced
from tests.support.matrix_clinical import create_patient
from tests.support.matrix_platform import prepared
from tests.support.matrix_trail import left_by
from tests.support.matrix_wire import Outcome, bearer
from tests.support.matrix_world import World
from tests.support.postgres import Server
from tests.support.wire_faults import Fault, Wire, wire

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.campaign,
    pytest.mark.timeout(600),
]
# The contract's bounds (FRESHNESS_WRITE and FRESHNESS_READ), in seconds.
BOUNDS = {"write": 2.0, "read": 10.0, "declared": 10.0}
# Later than any bound, so that nothing that comes proves anything.
LATE_SECONDS = 12.0
# Auth stays away until so many calls of each kind began past their bound, and have ended.
ENOUGH = 4
ENOUGH_SECONDS = 120.0
HEALED_SECONDS = 90.0
RESTARTED = "restarted"
FAULTS = (Fault.CUT, Fault.STOPPED, Fault.SLOW, RESTARTED)
_PATIENTS = "medhub.clinical.v1.PatientService"
# What a client is told who has only to come back.
_AGAIN = frozenset({"AUTH_UNAVAILABLE", "UNAVAILABLE", "OVERLOADED", "DEADLINE_EXCEEDED"})


def faults() -> list[str]:
    """All of them in a campaign; else one, drawn by a seed that a failure shows."""
    chosen = list(FAULTS) if WHOLE else [random.Random(SEED).choice(FAULTS)]
    return [f"{fault}-{SEED}" for fault in chosen]


@dataclass
class Line:
    """The wire of the module's platform."""

    wire: Wire | None = None

    @asynccontextmanager
    async def detour(self, auth: int) -> AsyncIterator[dict[str, str]]:
        """Clinical alone looks for auth at the wire's other end."""
        async with wire(auth) as self.wire:
            yield {"clinical": f"127.0.0.1:{self.wire.port}"}

    async def end(self, world: World, fault: str) -> None:
        """Nothing that auth says from now on reaches clinical within any bound."""
        if fault == RESTARTED:
            await world.platform.stop("auth")
        else:
            assert self.wire is not None
            self.wire.late = LATE_SECONDS
            self.wire.become(Fault(fault))

    async def mend(self, world: World, fault: str) -> None:
        """Auth is there again."""
        if fault == RESTARTED:
            await world.platform.start("auth")
        else:
            assert self.wire is not None
            self.wire.become(Fault.NONE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line() -> Line:
    return Line()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    line: Line, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The prepared platform, with the wire in it."""
    async with prepared(postgres, tmp_path_factory.mktemp("away"), LACKING, line.detour) as made:
        yield made


@dataclass(frozen=True)
class Call:
    """One call of the load: when it began and ended, and what became of it."""

    kind: str
    began: float
    ended: float
    outcome: Outcome
    trace: str


@dataclass
class Load:
    """Callers who go on whatever they are told: writes, reads, and reads declared to go on."""

    world: World
    calls: list[Call] = field(default_factory=list)

    async def keep_on(self, kind: str) -> None:
        """Call without end."""
        while True:
            self.calls.append(await self.call(kind))
            await asyncio.sleep(0.05)

    async def call(self, kind: str) -> Call:
        """One call, under a trace of its own."""
        method, request, token = await self._ask(kind)
        trace, meta = traced()
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcome = await self.world.invoke(method, request, (*bearer(token), *meta))
        return Call(kind, began, loop.time(), outcome, trace)

    async def _ask(self, kind: str) -> tuple[str, Message, str]:
        side = self.world.alpha
        if kind == "write":
            return f"{_PATIENTS}/CreatePatient", await create_patient(side), side.whole
        if kind == "read":
            method = "medhub.clinical.v1.Hl7V2Service/ListEndpoints"
            return method, hl7.ListEndpointsRequest(), side.whole
        request = patients.GetPatientRequest(name=side.patient)
        return f"{_PATIENTS}/GetPatient", request, side.tokens["doctor"]

    async def healed(self) -> None:
        """Return when each kind of call is answered again."""
        async with asyncio.timeout(HEALED_SECONDS):
            for kind in ("write", "read", "declared"):
                while not (await self.call(kind)).outcome.ok:  # noqa: ASYNC110 - a server
                    await asyncio.sleep(0.2)


@pytest.mark.parametrize("fault", faults())
async def test_the_bounds_hold_while_auth_is_away(world: World, line: Line, fault: str) -> None:
    """Writes end at their bound, reads at theirs, declared reads go on, and everything heals."""
    load = Load(world)
    await load.healed()
    load.calls.clear()
    kinds = ("write", "read", "declared", "declared")

    past = await _through(line, load, kinds, fault.partition("-")[0])
    await load.healed()

    for kind in ("write", "read"):
        reasons = {call.outcome.reason for call in past if call.kind == kind}
        assert "AUTH_UNAVAILABLE" in reasons, f"seed {SEED}: {kind}"
        assert reasons <= _AGAIN, f"seed {SEED}: {kind} {reasons}"
    refused = {call.outcome.reason for call in load.calls if not call.outcome.ok}
    assert refused <= _AGAIN, f"seed {SEED}: {refused}"
    _assert_declared(world, [call for call in past if call.kind == "declared"])
    told(f"{len(load.calls)} calls while auth was {fault}")


async def _through(line: Line, load: Load, kinds: tuple[str, ...], fault: str) -> list[Call]:
    """Let auth be away under load until every bound has passed, and come back.

    Tells the calls that began past their bound and ended before anything could prove them again.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        callers = [tasks.create_task(load.keep_on(kind)) for kind in kinds]
        await asyncio.sleep(random.Random(SEED).uniform(0.5, 2.0))
        await line.end(load.world, fault)
        broken = loop.time()
        async with asyncio.timeout(ENOUGH_SECONDS):
            while any(count < ENOUGH for count in _counted(_past(load.calls, broken))):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        past = _past(load.calls, broken)
        await line.mend(load.world, fault)
        for caller in callers:
            caller.cancel()
    return past


def _past(calls: list[Call], broken: float) -> list[Call]:
    """Calls, all ended, that began past their bound."""
    return [call for call in calls if call.began > broken + BOUNDS[call.kind]]


def _counted(calls: list[Call]) -> list[int]:
    return [sum(call.kind == kind for call in calls) for kind in BOUNDS]


def _assert_declared(world: World, past: list[Call]) -> None:
    """Declared reads go on past every bound, and the trail says so of each."""
    assert "AUTH_UNAVAILABLE" not in {call.outcome.reason for call in past}, f"seed {SEED}"
    shown = [call for call in past if call.outcome.ok]
    assert shown, f"seed {SEED}: no declared read went on"
    for call in shown:
        rows = left_by(world.platform.databases["clinical"], call.trace)
        assert [(row.after or {}).get("auth_degraded") for row in rows] == [True], f"seed {SEED}"

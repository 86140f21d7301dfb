"""Many callers of two organizations at once: nobody sees the other's, nothing is made twice."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import TypeVar

import grpc
import pytest
from google.protobuf.message import Message

from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.clinical.v1 import record_service_pb2 as records
from medhub.compliance.v1 import audit_service_pb2 as audit
from tests.support.matrix_clinical import create_patient, ingest_messages
from tests.support.matrix_platform import world
from tests.support.matrix_requests import fresh
from tests.support.matrix_trail import kept_of, waiting
from tests.support.matrix_wire import Outcome, bearer
from tests.support.matrix_world import Side, World

__all__ = ["world"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
_PATIENTS = "medhub.clinical.v1.PatientService"
_RECORDS = "medhub.clinical.v1.RecordService"
# Without an answer about the patient: a busy server, or a machine that runs other tests besides.
_BUSY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
    }
)
PAUSE_SECONDS = 0.2
_T = TypeVar("_T")


async def _patiently(world: World, side: Side, method: str, request: Message) -> Outcome:
    """Call until the server is not too busy, as any client does that is told when to come back."""
    while True:
        outcome = await world.invoke(method, request, bearer(side.whole))
        if outcome.code not in _BUSY:
            return outcome
        await asyncio.sleep(PAUSE_SECONDS)


async def _together(calls: Iterable[Awaitable[_T]], at_once: int = 100) -> list[_T]:
    """All of them, so many at once."""
    places = asyncio.Semaphore(at_once)

    async def one(call: Awaitable[_T]) -> _T:
        async with places:
            return await call

    return await asyncio.gather(*(one(call) for call in calls))


async def _reads(world: World, side: Side, number: int) -> tuple[str, Outcome]:
    """One of three reads of a side's own patient, by turns."""
    request, method = (
        (patients.GetPatientRequest(name=side.patient), f"{_PATIENTS}/GetPatient"),
        (patients.ListPatientsRequest(), f"{_PATIENTS}/ListPatients"),
        (records.ListEncountersRequest(patient=side.patient), f"{_RECORDS}/ListEncounters"),
    )[number % 3]
    return method.rpartition("/")[2], await _patiently(world, side, method, request)


def _shown(method: str, outcome: Outcome) -> set[str]:
    """The patients that an answer speaks of."""
    answer = outcome.response
    if method == "GetPatient":
        return {answer.name}
    if method == "ListPatients":
        return {patient.name for patient in answer.patients}
    return {encounter.patient for encounter in answer.encounters}


async def test_a_thousand_calls_of_two_organizations_never_mix(world: World) -> None:
    """Unary calls in flight at once, on the same servers: each sees its own patient only."""
    sides = (world.alpha, world.beta)

    answered = await _together(_reads(world, sides[n % 2], n // 2) for n in range(1000))

    for n, (method, outcome) in enumerate(answered):
        own = sides[n % 2].patient
        assert outcome.ok, f"{method}: {outcome}"
        assert _shown(method, outcome) == {own}


async def test_a_thousand_calls_for_the_others_patient_find_nobody(world: World) -> None:
    """Whoever asks for the other organization's patient, in the midst of its own calls."""
    sides = (world.alpha, world.beta)

    async def ask(n: int) -> Outcome:
        mine, theirs = sides[n % 2], sides[(n + 1) % 2]
        asked = theirs if n % 4 < 2 else mine
        request = patients.GetPatientRequest(name=asked.patient)
        return await _patiently(world, mine, f"{_PATIENTS}/GetPatient", request)

    answered = await _together((ask(n) for n in range(1000)), at_once=1000)

    told = Counter(
        outcome.response.name if outcome.ok else f"{n % 4 < 2} {outcome.reason}"
        for n, outcome in enumerate(answered)
    )
    assert told == {"True NOT_FOUND": 500, world.alpha.patient: 250, world.beta.patient: 250}


async def test_streams_of_two_organizations_never_mix(world: World) -> None:
    """What each stream brings is stored for the organization of its own token."""
    sides = (world.alpha, world.beta)

    async def feed(n: int) -> tuple[Side, Outcome]:
        side = sides[n % 2]
        request = await ingest_messages(side)
        method = "medhub.clinical.v1.Hl7V2Service/IngestMessages"
        return side, await _patiently(world, side, method, request)

    fed = await _together((feed(n) for n in range(60)), at_once=20)

    rows = world.platform.databases["clinical"].rows(
        "SELECT 'hl7Messages/' || id AS name, organization_id FROM hl7_message"
    )
    owners = {row["name"]: row["organization_id"] for row in rows}
    for side, outcome in fed:
        assert outcome.ok, str(outcome)
        assert owners[outcome.response.message] == side.tenant.organization


async def test_sixty_four_at_once_make_one_patient_of_an_identifier(world: World) -> None:
    """One wins; the others are told that the identifier is taken, and nothing of them is left."""
    asked = (await create_patient(world.alpha)).patient
    before = _patients(world)

    async def create() -> Outcome:
        request = patients.CreatePatientRequest(patient=asked, request_id=fresh())
        return await _patiently(world, world.alpha, f"{_PATIENTS}/CreatePatient", request)

    outcomes = await _together((create() for _ in range(64)), at_once=64)

    told = Counter((outcome.code, outcome.reason) for outcome in outcomes)
    taken = (grpc.StatusCode.ALREADY_EXISTS, "IDENTIFIER_TAKEN")
    assert told == {(grpc.StatusCode.OK, ""): 1, taken: 63}
    assert _patients(world) == before + 1


async def test_both_organizations_may_hold_one_identifier(world: World) -> None:
    """An identifier is taken in its own organization only."""
    asked = (await create_patient(world.alpha)).patient

    for side in (world.alpha, world.beta):
        await side.do(f"{_PATIENTS}/CreatePatient", patients.CreatePatientRequest(patient=asked))


async def test_one_request_id_at_once_makes_one_patient(world: World) -> None:
    """Retries that cross get the same answer, and make one patient."""
    request = await create_patient(world.alpha)
    before = _patients(world)

    async def create() -> Outcome:
        return await _patiently(world, world.alpha, f"{_PATIENTS}/CreatePatient", request)

    outcomes = await _together((create() for _ in range(32)), at_once=32)

    assert [str(outcome) for outcome in outcomes if not outcome.ok] == []
    answers: list[patient_pb2.Patient] = [outcome.response for outcome in outcomes]
    assert all(answer == answers[0] for answer in answers)
    assert _patients(world) == before + 1


async def test_all_that_was_left_behind_reaches_the_trail_of_its_own(world: World) -> None:
    """Every event that entered an outbox for an organization stands in its log, and no other, and
    was counted once among its own figures.
    """
    databases = world.platform.databases
    async with asyncio.timeout(60):
        while any(map(waiting, databases.values())):  # noqa: ASYNC110 - the relays are other tasks
            await asyncio.sleep(0.2)

    for side in (world.alpha, world.beta):
        complete = await side.do(
            "medhub.compliance.v1.AuditService/CheckCompleteness",
            audit.CheckCompletenessRequest(),
        )
        entered = {
            service: kept_of(database, side.tenant.organization)
            for service, database in databases.items()
        }
        missing = {source.source: list(source.missing) for source in complete.sources}
        assert missing == {service: [] for service, events in entered.items() if events}
        assert complete.tree_size == sum(entered.values())
        assert _counted(world, side) == sum(entered.values())


def _counted(world: World, side: Side) -> int:
    found = world.platform.databases["analytics"].rows(
        "SELECT count(*) AS n FROM fact WHERE organization_id = %s", side.tenant.organization
    )
    return int(found[0]["n"])


def _patients(world: World) -> int:
    found = world.platform.databases["clinical"].rows("SELECT count(*) AS n FROM patient")
    return int(found[0]["n"])

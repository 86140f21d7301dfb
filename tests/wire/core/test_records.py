"""The trail of a call: durable before its answer leaves, or no answer leaves."""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from core.database.access import AccessRecord, AccessRecorder
from core.errors import NotFound, Unavailable
from core.ids import new_id
from medhub.clinical.v1.patient_pb2 import Patient
from medhub.clinical.v1.patient_service_pb2 import GetPatientRequest
from tests.support.postgres import ServiceDatabase
from tests.support.probe_server import Served, serving
from tests.support.tokens import membership, tell

GET = "medhub.clinical.v1.PatientService/GetPatient"
PERSON = new_id()
REQUEST = GetPatientRequest(name=f"patients/{PERSON}")
TRAIL = "SELECT * FROM medhub.audit_outbox ORDER BY seq"


async def _get(request: Any) -> Any:
    return Patient(name=request.name)


async def test_a_read_is_recorded_when_its_answer_arrives(
    served: Served, ward: ServiceDatabase
) -> None:
    """Who was shown whom, by which method and permission."""
    served.servicer.get = _get
    doctor = new_id()

    await served.call(GET, REQUEST, served.token("doctor", subject=doctor))

    (row,) = ward.rows(TRAIL)
    assert (row["kind"], row["subject"], row["subject_kind"]) == ("access", PERSON, "patient")
    assert (row["organization_id"], row["resource"]) == (served.ward, f"patients/{PERSON}")
    assert row["context"]["actor"] == str(doctor)
    assert row["context"]["action"] == "clinical.patients.read"
    assert row["context"]["method"] == GET


class _Held:
    """A recorder whose flush waits for the test, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.asked, self.durable, self.fails = asyncio.Event(), asyncio.Event(), fails

    async def record(self, records: Sequence[AccessRecord]) -> None:
        self.asked.set()
        if self.fails:
            raise Unavailable(retry_after=1.0)
        await self.durable.wait()


async def test_no_answer_leaves_before_its_record_is_durable() -> None:
    """The response waits for the flush."""
    recorder = _Held()
    async with serving(recorder) as served:
        served.servicer.get = _get
        call = asyncio.ensure_future(served.call(GET, REQUEST, served.token("doctor")))
        async with asyncio.timeout(60):
            await recorder.asked.wait()
        await asyncio.sleep(0.1)
        assert not call.done()

        recorder.durable.set()

        assert (await call).name == REQUEST.name


async def test_what_cannot_be_recorded_is_not_shown() -> None:
    """UNAVAILABLE, to be tried again; the refusal itself does not need the recorder."""
    async with serving(_Held(fails=True)) as served:
        served.servicer.get = _get

        told = await served.refused(GET, REQUEST, served.token("doctor"))
        denied = await served.refused(GET, REQUEST, served.token("visitor"))

    assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    assert told.retry_after is not None
    assert denied.reason == "PERMISSION_DENIED"


async def test_a_closed_recorder_closes_the_reads(served: Served, recorder: AccessRecorder) -> None:
    """The real one, as when the server ends before its calls do."""
    served.servicer.get = _get
    await recorder.close()

    assert (await served.refused(GET, REQUEST, served.token("doctor"))).reason == "UNAVAILABLE"


async def test_refusals_of_known_callers_are_recorded(
    served: Served, ward: ServiceDatabase
) -> None:
    """Who tried what on which object, and why it was refused."""

    async def get(_request: Any) -> Any:
        raise NotFound

    served.servicer.get = get
    visitor = new_id()

    await served.refused(GET, REQUEST, served.token("visitor", subject=visitor))
    await served.refused(GET, REQUEST, served.token("doctor"))

    denied, missing = ward.rows(TRAIL)
    assert {denied["kind"], missing["kind"]} == {"refusal"}
    assert {denied["resource"], missing["resource"]} == {f"patients/{PERSON}"}
    assert denied["context"]["actor"] == str(visitor)
    assert denied["after"]["reason"] == "PERMISSION_DENIED"
    assert missing["after"]["reason"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "name", ["patients/\0", "Mrs Durand, 12 rue X", "x" * 10_000, "patients/\u2028", "a//b", "/"]
)
async def test_a_refused_request_cannot_spoil_the_trail(
    served: Served, ward: ServiceDatabase, name: str
) -> None:
    """It was not validated: what is no name is left out, and the flush succeeds."""
    await served.refused(GET, GetPatientRequest(name=name), served.token("visitor"))

    (row,) = ward.rows(TRAIL)
    assert (row["kind"], row["resource"]) == ("refusal", "")


async def test_garbage_from_a_known_caller_is_recorded_too(
    served: Served, ward: ServiceDatabase
) -> None:
    """Without an object, since none could be read."""
    await served.refused(GET, b"\xff\xff", served.token("visitor"))

    (row,) = ward.rows(TRAIL)
    assert (row["kind"], row["resource"]) == ("refusal", "")


async def test_refusals_of_strangers_are_counted(served: Served, ward: ServiceDatabase) -> None:
    """A hundred attempts are one row: nobody fills the trail without a name."""
    for _ in range(100):
        await served.refused(GET, REQUEST, "x.y.z")
    assert ward.rows(TRAIL) == []

    await served.strangers.flush()

    rows = ward.rows(TRAIL)
    assert sum(row["after"]["count"] for row in rows) == 100
    assert len(rows) <= 2


async def test_a_degraded_read_says_so_in_the_trail(served: Served, ward: ServiceDatabase) -> None:
    """Auth is away, the read is declared to go on, and every record shows it."""
    served.servicer.get = _get
    subject = new_id()
    token = served.token("doctor", subject=subject)
    tell(served.truth.state, membership(subject, served.ward, ["doctor"]))
    await served.call(GET, REQUEST, token)
    served.auth.reachable = False
    served.truth.state.proven_at -= 60

    await served.call(GET, REQUEST, token)

    before, during = ward.rows(TRAIL)
    assert "auth_degraded" not in (before["after"] or {})
    assert during["after"]["auth_degraded"] is True

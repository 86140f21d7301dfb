"""A patient's data are restricted: every service keeps them, and none processes them."""

import json
from dataclasses import replace
from typing import NoReturn

import pytest

from core.errors import Unavailable
from core.ids import name_of, new_id
from medhub.billing.v1 import invoice_service_pb2 as invoices
from medhub.clinical.v1 import hl7_pb2, patient_pb2
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.compliance.v1 import access_request_pb2 as access
from medhub.compliance.v1 import restriction_pb2 as proto
from tests.support import hl7_messages, matrix_billing
from tests.support.matrix_platform import world
from tests.support.matrix_restrictions import (
    lifted,
    restricted,
    restriction_entered,
    restriction_reaching,
)
from tests.support.matrix_subject import (
    entered,
    erasure_confirmed,
    erasure_planned,
    erasure_reaching,
    package,
    reaching,
)
from tests.support.matrix_wire import Outcome, bearer
from tests.support.matrix_world import HOSPITAL, Side, World
from tests.support.platform import SERVICES

__all__ = ["world"]
# Requests of persons are worked off in the background, among all that others have made.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
_PATIENTS = "medhub.clinical.v1.PatientService"
_SUBJECT = "medhub.subject.v1.SubjectService"


def _number(value: str) -> patient_pb2.PatientIdentifier:
    return patient_pb2.PatientIdentifier(
        system=HOSPITAL, type=patient_pb2.IDENTIFIER_TYPE_PI, value=value
    )


async def _read(side: Side, patient: str) -> Outcome:
    request = patients.GetPatientRequest(name=patient)
    return await side.world.invoke(f"{_PATIENTS}/GetPatient", request, bearer(side.whole))


async def _listed(side: Side) -> set[str]:
    request = patients.ListPatientsRequest(page_size=200)
    listed = await side.do(f"{_PATIENTS}/ListPatients", request)
    return {one.name for one in listed.patients}


async def _looked_up(side: Side, number: str) -> list[str]:
    by = patients.IdentifierQuery(system=HOSPITAL, value=number)
    request = patients.LookupPatientIdentitiesRequest(identifier=by)
    found = await side.do(f"{_PATIENTS}/LookupPatientIdentities", request)
    return [one.name for one in found.identities]


async def test_who_is_restricted_is_kept_and_not_there(world: World) -> None:
    """No read of any service finds a row, and each is back as it was when it is lifted."""
    side = world.alpha
    patient, number = (await side.new_patient(_number("R-1"))).name, "R-1"
    draft = await matrix_billing.create_invoice(side)
    draft.invoice.patient = patient
    made = await side.do(f"{matrix_billing.INVOICES}/CreateInvoice", draft)
    show = invoices.GetInvoiceRequest(name=made.name)
    before = await _read(side, patient)

    one = await restricted(side, patient)
    hidden = await _read(side, patient)
    invoice = await world.invoke(f"{matrix_billing.INVOICES}/GetInvoice", show, bearer(side.whole))
    listed, looked_up = await _listed(side), await _looked_up(side, number)
    await lifted(side, one.name)
    after = await _read(side, patient)

    assert {part.service for part in one.services} == set(SERVICES)
    assert (hidden.reason, invoice.reason) == ("NOT_FOUND", "NOT_FOUND")
    assert patient not in listed
    assert looked_up == []
    assert before.response == after.response
    assert patient in await _listed(side)
    assert await side.do(f"{matrix_billing.INVOICES}/GetInvoice", show) == made


async def test_nothing_is_written_about_who_is_restricted(world: World) -> None:
    """A change finds nobody, and a new row is refused for what it is."""
    side = world.alpha
    patient = await side.new_patient()
    await restricted(side, patient.name)
    change = patients.DeletePatientRequest(name=patient.name, etag=patient.etag)
    draft = await matrix_billing.create_invoice(side)
    draft.invoice.patient = patient.name

    changed = await world.invoke(f"{_PATIENTS}/DeletePatient", change, bearer(side.whole))
    written = await world.invoke(
        f"{matrix_billing.INVOICES}/CreateInvoice", draft, bearer(side.whole)
    )

    assert changed.reason == "NOT_FOUND"
    assert written.reason == "PERSON_RESTRICTED"


async def test_a_message_about_who_is_restricted_is_kept_and_refused(world: World) -> None:
    """It makes no second patient of the number, and says that it was not taken."""
    side = world.alpha
    patient = (await side.new_patient(_number("R-2"))).name
    await restricted(side, patient)
    person = replace(hl7_messages.ANNE, identifiers=(hl7_messages.ipp("R-2"),))
    request = hl7.IngestMessageRequest(
        endpoint=side.endpoint, message=hl7_messages.adt("A01", person).encode()
    )

    taken = await side.do("medhub.clinical.v1.Hl7V2Service/IngestMessage", request)

    assert taken.ack_code in ("AE", "AR")
    show = hl7.GetMessageRequest(name=taken.message)
    kept = await side.do("medhub.clinical.v1.Hl7V2Service/GetMessage", show)
    assert kept.state == hl7_pb2.HL7_MESSAGE_STATE_REJECTED
    assert "refused.PERSON_RESTRICTED" in [one.rule for one in kept.findings]
    assert await _looked_up(side, "R-2") == []


async def test_their_rights_go_on(world: World) -> None:
    """Access shows everything that is kept; and who is restricted can be erased."""
    side = world.alpha
    patient = (await side.new_patient()).name
    await restricted(side, patient)

    asked = await entered(side, patient)
    await reaching(side, asked.name, access.ACCESS_REQUEST_STATE_COMPLETE)
    document = json.loads(await package(side, asked.name))
    planned = await erasure_planned(side, patient)
    await erasure_confirmed(side, planned)
    done = await erasure_reaching(side, planned.name, 6)

    assert "clinical.patient" in {row["table"] for row in document["clinical"]}
    assert {one.service for one in done.services if one.HasField("receipt")} == set(SERVICES)


async def test_two_restrictions_end_one_by_one(world: World) -> None:
    """Lifting one leaves what another holds."""
    side = world.alpha
    patient = (await side.new_patient()).name
    first, second = await restricted(side, patient), await restricted(side, patient)

    await lifted(side, first.name)
    still = await _read(side, patient)
    await lifted(side, second.name)

    assert still.reason == "NOT_FOUND"
    assert (await _read(side, patient)).ok


async def _away(_request: object) -> NoReturn:
    raise Unavailable(retry_after=0.1)


async def test_a_service_that_is_away_is_told_when_it_is_back(world: World) -> None:
    """Until then the restriction is not complete, and holds where it is known."""
    side = world.alpha
    patient = (await side.new_patient()).name
    with world.seam.serving(f"{_SUBJECT}/RestrictSubject@billing", run=_away):
        made = await restriction_entered(side, patient)
        waiting = await restriction_reaching(side, made.name, proto.RESTRICTION_STATE_INCOMPLETE)
    hidden = await _read(side, patient)
    active = await restriction_reaching(side, made.name, proto.RESTRICTION_STATE_ACTIVE)

    bound = proto.SERVICE_RESTRICTION_STATE_RESTRICTED
    assert {p.service for p in waiting.services if p.state != bound} == {"billing"}
    assert waiting.HasField("retry_time")
    assert hidden.reason == "NOT_FOUND"
    assert {p.state for p in active.services} == {bound}


async def test_others_are_not_touched(world: World) -> None:
    """Neither a neighbour, nor what is about nobody, nor another organization's patients."""
    side = world.alpha
    patient, neighbour = (await side.new_patient()).name, (await side.new_patient()).name
    await restricted(side, patient)
    unknown = proto.RESTRICTION_STATE_UNKNOWN_PERSON
    for name in (world.beta.patient, name_of("patients", new_id())):
        made = await restriction_entered(side, name)
        await restriction_reaching(side, made.name, unknown)

    assert (await _read(side, neighbour)).ok
    assert (await _read(world.beta, world.beta.patient)).ok

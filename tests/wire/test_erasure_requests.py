"""A patient asks to be erased: planned by all, confirmed by somebody, done by all, and seen so."""

import json
from typing import Any, NoReturn

import pytest

from core.crypto.signed_notes import verified
from core.errors import Unavailable
from core.ids import id_from, name_of, new_id
from medhub.compliance.v1 import access_request_pb2 as access
from medhub.compliance.v1 import data_subject_request_service_pb2 as requests
from medhub.compliance.v1 import erasure_request_pb2 as erasure
from medhub.subject.v1 import erasure_pb2
from medhub.subject.v1 import subject_service_pb2 as wire
from tests.support import matrix_billing
from tests.support.matrix_platform import world
from tests.support.matrix_subject import (
    entered,
    erasure_confirmed,
    erasure_entered,
    erasure_planned,
    erasure_reaching,
    package,
    plan_request,
    reaching,
)
from tests.support.matrix_wire import bearer
from tests.support.matrix_world import Side, World
from tests.support.platform import SERVICES

__all__ = ["world"]
# Requests of persons are worked off in the background, among all that others have made.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
_REQUESTS = "medhub.compliance.v1.DataSubjectRequestService"
_SUBJECT = "medhub.subject.v1.SubjectService"
_COMPLETE = erasure.ERASURE_REQUEST_STATE_COMPLETE
_INCOMPLETE = erasure.ERASURE_REQUEST_STATE_INCOMPLETE
_PLANNED = erasure.ERASURE_REQUEST_STATE_PLANNED
# Of what was asked and done, which the law wants to be shown.
_RECORD = {
    "compliance.access_answer",
    "compliance.access_request",
    "compliance.erasure_part",
    "compliance.erasure_request",
}


# That nothing is to be written about who was erased everywhere, in each service.
_FORGOTTEN = {f"{service}.erased_person" for service in SERVICES}


async def _draft_of(side: Side, patient: str) -> None:
    """A draft of an invoice for somebody else than the side's patient."""
    request = await matrix_billing.create_invoice(side)
    request.invoice.patient = patient
    await side.do(f"{matrix_billing.INVOICES}/CreateInvoice", request)


async def _found(side: Side, patient: str) -> dict[str, int]:
    """What any service holds of a patient, but receipts."""
    held: dict[str, int] = {}
    for service in SERVICES:
        request = wire.FindSubjectRequest(
            organization_id=str(side.tenant.organization),
            subject=patient,
            occasion=plan_request(side, patient).occasion,
        )
        method = f"{_SUBJECT}/FindSubject@{service}"
        outcome = await side.world.invoke(method, request, bearer(side.world.gatherer))
        assert outcome.ok, outcome
        held |= {t.table: t.count for t in outcome.response.tables if t.count}
    return {name: many for name, many in held.items() if "receipt" not in name}


def _services(request: erasure.ErasureRequest) -> dict[str, erasure.ServiceErasure]:
    return {one.service: one for one in request.services}


async def test_a_patient_is_erased_everywhere_and_forgotten(world: World) -> None:
    """Nothing goes before somebody confirms; then rows and keys go, and each service has signed."""
    side = world.alpha
    patient = (await side.new_patient()).name
    await _draft_of(side, patient)
    asked = await entered(side, patient)
    await reaching(side, asked.name, access.ACCESS_REQUEST_STATE_COMPLETE)
    assert json.loads(await package(side, asked.name))["billing"]
    planned = await erasure_planned(side, patient)
    before = await _found(side, patient)

    confirmed = await erasure_confirmed(side, planned)
    done = await erasure_reaching(side, planned.name, _COMPLETE)

    parts = _services(done)
    assert before["clinical.patient"] == before["billing.invoice"] == 1
    assert before["compliance.audit_event"] > 0
    assert confirmed.state == erasure.ERASURE_REQUEST_STATE_ERASING
    assert done.confirmer == name_of("users", side.user("administrator"))
    assert parts.keys() == set(SERVICES)
    assert {name: one.receipt.outcome for name, one in parts.items()} == {
        "analytics": erasure_pb2.ERASURE_OUTCOME_NOTHING_FOUND,
        "auth": erasure_pb2.ERASURE_OUTCOME_NOTHING_FOUND,
        "billing": erasure_pb2.ERASURE_OUTCOME_ERASED,
        "clinical": erasure_pb2.ERASURE_OUTCOME_ERASED,
        "compliance": erasure_pb2.ERASURE_OUTCOME_ERASED,
    }
    for one in parts.values():
        assert one.receipt.plan_digest == one.plan_digest
        text = verified(one.receipt.note, one.receipt.verifier_key)
        assert str(id_from(patient, "patients")) not in text
    assert len(parts["compliance"].receipt.destroyed_keys) == 2
    assert (await _found(side, patient)).keys() == _RECORD | _FORGOTTEN
    again = requests.CreateAccessRequestRequest(
        access_request=access.AccessRequest(patient=patient)
    )
    refused = await world.invoke(f"{_REQUESTS}/CreateAccessRequest", again, bearer(side.whole))
    assert refused.reason == "KEY_DESTROYED"
    wanted = requests.CreateErasureRequestRequest(
        erasure_request=erasure.ErasureRequest(patient=patient)
    )
    once_more = await world.invoke(f"{_REQUESTS}/CreateErasureRequest", wanted, bearer(side.whole))
    assert once_more.reason == "PERSON_ERASED"
    draft = await matrix_billing.create_invoice(side)
    draft.invoice.patient = patient
    method = f"{matrix_billing.INVOICES}/CreateInvoice"
    assert (await world.invoke(method, draft, bearer(side.whole))).reason == "PERSON_ERASED"


async def test_what_the_law_keeps_is_said_and_stays(world: World) -> None:
    """Who is in care keeps the record and its trail; drafts and old packages go all the same."""
    side = world.beta
    await matrix_billing.draft(side)
    asked = await entered(side)
    await reaching(side, asked.name, access.ACCESS_REQUEST_STATE_COMPLETE)
    planned = await erasure_planned(side)
    before = await _found(side, side.patient)

    await erasure_confirmed(side, planned)
    done = await erasure_reaching(side, planned.name, _COMPLETE)

    after = await _found(side, side.patient)
    kept = {
        table.table: (table.retention, table.ground)
        for one in done.services
        for table in one.tables
        if table.count and table.retention
    }
    gone = {"billing.invoice", "billing.invoice_line", "billing.invoice_tax"}
    gone |= {"compliance.access_package_part"}
    assert before.keys() - after.keys() == gone
    assert {name for name in after if not name.startswith("compliance")} <= kept.keys()
    assert kept["clinical.patient"] == (
        "fr.csp.r1112-7",
        "CSP article R.1112-7; GDPR article 17(3)(b)",
    )
    assert kept["compliance.audit_event"][0] == "fr.csp.l1142-28"
    assert _services(done)["compliance"].receipt.destroyed_keys == []
    # Who is kept can still ask what is kept.
    once_more = await entered(side)
    await reaching(side, once_more.name, access.ACCESS_REQUEST_STATE_COMPLETE)


async def test_nothing_goes_while_nobody_confirms_and_an_old_plan_is_refused(world: World) -> None:
    """What is confirmed is the plan that was read."""
    side = world.alpha
    patient = (await side.new_patient()).name
    planned = await erasure_planned(side, patient)
    wrong = requests.ConfirmErasureRequestRequest(name=planned.name, etag="0")

    refused = await world.invoke(f"{_REQUESTS}/ConfirmErasureRequest", wrong, bearer(side.whole))

    assert refused.reason == "ETAG_MISMATCH"
    assert (await _found(side, patient))["clinical.patient"] == 1


async def _away(_request: object) -> NoReturn:
    raise Unavailable(retry_after=0.1)


async def test_a_service_that_is_away_keeps_the_plan_open(world: World) -> None:
    """There is no plan of some: it is named, asked again, and the plan waits for it."""
    side = world.alpha
    patient = (await side.new_patient()).name
    with world.seam.serving(f"{_SUBJECT}/PlanErasure@billing", run=_away):
        made = await erasure_entered(side, patient)
        waiting = await erasure_reaching(side, made.name, _INCOMPLETE)
    planned = await erasure_reaching(side, made.name, _PLANNED)

    missing = erasure.SERVICE_ERASURE_STATE_MISSING
    parts = _services(waiting)
    assert [name for name, one in parts.items() if one.state == missing] == ["billing"]
    assert parts["billing"].last_failure == "UNAVAILABLE"
    assert waiting.HasField("retry_time")
    assert not planned.HasField("retry_time")


async def test_a_service_that_is_away_keeps_the_erasure_open(world: World) -> None:
    """What the others have done is done; the keys live until the last of them has signed."""
    side = world.alpha
    patient = (await side.new_patient()).name
    await _draft_of(side, patient)
    planned = await erasure_planned(side, patient)
    with world.seam.serving(f"{_SUBJECT}/ExecuteErasure@billing", run=_away):
        await erasure_confirmed(side, planned)
        waiting = await erasure_reaching(side, planned.name, _INCOMPLETE)
    held = await _found(side, patient)
    done = await erasure_reaching(side, planned.name, _COMPLETE)

    erased = erasure.SERVICE_ERASURE_STATE_ERASED
    signed = [name for name, one in _services(waiting).items() if one.state == erased]
    assert signed == ["analytics", "auth", "clinical"]
    assert not waiting.HasField("complete_time")
    assert "clinical.patient" not in held
    assert done.HasField("complete_time")
    assert (await _found(side, patient)).keys() <= _RECORD | _FORGOTTEN


async def test_data_that_have_changed_are_planned_and_confirmed_anew(world: World) -> None:
    """A draft written after the plan is not erased by it, nor forgotten by the request."""
    side = world.alpha
    patient = (await side.new_patient()).name
    await _draft_of(side, patient)
    planned = await erasure_planned(side, patient)
    await _draft_of(side, patient)

    await erasure_confirmed(side, planned)
    anew = await erasure_reaching(side, planned.name, _PLANNED)
    held = await _found(side, patient)
    await erasure_confirmed(side, anew)
    done = await erasure_reaching(side, planned.name, _COMPLETE)

    assert _services(anew)["billing"].last_failure == "ERASURE_PLAN_CHANGED"
    assert anew.etag != planned.etag
    assert anew.confirmer == ""
    assert held["billing.invoice"] == 2
    assert "clinical.patient" not in held
    assert _count(_services(done)["billing"], "billing.invoice") == 2
    assert (await _found(side, patient)).keys() <= _RECORD | _FORGOTTEN


def _count(part: erasure.ServiceErasure, table: str) -> int:
    return sum(one.count for one in part.receipt.tables if one.table == table)


async def test_what_is_still_there_after_a_signature_is_found(world: World) -> None:
    """A receipt is not believed: a row that came back keeps the request open."""
    side = world.alpha
    patient = (await side.new_patient()).name
    planned = await erasure_planned(side, patient)

    async def meanwhile(request: Any) -> Any:
        await _draft_of(side, patient)
        raise Unavailable(retry_after=0.1)

    with world.seam.serving(f"{_SUBJECT}/ExecuteErasure@compliance", run=meanwhile):
        await erasure_confirmed(side, planned)
        await erasure_reaching(side, planned.name, _INCOMPLETE)
    anew = await erasure_reaching(side, planned.name, _PLANNED, _COMPLETE)

    assert anew.state == _PLANNED
    assert _services(anew)["billing"].last_failure == "STILL_FOUND"
    await erasure_confirmed(side, anew)
    await erasure_reaching(side, planned.name, _COMPLETE)
    assert (await _found(side, patient)).keys() <= _RECORD | _FORGOTTEN


async def test_nobody_is_never_erased(world: World) -> None:
    """Of another organization's patient and of one who does not exist there is no plan."""
    unknown = erasure.ERASURE_REQUEST_STATE_UNKNOWN_PERSON
    for name in (world.beta.patient, name_of("patients", new_id())):
        made = await erasure_entered(world.alpha, name)

        found = await erasure_reaching(world.alpha, made.name, _PLANNED, unknown)

        assert found.state == unknown

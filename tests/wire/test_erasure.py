"""Erasing a patient, service by service: planned from the contract, done once, with a receipt."""

from typing import Any

import pytest

from core.crypto.signed_notes import NotVouched, verified
from core.ids import id_from
from medhub.subject.v1 import erasure_pb2
from medhub.subject.v1 import subject_pb2 as held
from medhub.subject.v1 import subject_service_pb2 as wire
from tests.support import matrix_billing
from tests.support.matrix_platform import world
from tests.support.matrix_subject import execute_request, plan_request
from tests.support.matrix_wire import Outcome, bearer
from tests.support.matrix_world import Side, World
from tests.support.platform import SERVICES

__all__ = ["world"]
# Requests of persons are worked off in the background, among all that others have made.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
_SUBJECT = "medhub.subject.v1.SubjectService"
_DELETE = erasure_pb2.ERASURE_ACTION_DELETE
_KEEP = erasure_pb2.ERASURE_ACTION_KEEP


async def _call(world: World, verb: str, service: str, request: Any) -> Outcome:
    return await world.invoke(f"{_SUBJECT}/{verb}@{service}", request, bearer(world.gatherer))


async def _planned(
    side: Side, service: str, patient: str
) -> tuple[wire.PlanErasureRequest, wire.PlanErasureResponse]:
    asked = plan_request(side, patient)
    planned = await _call(side.world, "PlanErasure", service, asked)
    assert planned.ok, planned
    return asked, planned.response


async def _executed(
    side: Side, service: str, asked: wire.PlanErasureRequest, plan: wire.PlanErasureResponse
) -> Outcome:
    return await _call(side.world, "ExecuteErasure", service, execute_request(asked, plan))


async def _held(side: Side, service: str, patient: str) -> tuple[int, dict[str, int]]:
    """The standing of a patient, and what is held of them but receipts."""
    request = wire.FindSubjectRequest(
        organization_id=str(side.tenant.organization),
        subject=patient,
        occasion=plan_request(side, patient).occasion,
    )
    found = await _call(side.world, "FindSubject", service, request)
    assert found.ok, found
    counts = {t.table: t.count for t in found.response.tables if "receipt" not in t.table}
    return found.response.standing, {name: many for name, many in counts.items() if many}


def _by_table(tables: Any) -> dict[str, dict[int, int]]:
    told: dict[str, dict[int, int]] = {}
    for one in tables:
        told.setdefault(one.table, {})[one.action] = one.count
    return told


async def test_a_patient_who_never_was_here_goes_whole(world: World) -> None:
    """No stay has begun a term, so nothing keeps what registration wrote."""
    side = world.alpha
    patient = (await side.new_patient()).name
    before = await _held(side, "clinical", patient)

    asked, plan = await _planned(side, "clinical", patient)
    done = await _executed(side, "clinical", asked, plan)

    receipt = done.response
    assert done.ok, done
    assert before[0] == held.STANDING_KNOWN
    assert before[1]["clinical.patient"] == 1
    assert {t.action for t in plan.tables if t.count} == {_DELETE}
    assert receipt.outcome == erasure_pb2.ERASURE_OUTCOME_ERASED
    assert await _held(side, "clinical", patient) == (held.STANDING_UNKNOWN, {})


async def test_a_record_is_kept_for_its_term_and_says_by_which_article(world: World) -> None:
    """Of who is in care nothing goes, and each table names the ground."""
    side = world.alpha
    before = await _held(side, "clinical", side.patient)

    asked, plan = await _planned(side, "clinical", side.patient)
    done = await _executed(side, "clinical", asked, plan)

    kept = [t for t in plan.tables if t.count and t.retention == "fr.csp.r1112-7"]
    assert {t.table for t in kept} == before[1].keys()
    assert {t.ground for t in kept} == {"CSP article R.1112-7; GDPR article 17(3)(b)"}
    assert done.response.outcome == erasure_pb2.ERASURE_OUTCOME_KEPT_BY_LAW
    assert await _held(side, "clinical", side.patient) == before


async def test_drafts_go_and_what_is_in_the_books_stays(world: World) -> None:
    """A row of one table may be kept and its neighbour not; no trigger stands in the way."""
    side = world.beta
    await matrix_billing.draft(side)
    final = "medhub.billing.v1.InvoiceService/FinalizeInvoice"
    await side.do(final, await matrix_billing.finalize_invoice(side))
    await matrix_billing.payment(side)

    asked, plan = await _planned(side, "billing", side.patient)
    done = await _executed(side, "billing", asked, plan)

    assert done.ok, done
    told = _by_table(plan.tables)
    assert told["billing.invoice"] == {_DELETE: 1, _KEEP: 1}
    assert told["billing.invoice_line"] == {_DELETE: 1, _KEEP: 1}
    assert told["billing.payment"] == {_KEEP: 1}
    assert done.response.outcome == erasure_pb2.ERASURE_OUTCOME_PARTLY_KEPT
    _, left = await _held(side, "billing", side.patient)
    assert (left["billing.invoice"], left["billing.invoice_line"]) == (1, 1)


async def test_a_plan_is_executed_once(world: World) -> None:
    """Who asks again is given the first receipt, to the byte."""
    side = world.alpha
    asked, plan = await _planned(side, "clinical", (await side.new_patient()).name)

    first = await _executed(side, "clinical", asked, plan)
    again = await _executed(side, "clinical", asked, plan)

    assert first.ok
    assert again.ok
    assert first.response == again.response


async def test_a_plan_that_no_longer_holds_erases_nothing(world: World) -> None:
    """A draft that was written after the plan is nobody's to lose."""
    side = world.alpha
    await matrix_billing.draft(side)
    asked, plan = await _planned(side, "billing", side.patient)
    await matrix_billing.draft(side)
    before = await _held(side, "billing", side.patient)

    refused = await _executed(side, "billing", asked, plan)

    assert refused.reason == "ERASURE_PLAN_CHANGED"
    assert await _held(side, "billing", side.patient) == before


async def test_the_trail_lives_as_long_as_what_it_speaks_of(world: World) -> None:
    """While another service keeps something the person's key stays, else it is destroyed."""
    side = world.alpha
    patient = (await side.new_patient()).name
    asked = plan_request(side, patient)
    asked.kept_elsewhere.SetInParent()
    kept = await _call(world, "PlanErasure", "compliance", asked)
    free_asked, free = await _planned(side, "compliance", patient)

    done = await _executed(side, "compliance", free_asked, free)

    trail = _by_table(kept.response.tables)
    assert list(trail["compliance.audit_event"]) == [_KEEP]
    assert list(_by_table(free.tables)["compliance.audit_event"]) == [
        erasure_pb2.ERASURE_ACTION_DESTROY_KEY
    ]
    assert done.ok, done
    assert await _held(side, "compliance", patient) == (held.STANDING_NOT_REGISTERED_HERE, {})


async def test_a_receipt_is_verified_by_its_text_and_its_key_alone(world: World) -> None:
    """It states what was done, names the request and nobody, and a changed byte shows."""
    side = world.alpha
    patient = (await side.new_patient()).name
    asked, plan = await _planned(side, "clinical", patient)
    receipt = (await _executed(side, "clinical", asked, plan)).response

    text = verified(receipt.note, receipt.verifier_key)

    assert f"request {asked.occasion.request}\n" in text
    assert f"plan {plan.digest.hex()}\n" in text
    assert "outcome ERASED\n" in text
    assert "deleted clinical.patient 1\n" in text
    assert str(id_from(patient, "patients")) not in text
    with pytest.raises(NotVouched):
        verified(receipt.note.replace(b"patient 1", b"patient 2"), receipt.verifier_key)
    other = await _executed(side, "billing", *await _planned(side, "billing", patient))
    with pytest.raises(NotVouched):
        verified(receipt.note, other.response.verifier_key)


async def test_who_holds_nothing_says_so(world: World) -> None:
    """Nothing found is told as such by every service, and is no refusal."""
    side = world.alpha
    patient = (await side.new_patient()).name

    for service in set(SERVICES) - {"clinical", "compliance"}:
        asked, plan = await _planned(side, service, patient)
        done = await _executed(side, service, asked, plan)

        assert done.response.outcome == erasure_pb2.ERASURE_OUTCOME_NOTHING_FOUND
        assert plan.standing == held.STANDING_NOT_REGISTERED_HERE

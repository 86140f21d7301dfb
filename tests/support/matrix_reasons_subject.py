"""How the reasons of the subject contract come about."""

from core.ids import name_of, new_id
from medhub.compliance.v1 import data_subject_request_service_pb2 as requests
from medhub.compliance.v1 import erasure_request_pb2 as erasure
from tests.support import matrix_billing
from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_restrictions import lifted, restricted
from tests.support.matrix_subject import (
    erasure_confirmed,
    erasure_entered,
    erasure_planned,
    erasure_reaching,
    execute_request,
    plan_request,
)
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import World

_SUBJECT = "medhub.subject.v1.SubjectService"


@case("ERASURE_PLAN_CHANGED")
async def _(world: World, meta: Metadata) -> Outcome:
    asked = plan_request(world.alpha, (await world.alpha.new_patient()).name)
    method = f"{_SUBJECT}/PlanErasure@clinical"
    planned = await world.alpha.do(method, asked, world.gatherer)
    request = execute_request(asked, planned)
    request.plan_digest = bytes(32)
    return await ask(world, f"{_SUBJECT}/ExecuteErasure@clinical", request, meta, world.gatherer)


@case("ERASURE_NOT_PLANNED")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await erasure_entered(world.alpha, name_of("patients", new_id()))
    unknown = erasure.ERASURE_REQUEST_STATE_UNKNOWN_PERSON
    found = await erasure_reaching(world.alpha, made.name, unknown)
    request = requests.ConfirmErasureRequestRequest(name=found.name, etag=found.etag)
    method = "medhub.compliance.v1.DataSubjectRequestService/ConfirmErasureRequest"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("PERSON_RESTRICTED")
async def _(world: World, meta: Metadata) -> Outcome:
    side = world.alpha
    patient = (await side.new_patient()).name
    await restricted(side, patient)
    request = await matrix_billing.create_invoice(side)
    request.invoice.patient = patient
    return await ask(world, f"{matrix_billing.INVOICES}/CreateInvoice", request, meta, side.whole)


@case("PERSON_ERASED")
async def _(world: World, meta: Metadata) -> Outcome:
    side = world.alpha
    planned = await erasure_planned(side, (await side.new_patient()).name)
    await erasure_confirmed(side, planned)
    await erasure_reaching(side, planned.name, erasure.ERASURE_REQUEST_STATE_COMPLETE)
    request = await matrix_billing.create_invoice(side)
    request.invoice.patient = planned.patient
    return await ask(world, f"{matrix_billing.INVOICES}/CreateInvoice", request, meta, side.whole)


@case("RESTRICTION_NOT_ACTIVE")
async def _(world: World, meta: Metadata) -> Outcome:
    side = world.alpha
    made = await restricted(side, (await side.new_patient()).name)
    await lifted(side, made.name)
    request = requests.LiftRestrictionRequest(name=made.name)
    method = "medhub.compliance.v1.DataSubjectRequestService/LiftRestriction"
    return await ask(world, method, request, meta, side.whole)

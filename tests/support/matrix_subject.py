"""Requests about persons: to every service for what it holds, and to compliance for all of it."""

import asyncio
from typing import Any

from core import clock
from core.ids import name_of, new_id
from medhub.compliance.v1 import access_request_pb2 as access
from medhub.compliance.v1 import data_subject_request_service_pb2 as requests
from medhub.compliance.v1 import erasure_request_pb2 as erasure
from medhub.subject.v1 import subject_pb2
from medhub.subject.v1 import subject_service_pb2 as subject
from tests.support.matrix_requests import Ask, asks, fresh
from tests.support.matrix_world import Side

_REQUESTS = "medhub.compliance.v1.DataSubjectRequestService"
_SUBJECT = "medhub.subject.v1.SubjectService"
# Gathering takes well under a second; this is for a machine that runs other tests besides, and for
# the requests of all the tests before.
GATHERED_SECONDS = 240.0


def occasion(side: Side) -> subject_pb2.Occasion:
    """A request that the administrator has entered."""
    return subject_pb2.Occasion(
        request=name_of("accessRequests", new_id()),
        requester=name_of("users", side.user("administrator")),
    )


@asks(f"{_SUBJECT}/FindSubject")
async def find_subject(side: Side) -> Ask:
    request = subject.FindSubjectRequest(
        organization_id=str(side.tenant.organization),
        subject=side.patient,
        occasion=occasion(side),
    )
    return Ask(request, side.world.gatherer)


@asks(f"{_SUBJECT}/ExportSubject")
async def export_subject(side: Side) -> Ask:
    request = subject.ExportSubjectRequest(
        organization_id=str(side.tenant.organization),
        subject=side.patient,
        occasion=occasion(side),
    )
    return Ask(request, side.world.gatherer)


def plan_request(side: Side, patient: str) -> subject.PlanErasureRequest:
    """What would be erased of a patient of the side."""
    return subject.PlanErasureRequest(
        organization_id=str(side.tenant.organization),
        subject=patient,
        occasion=subject_pb2.Occasion(
            request=name_of("erasureRequests", new_id()),
            requester=name_of("users", side.user("administrator")),
        ),
    )


def execute_request(
    asked: subject.PlanErasureRequest, plan: subject.PlanErasureResponse
) -> subject.ExecuteErasureRequest:
    """To do what a plan says."""
    request = subject.ExecuteErasureRequest.FromString(asked.SerializeToString())
    request.plan_digest = plan.digest
    return request


@asks(f"{_SUBJECT}/PlanErasure")
async def plan_erasure(side: Side) -> Ask:
    return Ask(plan_request(side, side.patient), side.world.gatherer)


@asks(f"{_SUBJECT}/ExecuteErasure")
async def execute_erasure(side: Side) -> Ask:
    asked = plan_request(side, (await side.new_patient()).name)
    method = f"{_SUBJECT}/PlanErasure@{side.server or 'clinical'}"
    planned = await side.do(method, asked, side.world.gatherer)
    return Ask(execute_request(asked, planned), side.world.gatherer)


def restrict_request(side: Side, patient: str, kind: Any = subject.RestrictSubjectRequest) -> Any:
    """To restrict a patient of the side, or to lift that."""
    return kind(
        organization_id=str(side.tenant.organization),
        subject=patient,
        occasion=subject_pb2.Occasion(
            request=name_of("restrictions", new_id()),
            requester=name_of("users", side.user("administrator")),
        ),
    )


@asks(f"{_SUBJECT}/RestrictSubject")
async def restrict_subject(side: Side) -> Ask:
    patient = (await side.new_patient()).name
    return Ask(restrict_request(side, patient), side.world.gatherer)


@asks(f"{_SUBJECT}/LiftSubjectRestriction")
async def lift_subject_restriction(side: Side) -> Ask:
    patient = (await side.new_patient()).name
    request = restrict_request(side, patient, subject.LiftSubjectRestrictionRequest)
    return Ask(request, side.world.gatherer)


@asks(f"{_REQUESTS}/CreateAccessRequest")
async def create_access_request(side: Side) -> requests.CreateAccessRequestRequest:
    # Each is of another moment, so no two are the same request.
    wanted = access.AccessRequest(patient=side.patient, receive_time=clock.now())
    return requests.CreateAccessRequestRequest(access_request=wanted, request_id=fresh())


async def entered(side: Side, patient: str = "") -> access.AccessRequest:
    """A request for access to what is held of a patient."""
    wanted = access.AccessRequest(patient=patient or side.patient)
    made: access.AccessRequest = await side.do(
        f"{_REQUESTS}/CreateAccessRequest",
        requests.CreateAccessRequestRequest(access_request=wanted),
    )
    return made


async def shown(side: Side, name: str) -> access.AccessRequest:
    """How far a request has come."""
    found: access.AccessRequest = await side.do(
        f"{_REQUESTS}/GetAccessRequest", requests.GetAccessRequestRequest(name=name)
    )
    return found


async def reaching(side: Side, name: str, *states: int) -> access.AccessRequest:
    """The request once it is in one of these states."""
    async with asyncio.timeout(GATHERED_SECONDS):
        while (found := await shown(side, name)).state not in states:  # noqa: ASYNC110 - a test
            await asyncio.sleep(0.05)
    return found


async def completed(side: Side) -> str:
    """A request of the side that is complete, made once."""
    if not side.access_request:
        made = await entered(side)
        await reaching(side, made.name, access.ACCESS_REQUEST_STATE_COMPLETE)
        side.access_request = made.name
    return side.access_request


@asks(f"{_REQUESTS}/GetAccessRequest")
async def get_access_request(side: Side) -> requests.GetAccessRequestRequest:
    return requests.GetAccessRequestRequest(name=await completed(side))


@asks(f"{_REQUESTS}/ListAccessRequests")
async def list_access_requests(side: Side) -> requests.ListAccessRequestsRequest:
    await completed(side)
    return requests.ListAccessRequestsRequest(page_size=5)


@asks(f"{_REQUESTS}/GetAccessPackage")
async def get_access_package(side: Side) -> requests.GetAccessPackageRequest:
    return requests.GetAccessPackageRequest(name=await completed(side))


async def package(side: Side, name: str) -> bytes:
    """The document of a complete request, its parts put together."""
    parts = []
    request = requests.GetAccessPackageRequest(name=name)
    while True:
        part = await side.do(f"{_REQUESTS}/GetAccessPackage", request)
        parts.append(part.content)
        if not part.next_page_token:
            return b"".join(parts)
        request.page_token = part.next_page_token


@asks(f"{_REQUESTS}/CreateErasureRequest")
async def create_erasure_request(side: Side) -> requests.CreateErasureRequestRequest:
    wanted = erasure.ErasureRequest(patient=side.patient, receive_time=clock.now())
    return requests.CreateErasureRequestRequest(erasure_request=wanted, request_id=fresh())


async def erasure_entered(side: Side, patient: str = "") -> erasure.ErasureRequest:
    """A request for the erasure of a patient."""
    wanted = erasure.ErasureRequest(patient=patient or side.patient)
    made: erasure.ErasureRequest = await side.do(
        f"{_REQUESTS}/CreateErasureRequest",
        requests.CreateErasureRequestRequest(erasure_request=wanted),
    )
    return made


async def erasure_reaching(side: Side, name: str, *states: int) -> erasure.ErasureRequest:
    """The request once it is in one of these states."""
    request = requests.GetErasureRequestRequest(name=name)
    async with asyncio.timeout(GATHERED_SECONDS):
        while True:
            found: erasure.ErasureRequest
            found = await side.do(f"{_REQUESTS}/GetErasureRequest", request)
            if found.state in states:
                return found
            await asyncio.sleep(0.05)


async def erasure_planned(side: Side, patient: str = "") -> erasure.ErasureRequest:
    """A request whose plan waits to be confirmed."""
    made = await erasure_entered(side, patient)
    return await erasure_reaching(side, made.name, erasure.ERASURE_REQUEST_STATE_PLANNED)


async def erasure_confirmed(side: Side, planned: erasure.ErasureRequest) -> erasure.ErasureRequest:
    """The request as it is when its plan has just been confirmed."""
    request = requests.ConfirmErasureRequestRequest(name=planned.name, etag=planned.etag)
    confirmed: erasure.ErasureRequest
    confirmed = await side.do(f"{_REQUESTS}/ConfirmErasureRequest", request)
    return confirmed


async def _some_erasure(side: Side) -> str:
    """A request of the side, made once."""
    if not side.erasure_request:
        side.erasure_request = (await erasure_entered(side)).name
    return side.erasure_request


@asks(f"{_REQUESTS}/GetErasureRequest")
async def get_erasure_request(side: Side) -> requests.GetErasureRequestRequest:
    return requests.GetErasureRequestRequest(name=await _some_erasure(side))


@asks(f"{_REQUESTS}/ListErasureRequests")
async def list_erasure_requests(side: Side) -> requests.ListErasureRequestsRequest:
    await _some_erasure(side)
    return requests.ListErasureRequestsRequest(page_size=5)


@asks(f"{_REQUESTS}/ConfirmErasureRequest")
async def confirm_erasure_request(side: Side) -> requests.ConfirmErasureRequestRequest:
    planned = await erasure_planned(side, (await side.new_patient()).name)
    return requests.ConfirmErasureRequestRequest(
        name=planned.name, etag=planned.etag, request_id=fresh()
    )

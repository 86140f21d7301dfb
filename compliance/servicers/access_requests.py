"""Requests of persons for access to their data: entered, followed, and their packages fetched."""

from collections.abc import Callable, Sequence
from datetime import datetime

from compliance.domain.access_packages import END
from compliance.domain.access_requests import (
    AccessRequest,
    Answer,
    PackageNotReady,
    State,
    deadlines,
    due,
    earliest,
    received,
)
from compliance.domain.keys import ACCESS_PACKAGE, KeyWanted
from compliance.servicers.requests import (
    deadline_to_proto,
    id_of,
    listing_of,
    moment_of,
    requester_of_call,
)
from compliance.storage.store import Store, StoreTransaction
from core import clock
from core.database.pages import Key, PageTokens, page_of, page_size
from core.errors import NotFound
from core.ids import id_from, name_of, new_id
from medhub.compliance.v1 import access_request_pb2 as proto
from medhub.compliance.v1 import data_subject_request_service_pb2 as wire

_COLLECTION = "accessRequests"
_FIRST = -1


class AccessRequests:
    """The part of medhub.compliance.v1.DataSubjectRequestService that is about access."""

    def __init__(self, store: Store, pages: PageTokens, entered: Callable[[], None]) -> None:
        """`entered` is told of each new request, so that gathering begins at once."""
        self._store = store
        self._pages = pages
        self._entered = entered

    async def CreateAccessRequest(
        self, request: wire.CreateAccessRequestRequest
    ) -> proto.AccessRequest:
        now, asked = clock.now(), request.access_request
        field = "access_request.receive_time"
        received_at = received(moment_of(asked, field), now, field)
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            if earlier is not None:
                made = await tx.access_requests.get(id_from(earlier.name or "", _COLLECTION))
                return access_request_to_proto(made.as_entered)
            made = AccessRequest(
                id=new_id(),
                patient_id=id_from(asked.patient, "patients", field="access_request.patient"),
                requester=requester_of_call(),
                received_at=received_at,
                created_at=now,
                key_name=await _key_name(tx, asked.patient, now),
            )
            await tx.access_requests.add(made)
            await tx.access_work.add(made.id)
            await tx.remember(name_of(_COLLECTION, made.id), 1)
        self._entered()
        return access_request_to_proto(made)

    async def GetAccessRequest(self, request: wire.GetAccessRequestRequest) -> proto.AccessRequest:
        async with self._store.begin(read_only=True) as tx:
            found = await tx.access_requests.get(id_from(request.name, _COLLECTION))
            answers = await tx.access_requests.answers(found.id)
        return access_request_to_proto(found, answers)

    async def ListAccessRequests(
        self, request: wire.ListAccessRequestsRequest
    ) -> wire.ListAccessRequestsResponse:
        listing, size = listing_of(""), page_size(request.page_size)
        before = id_of(self._pages.open(request.page_token, listing))
        async with self._store.begin(read_only=True) as tx:
            found = await tx.access_requests.page(size + 1, before)
            page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
            answers = await tx.access_requests.answers_of(page.items)
        return wire.ListAccessRequestsResponse(
            access_requests=[access_request_to_proto(one, answers[one.id]) for one in page.items],
            next_page_token=page.next_page_token,
        )

    async def GetAccessPackage(
        self, request: wire.GetAccessPackageRequest
    ) -> wire.GetAccessPackageResponse:
        listing = listing_of(request.name)
        after = _position(self._pages.open(request.page_token, listing))
        async with self._store.begin(read_only=True) as tx:
            found = await tx.access_requests.get(id_from(request.name, _COLLECTION))
            if found.state is not State.COMPLETE:
                raise PackageNotReady(metadata={"state": found.state.value})
            part = await tx.access_packages.after(found.id, found.key_name, after)
        if part is None:
            raise NotFound
        return wire.GetAccessPackageResponse(
            patient=name_of("patients", found.patient_id),
            content=part.content,
            next_page_token=""
            if part.position == END
            else self._pages.seal((part.position,), listing),
        )


def access_request_to_proto(
    request: AccessRequest, answers: Sequence[Answer] = ()
) -> proto.AccessRequest:
    """A request, and what each service has answered."""
    clocks = deadlines(request.received_at)
    return proto.AccessRequest(
        name=name_of(_COLLECTION, request.id),
        patient=name_of("patients", request.patient_id),
        receive_time=request.received_at,
        requester=request.requester.name,
        state=f"ACCESS_REQUEST_STATE_{request.state}",
        create_time=request.created_at,
        complete_time=request.completed_at,
        earliest_time=earliest(clocks),
        due_time=due(clocks),
        deadlines=[deadline_to_proto(one) for one in clocks],
        services=[_answer_to_proto(one) for one in answers],
        retry_time=request.retry_at,
    )


def _answer_to_proto(answer: Answer) -> proto.ServiceAnswer:
    return proto.ServiceAnswer(
        service=answer.service,
        state=f"SERVICE_ANSWER_STATE_{answer.state}",
        failures=answer.failures,
        last_failure=answer.last_failure,
        record_count=answer.record_count,
        sha256=answer.sha256 or b"",
        gather_time=answer.gathered_at,
    )


async def _key_name(tx: StoreTransaction, patient: str, at: datetime) -> str:
    """The key that the package will be sealed under: the person's own. Raises KeyDestroyed."""
    [key] = await tx.keys.provision([KeyWanted(patient, ACCESS_PACKAGE, at.isoformat()[:7])])
    return key.name


def _position(last: Key) -> int:
    match last:
        case (int() as position,):
            return position
        case _:
            return _FIRST

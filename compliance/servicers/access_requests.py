"""Requests of persons for access to their data: entered, followed, and their packages fetched."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from compliance.domain.access_packages import END
from compliance.domain.access_requests import (
    AccessRequest,
    Answer,
    Deadline,
    PackageNotReady,
    Requester,
    State,
    deadlines,
    due,
    earliest,
    received,
)
from compliance.domain.keys import ACCESS_PACKAGE, KeyWanted
from compliance.storage.store import Store, StoreTransaction
from core import clock, identity
from core.database.pages import Key, Listing, PageTokens, page_of, page_size
from core.errors import InvalidField, NotFound
from core.ids import id_from, name_of, new_id
from medhub.compliance.v1 import access_request_pb2 as proto
from medhub.compliance.v1 import data_subject_request_service_pb2 as wire

_COLLECTION = "accessRequests"
_FIRST = -1


class AccessRequests:
    """medhub.compliance.v1.DataSubjectRequestService."""

    def __init__(self, store: Store, pages: PageTokens, entered: Callable[[], None]) -> None:
        """`entered` is told of each new request, so that gathering begins at once."""
        self._store = store
        self._pages = pages
        self._entered = entered

    async def CreateAccessRequest(
        self, request: wire.CreateAccessRequestRequest
    ) -> proto.AccessRequest:
        now, asked = clock.now(), request.access_request
        received_at = received(_moment(asked), now)
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            if earlier is not None:
                made = await tx.access_requests.get(id_from(earlier.name or "", _COLLECTION))
                return access_request_to_proto(made.as_entered)
            made = AccessRequest(
                id=new_id(),
                patient_id=id_from(asked.patient, "patients", field="access_request.patient"),
                requester=_requester(),
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
        listing, size = _listing(""), page_size(request.page_size)
        before = _id_of(self._pages.open(request.page_token, listing))
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
        listing = _listing(request.name)
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
        deadlines=[_deadline_to_proto(one) for one in clocks],
        services=[_answer_to_proto(one) for one in answers],
        retry_time=request.retry_at,
    )


def _deadline_to_proto(deadline: Deadline) -> proto.Deadline:
    return proto.Deadline(
        regime=deadline.regime,
        earliest_time=deadline.earliest_at,
        due_time=deadline.due_at,
        source=deadline.source,
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


def _requester() -> Requester:
    caller = identity.caller()
    if caller.subject is None:
        raise LookupError("who enters a request is somebody")
    return Requester(caller.kind.value, caller.subject)


async def _key_name(tx: StoreTransaction, patient: str, at: datetime) -> str:
    """The key that the package will be sealed under: the person's own. Raises KeyDestroyed."""
    [key] = await tx.keys.provision([KeyWanted(patient, ACCESS_PACKAGE, at.isoformat()[:7])])
    return key.name


def _moment(asked: proto.AccessRequest) -> datetime | None:
    if not asked.HasField("receive_time"):
        return None
    stated: Timestamp = asked.receive_time
    try:
        return stated.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidField(field="access_request.receive_time", rule="timestamp") from None


def _listing(of: str) -> Listing:
    return Listing(method=identity.call().method, filter=of, order="newest first")


def _id_of(last: Key) -> UUID | None:
    match last:
        case (UUID() as row,):
            return row
        case _:
            return None


def _position(last: Key) -> int:
    match last:
        case (int() as position,):
            return position
        case _:
            return _FIRST

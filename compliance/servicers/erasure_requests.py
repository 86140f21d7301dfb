"""Requests of persons for erasure: entered, planned in the background, confirmed, followed."""

from collections.abc import Callable, Sequence

from compliance.domain.access_requests import due, received
from compliance.domain.erasure_requests import (
    ErasureRequest,
    Part,
    confirmed,
    erasure_deadlines,
)
from compliance.servicers.requests import (
    deadline_to_proto,
    id_of,
    listing_of,
    moment_of,
    requester_of_call,
)
from compliance.storage.access_work import ERASURE
from compliance.storage.store import Store
from core import clock
from core.database.pages import PageTokens, page_of, page_size
from core.ids import id_from, name_of, new_id
from medhub.compliance.v1 import data_subject_request_service_pb2 as wire
from medhub.compliance.v1 import erasure_request_pb2 as proto
from medhub.subject.v1.erasure_pb2 import ErasureReceipt
from medhub.subject.v1.subject_service_pb2 import PlanErasureResponse

_COLLECTION = "erasureRequests"


class ErasureRequests:
    """The part of medhub.compliance.v1.DataSubjectRequestService that is about erasure."""

    def __init__(self, store: Store, pages: PageTokens, entered: Callable[[], None]) -> None:
        """`entered` is told of each request that there is work on, so that it begins at once."""
        self._store = store
        self._pages = pages
        self._entered = entered

    async def CreateErasureRequest(
        self, request: wire.CreateErasureRequestRequest
    ) -> proto.ErasureRequest:
        now, asked = clock.now(), request.erasure_request
        field = "erasure_request.receive_time"
        received_at = received(moment_of(asked, field), now, field)
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            if earlier is not None:
                made = await tx.erasure_requests.get(id_from(earlier.name or "", _COLLECTION))
                return erasure_request_to_proto(made.as_entered)
            made = ErasureRequest(
                id=new_id(),
                patient_id=id_from(asked.patient, "patients", field="erasure_request.patient"),
                requester=requester_of_call(),
                received_at=received_at,
                created_at=now,
            )
            await tx.erasure_requests.add(made)
            await tx.access_work.add(made.id, ERASURE)
            await tx.remember(name_of(_COLLECTION, made.id), made.revision)
        self._entered()
        return erasure_request_to_proto(made)

    async def GetErasureRequest(
        self, request: wire.GetErasureRequestRequest
    ) -> proto.ErasureRequest:
        async with self._store.begin(read_only=True) as tx:
            found = await tx.erasure_requests.get(id_from(request.name, _COLLECTION))
            parts = await tx.erasure_requests.parts(found.id)
        return erasure_request_to_proto(found, parts)

    async def ListErasureRequests(
        self, request: wire.ListErasureRequestsRequest
    ) -> wire.ListErasureRequestsResponse:
        listing, size = listing_of(""), page_size(request.page_size)
        before = id_of(self._pages.open(request.page_token, listing))
        async with self._store.begin(read_only=True) as tx:
            found = await tx.erasure_requests.page(size + 1, before)
            page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
            parts = await tx.erasure_requests.parts_of(page.items)
        return wire.ListErasureRequestsResponse(
            erasure_requests=[erasure_request_to_proto(one, parts[one.id]) for one in page.items],
            next_page_token=page.next_page_token,
        )

    async def ConfirmErasureRequest(
        self, request: wire.ConfirmErasureRequestRequest
    ) -> proto.ErasureRequest:
        row = id_from(request.name, _COLLECTION)
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            # The worker changes the request too: one of the two waits for the other.
            found = await tx.erasure_requests.lock(row)
            if earlier is not None:
                return erasure_request_to_proto(found.as_confirmed(earlier.revision or 0))
            found = confirmed(found, request.etag, requester_of_call(), clock.now())
            await tx.erasure_requests.save(found)
            await tx.access_work.add(found.id, ERASURE)
            await tx.remember(request.name, found.revision)
        self._entered()
        return erasure_request_to_proto(found.as_confirmed(found.revision))


def erasure_request_to_proto(
    request: ErasureRequest, parts: Sequence[Part] = ()
) -> proto.ErasureRequest:
    """A request, with what each service would do and has done."""
    clocks, confirmation = erasure_deadlines(request.received_at), request.confirmation
    return proto.ErasureRequest(
        name=name_of(_COLLECTION, request.id),
        patient=name_of("patients", request.patient_id),
        receive_time=request.received_at,
        requester=request.requester.name,
        state=f"ERASURE_REQUEST_STATE_{request.state}",
        create_time=request.created_at,
        due_time=due(clocks),
        deadlines=[deadline_to_proto(one) for one in clocks],
        services=[_part_to_proto(one) for one in parts],
        retry_time=request.retry_at,
        etag=request.etag,
        confirmer=confirmation.by.name if confirmation else "",
        confirm_time=confirmation.at if confirmation else None,
        complete_time=request.completed_at,
    )


def _part_to_proto(part: Part) -> proto.ServiceErasure:
    return proto.ServiceErasure(
        service=part.service,
        state=f"SERVICE_ERASURE_STATE_{part.state}",
        failures=part.failures,
        last_failure=part.last_failure,
        tables=PlanErasureResponse.FromString(part.plan).tables,
        plan_digest=part.digest,
        receipt=ErasureReceipt.FromString(part.receipt) if part.receipt else None,
    )

"""Restrictions of persons' data: entered, carried out in the background, lifted."""

from collections.abc import Callable, Sequence

from compliance.domain.restrictions import Ground, Restriction, Told, lifted
from compliance.servicers.requests import id_of, listing_of, requester_of_call
from compliance.storage.access_work import RESTRICTION
from compliance.storage.store import Store
from core import clock
from core.database.pages import PageTokens, page_of, page_size
from core.ids import id_from, name_of, new_id
from medhub.compliance.v1 import data_subject_request_service_pb2 as wire
from medhub.compliance.v1 import restriction_pb2 as proto

_COLLECTION = "restrictions"
_GROUND = "RESTRICTION_GROUND_"


class Restrictions:
    """The part of medhub.compliance.v1.DataSubjectRequestService that is about restriction."""

    def __init__(self, store: Store, pages: PageTokens, entered: Callable[[], None]) -> None:
        """`entered` is told of each one that there is work on, so that it begins at once."""
        self._store = store
        self._pages = pages
        self._entered = entered

    async def CreateRestriction(self, request: wire.CreateRestrictionRequest) -> proto.Restriction:
        asked = request.restriction
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            if earlier is not None:
                made = await tx.restrictions.get(id_from(earlier.name or "", _COLLECTION))
                return restriction_to_proto(made.as_entered)
            made = Restriction(
                id=new_id(),
                patient_id=id_from(asked.patient, "patients", field="restriction.patient"),
                ground=Ground(proto.RestrictionGround.Name(asked.ground).removeprefix(_GROUND)),
                requester=requester_of_call(),
                created_at=clock.now(),
            )
            await tx.restrictions.add(made)
            await tx.access_work.add(made.id, RESTRICTION)
            await tx.remember(name_of(_COLLECTION, made.id), 1)
        self._entered()
        return restriction_to_proto(made)

    async def GetRestriction(self, request: wire.GetRestrictionRequest) -> proto.Restriction:
        async with self._store.begin(read_only=True) as tx:
            found = await tx.restrictions.get(id_from(request.name, _COLLECTION))
            parts = await tx.restrictions.parts(found.id)
        return restriction_to_proto(found, parts)

    async def ListRestrictions(
        self, request: wire.ListRestrictionsRequest
    ) -> wire.ListRestrictionsResponse:
        listing, size = listing_of(""), page_size(request.page_size)
        before = id_of(self._pages.open(request.page_token, listing))
        async with self._store.begin(read_only=True) as tx:
            found = await tx.restrictions.page(size + 1, before)
            page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
            parts = await tx.restrictions.parts_of(page.items)
        return wire.ListRestrictionsResponse(
            restrictions=[restriction_to_proto(one, parts[one.id]) for one in page.items],
            next_page_token=page.next_page_token,
        )

    async def LiftRestriction(self, request: wire.LiftRestrictionRequest) -> proto.Restriction:
        row = id_from(request.name, _COLLECTION)
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            found = await tx.restrictions.get(row)
            if earlier is None:
                # The worker changes both rows too, in this order: one waits for the other.
                await tx.access_work.again(row, RESTRICTION)
                found = await tx.restrictions.lock(row)
                found = lifted(found, requester_of_call(), clock.now())
                await tx.restrictions.save(found)
                await tx.remember(request.name, 1)
        self._entered()
        return restriction_to_proto(found.as_lifted)


def restriction_to_proto(of: Restriction, parts: Sequence[Told] = ()) -> proto.Restriction:
    """A restriction, and what each service has been told."""
    return proto.Restriction(
        name=name_of(_COLLECTION, of.id),
        patient=name_of("patients", of.patient_id),
        ground=f"{_GROUND}{of.ground}",
        requester=of.requester.name,
        state=f"RESTRICTION_STATE_{of.state}",
        create_time=of.created_at,
        services=[_told_to_proto(one) for one in parts],
        retry_time=of.retry_at,
        lifter=of.lifting.by.name if of.lifting else "",
        lift_time=of.lifting.at if of.lifting else None,
    )


def _told_to_proto(part: Told) -> proto.ServiceRestriction:
    return proto.ServiceRestriction(
        service=part.service,
        state=f"SERVICE_RESTRICTION_STATE_{part.state}",
        failures=part.failures,
        last_failure=part.last_failure,
    )

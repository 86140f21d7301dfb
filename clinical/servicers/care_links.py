"""CareLinkService."""

from uuid import UUID

from clinical.domain.links import CareLink, CareLinkKind, check_entitled, end
from clinical.servicers.times import time_from_proto, time_to_proto
from clinical.storage.store import Store
from core import clock, identity
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.ids import id_from, name_of, new_id
from medhub.clinical.v1 import care_link_pb2
from medhub.clinical.v1 import care_link_service_pb2 as messages

_PREFIX = "CARE_LINK_KIND_"


class CareLinks:
    """Who is entitled to which record."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def CreateCareLink(
        self, request: messages.CreateCareLinkRequest
    ) -> care_link_pb2.CareLink:
        """Link a practitioner or a unit to a patient."""
        link = _link_from_proto(request.care_link)
        check_entitled(link)
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return link_to_proto(await work.care_links.get(id_from(earlier.name, "careLinks")))
            link = await work.care_links.add(link)
            await work.tx.remember(name_of("careLinks", link.id), 1)
        return link_to_proto(link)

    async def ListCareLinks(
        self, request: messages.ListCareLinksRequest
    ) -> messages.ListCareLinksResponse:
        """A page of a patient's links."""
        patient = id_from(request.patient, "patients", field="patient")
        listing = Listing(identity.call().method, filter=request.patient, order="id desc")
        size = page_size(request.page_size)
        [after] = self._pages.open(request.page_token, listing) or [None]
        async with self._store.begin() as work:
            living = await work.patients.get(patient)
            found = await work.care_links.page(
                living.id,
                limit=size + 1,
                after=after if isinstance(after, UUID) else None,
            )
        page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
        return messages.ListCareLinksResponse(
            care_links=[link_to_proto(one) for one in page.items],
            next_page_token=page.next_page_token,
        )

    async def EndCareLink(self, request: messages.EndCareLinkRequest) -> care_link_pb2.CareLink:
        """End a link now; one that has ended keeps its end."""
        row = id_from(request.name, "careLinks")
        async with self._store.begin() as work:
            before = await work.care_links.lock(row)
            after = end(before, at=clock.now())
            if after != before:
                after = await work.care_links.save_end(after)
        return link_to_proto(after)


def link_to_proto(link: CareLink) -> care_link_pb2.CareLink:
    """A link, as whoever manages entitlements reads it."""
    return care_link_pb2.CareLink(
        name=name_of("careLinks", link.id),
        patient=name_of("patients", link.patient_id),
        practitioner=name_of("practitioners", link.practitioner_id) if link.practitioner_id else "",
        unit=name_of("units", link.unit_id) if link.unit_id else "",
        kind=_PREFIX + link.kind.value,
        start_time=time_to_proto(link.started_at),
        end_time=time_to_proto(link.ended_at),
    )


def _link_from_proto(message: care_link_pb2.CareLink) -> CareLink:
    practitioner, unit = message.practitioner, message.unit
    ended_at = None
    if message.HasField("end_time"):
        ended_at = time_from_proto(message.end_time, "care_link.end_time")
    return CareLink(
        id=new_id(),
        patient_id=id_from(message.patient, "patients", field="care_link.patient"),
        kind=CareLinkKind(care_link_pb2.CareLinkKind.Name(message.kind).removeprefix(_PREFIX)),
        started_at=clock.now(),
        practitioner_id=(
            id_from(practitioner, "practitioners", field="care_link.practitioner")
            if practitioner
            else None
        ),
        unit_id=id_from(unit, "units", field="care_link.unit") if unit else None,
        ended_at=ended_at,
    )

"""PractitionerService."""

from uuid import UUID

from clinical.domain.practitioners import Practitioner, Unit, refuse_self
from clinical.servicers.times import time_to_proto
from clinical.storage.store import Store
from core import clock, identity
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.ids import id_from, name_of, new_id
from medhub.clinical.v1 import practitioner_pb2
from medhub.clinical.v1 import practitioner_service_pb2 as messages


class Practitioners:
    """Practitioners and units."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def CreatePractitioner(
        self, request: messages.CreatePractitionerRequest
    ) -> practitioner_pb2.Practitioner:
        """Register a practitioner."""
        practitioner = _practitioner_from_proto(request.practitioner)
        refuse_self(practitioner, identity.caller().subject)
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                row = id_from(earlier.name, "practitioners")
                return practitioner_to_proto(await work.practitioners.get(row))
            await work.practitioners.add(practitioner)
            await work.tx.remember(name_of("practitioners", practitioner.id), 1)
        return practitioner_to_proto(practitioner)

    async def ListPractitioners(
        self, request: messages.ListPractitionersRequest
    ) -> messages.ListPractitionersResponse:
        """A page of practitioners."""
        listing = Listing(identity.call().method, order="id")
        size = page_size(request.page_size)
        after = _after(self._pages, request.page_token, listing)
        async with self._store.begin() as work:
            found = await work.practitioners.page(limit=size + 1, after=after)
        page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
        return messages.ListPractitionersResponse(
            practitioners=[practitioner_to_proto(one) for one in page.items],
            next_page_token=page.next_page_token,
        )

    async def CreateUnit(self, request: messages.CreateUnitRequest) -> practitioner_pb2.Unit:
        """Register a unit."""
        sent = request.unit
        unit = Unit(new_id(), sent.code, sent.display_name, clock.now())
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return unit_to_proto(
                    await work.practitioners.get_unit(id_from(earlier.name, "units"))
                )
            await work.practitioners.add_unit(unit)
            await work.tx.remember(name_of("units", unit.id), 1)
        return unit_to_proto(unit)

    async def ListUnits(self, request: messages.ListUnitsRequest) -> messages.ListUnitsResponse:
        """A page of units."""
        listing = Listing(identity.call().method, order="id")
        size = page_size(request.page_size)
        after = _after(self._pages, request.page_token, listing)
        async with self._store.begin() as work:
            found = await work.practitioners.unit_page(limit=size + 1, after=after)
        page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
        return messages.ListUnitsResponse(
            units=[unit_to_proto(one) for one in page.items],
            next_page_token=page.next_page_token,
        )


def practitioner_to_proto(practitioner: Practitioner) -> practitioner_pb2.Practitioner:
    """A practitioner with the units they work in."""
    user = practitioner.user_id
    return practitioner_pb2.Practitioner(
        name=name_of("practitioners", practitioner.id),
        display_name=practitioner.display_name,
        rpps=practitioner.rpps,
        user=name_of("users", user) if user else "",
        units=[name_of("units", row) for row in practitioner.units],
        create_time=time_to_proto(practitioner.created_at),
    )


def _practitioner_from_proto(message: practitioner_pb2.Practitioner) -> Practitioner:
    user = message.user
    return Practitioner(
        new_id(),
        message.display_name,
        message.rpps,
        id_from(user, "users", field="practitioner.user") if user else None,
        tuple(id_from(name, "units", field="practitioner.units") for name in message.units),
        clock.now(),
    )


def unit_to_proto(unit: Unit) -> practitioner_pb2.Unit:
    """A unit."""
    return practitioner_pb2.Unit(
        name=name_of("units", unit.id),
        code=unit.code,
        display_name=unit.display_name,
        create_time=time_to_proto(unit.created_at),
    )


def _after(pages: PageTokens, token: str, listing: Listing) -> UUID | None:
    key = pages.open(token, listing)
    return UUID(str(key[0])) if key else None

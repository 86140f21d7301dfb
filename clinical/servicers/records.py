"""RecordService."""

from uuid import UUID

from clinical.servicers.record_messages import encounter_to_proto, observation_to_proto
from clinical.storage.store import Store
from core import identity
from core.database.pages import Listing, PageTokens, page_of, page_shown, page_size
from core.ids import id_from
from medhub.clinical.v1 import encounter_pb2
from medhub.clinical.v1 import record_service_pb2 as messages


class Records:
    """The record of a patient whom something links to the caller."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def GetEncounter(self, request: messages.GetEncounterRequest) -> encounter_pb2.Encounter:
        """Show one stay."""
        return encounter_to_proto(await self._store.encounter(id_from(request.name, "encounters")))

    async def ListEncounters(
        self, request: messages.ListEncountersRequest
    ) -> messages.ListEncountersResponse:
        """A page of a patient's stays."""
        patient = id_from(request.patient, "patients", field="patient")
        listing = Listing(identity.call().method, filter=request.patient, order="id desc")
        size = page_size(request.page_size)
        after = self._after(request.page_token, listing)
        async with self._store.begin() as work:
            living = (await work.patients.get(patient)).id
            found = await work.encounters.page(living, limit=size + 1, after=after)
        page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
        return messages.ListEncountersResponse(
            encounters=[encounter_to_proto(one) for one in page.items],
            next_page_token=page.next_page_token,
        )

    async def ListObservations(
        self, request: messages.ListObservationsRequest
    ) -> messages.ListObservationsResponse:
        """A page of a patient's results."""
        patient = id_from(request.patient, "patients", field="patient")
        shown = repr((request.patient, request.code, request.show_superseded))
        listing = Listing(identity.call().method, filter=shown, order="id desc")
        size = page_size(request.page_size)
        after = self._after(request.page_token, listing)
        async with self._store.begin() as work:
            living = (await work.patients.get(patient)).id
            found = await work.observations.page(
                living,
                code=request.code,
                superseded=request.show_superseded,
                limit=size + 1,
                after=after,
            )
        page = page_shown(
            found,
            size,
            listing,
            self._pages,
            key=lambda one: (one.id,),
            show=observation_to_proto,
        )
        return messages.ListObservationsResponse(
            observations=page.items, next_page_token=page.next_page_token
        )

    def _after(self, token: str, listing: Listing) -> UUID | None:
        key = self._pages.open(token, listing)
        return UUID(str(key[0])) if key else None

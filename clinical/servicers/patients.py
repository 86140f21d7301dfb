"""PatientService."""

from uuid import UUID

from clinical.domain.identifiers import (
    PatientIdentifier,
    check_identifiers,
    is_ins,
    spelling_of,
)
from clinical.domain.ins import TenantKind
from clinical.domain.merges import PatientLink, check_distinct, check_reason, decide_merge
from clinical.domain.names import check_characters, check_names
from clinical.domain.patients import (
    Patient,
    change,
    check_dates,
    check_etag,
    check_present,
    delete,
    register,
    undelete,
)
from clinical.domain.search_keys import Match, match_of, query_words
from clinical.servicers.patient_messages import (
    changed_by,
    identifiers_from_proto,
    identity_to_proto,
    link_to_proto,
    patient_to_proto,
    traits_from_proto,
)
from clinical.servicers.times import date_from_proto
from clinical.storage.patient_lists import MOST_IDENTITIES, Criteria
from clinical.storage.store import Store, Work
from core import clock, identity
from core.database import Earlier
from core.database.pages import Listing, PageTokens, page_shown, page_size
from core.errors import InvalidField, NotFound
from core.identity import Kind
from core.ids import id_from, name_of, new_id
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as messages


class Patients:
    """Patients and their identity."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def CreatePatient(self, request: messages.CreatePatientRequest) -> patient_pb2.Patient:
        """Take a patient in and link the caller to them."""
        traits = traits_from_proto(request.patient)
        identifiers = identifiers_from_proto(request.patient.identifiers)
        check_dates(traits, at=clock.now())
        check_characters(traits)
        check_names(traits)
        patient = register(new_id(), traits, identifiers, at=clock.now())
        async with self._store.begin(rehearsal=request.validate_only) as work:
            if earlier := await _earlier(work, rehearsal=request.validate_only):
                return await _replay(work, earlier)
            await _check_identifiers(work, identifiers)
            await work.patients.add(patient, registrar=_registrar())
            await work.tx.remember(name_of("patients", patient.id), patient.revision)
        shown = patient_to_proto(patient)
        if request.validate_only:
            # There is no such patient: nobody to read, and nobody whose trail could tell of it.
            shown.ClearField("name")
        return shown

    async def GetPatient(self, request: messages.GetPatientRequest) -> patient_pb2.Patient:
        """Show the living patient behind a name, if a link opens it."""
        return patient_to_proto(await self._store.patient(id_from(request.name, "patients")))

    async def ListPatients(
        self, request: messages.ListPatientsRequest
    ) -> messages.ListPatientsResponse:
        """A page of the patients linked to the caller."""
        shown = "deleted" if request.show_deleted else ""
        listing = Listing(identity.call().method, filter=shown, order="id desc")
        size = page_size(request.page_size)
        [after] = self._pages.open(request.page_token, listing) or [None]
        async with self._store.begin() as work:
            found = await work.patient_lists.page(
                limit=size + 1,
                show_deleted=request.show_deleted,
                after=after if isinstance(after, UUID) else None,
            )
        page = page_shown(
            found, size, listing, self._pages, key=lambda one: (one.id,), show=patient_to_proto
        )
        return messages.ListPatientsResponse(
            patients=page.items, next_page_token=page.next_page_token
        )

    async def SearchPatients(
        self, request: messages.SearchPatientsRequest
    ) -> messages.SearchPatientsResponse:
        """A page of the linked patients who fit."""
        criteria = _criteria(request)
        if criteria.is_empty:
            raise InvalidField(field="query", rule="search.criterion")
        listing = Listing(identity.call().method, filter=repr(criteria), order="birth_name,id")
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, listing)
        after = (str(key[0]), UUID(str(key[1]))) if key else None
        async with self._store.begin() as work:
            found = await work.patient_lists.search(criteria, limit=size + 1, after=after)
        page = page_shown(
            found,
            size,
            listing,
            self._pages,
            key=lambda one: (one.traits.birth_name, one.id),
            show=patient_to_proto,
        )
        return messages.SearchPatientsResponse(
            patients=page.items, next_page_token=page.next_page_token
        )

    async def LookupPatientIdentities(
        self, request: messages.LookupPatientIdentitiesRequest
    ) -> messages.LookupPatientIdentitiesResponse:
        """The identities of the organization that fit best."""
        criteria = _criteria(request)
        if not criteria.identifier and not (criteria.words and criteria.birth_date):
            raise InvalidField(field="query", rule="lookup.criteria")
        async with self._store.begin() as work:
            found = await work.patient_lists.lookup(criteria)
        scored = [(_match(one, criteria), one) for one in found]
        scored.sort(key=lambda pair: (-pair[0].score, pair[1].traits.birth_name, pair[1].id))
        return messages.LookupPatientIdentitiesResponse(
            identities=[identity_to_proto(one, match) for match, one in scored[:MOST_IDENTITIES]]
        )

    async def UpdatePatient(self, request: messages.UpdatePatientRequest) -> patient_pb2.Patient:
        """Change the fields that the mask names."""
        row = id_from(request.patient.name, "patients", field="patient.name")
        async with self._store.begin(rehearsal=request.validate_only) as work:
            if earlier := await _earlier(work, rehearsal=request.validate_only):
                return await _replay(work, earlier)
            [before] = await work.patients.lock(row)
            check_etag(before, request.patient.etag)
            traits, identifiers = changed_by(before, request.patient, request.update_mask)
            names = (traits.first_birth_given_name, traits.birth_given_names)
            known = before.traits
            check_characters(traits, known)
            if names != (known.first_birth_given_name, known.birth_given_names):
                check_names(traits)
            dates = (traits.birth_date, traits.death_date)
            if dates != (known.birth_date, known.death_date):
                check_dates(traits, at=clock.now())
            if identifiers != before.identifiers:
                await _check_identifiers(work, identifiers)
            after = change(before, traits, identifiers, at=clock.now())
            await _save(work, before, after)
        return patient_to_proto(after)

    async def DeletePatient(self, request: messages.DeletePatientRequest) -> patient_pb2.Patient:
        """Hide a patient."""
        row = id_from(request.name, "patients")
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return await _replay(work, earlier)
            [before] = await work.patients.lock(row)
            check_etag(before, request.etag)
            after = delete(before, at=clock.now())
            await _save(work, before, after)
        return patient_to_proto(after)

    async def UndeletePatient(
        self, request: messages.UndeletePatientRequest
    ) -> patient_pb2.Patient:
        """Show a deleted patient again."""
        row = id_from(request.name, "patients")
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return await _replay(work, earlier)
            [before] = await work.patients.lock(row)
            after = undelete(before, at=clock.now())
            await _save(work, before, after)
        return patient_to_proto(after)

    async def MergePatients(
        self, request: messages.MergePatientsRequest
    ) -> patient_pb2.PatientLink:
        """Merge a duplicate into a survivor."""
        survivor = id_from(request.survivor, "patients", field="survivor")
        duplicate = id_from(request.duplicate, "patients", field="duplicate")
        check_distinct(survivor, duplicate)
        check_reason(request.reason)
        async with self._store.begin() as work:
            earlier = await work.tx.first_try()
            # Merges of an organization take turns; then both rows are locked in id order.
            await work.patient_links.take_turn()
            pair = await work.patients.lock(survivor, duplicate)
            if earlier is not None:
                return link_to_proto(await _merge_of(work, duplicate))
            link = await merge(work, *pair, reason=request.reason, source="api")
            await work.tx.remember(name_of("patientLinks", link.id), 1)
        return link_to_proto(link)


async def merge(
    work: Work, survivor: Patient, duplicate: Patient, *, reason: str, source: str
) -> PatientLink:
    """Merge two locked patients; the same merge again finds the link that stands.

    API and HL7 messages both end here.
    """
    living = decide_merge(survivor, duplicate)
    if living is None:
        return await _merge_of(work, duplicate.id)
    if living != survivor.id:
        [last] = await work.patients.lock_any(living)
        check_present(last)
    link = PatientLink(new_id(), living, duplicate.id, reason, source, clock.now())
    await work.patient_links.add(link, living)
    return link


async def _merge_of(work: Work, duplicate: UUID) -> PatientLink:
    link = await work.patient_links.of_duplicate(duplicate)
    if link is None:
        raise NotFound
    return link


async def _save(work: Work, before: Patient, after: Patient) -> None:
    await work.patients.save(before, after)
    await work.tx.remember(name_of("patients", after.id), after.revision)


async def _earlier(work: Work, *, rehearsal: bool) -> Earlier | None:
    """What an earlier call with this request_id made; a rehearsal makes nothing to remember."""
    return None if rehearsal else await work.tx.first_try()


async def _replay(work: Work, earlier: Earlier) -> patient_pb2.Patient:
    """The answer that an earlier call got: a read of that revision, with its check and record."""
    row = id_from(earlier.name, "patients")
    return patient_to_proto(await work.patients.at_revision(row, earlier.revision))


async def _check_identifiers(work: Work, identifiers: tuple[PatientIdentifier, ...]) -> None:
    kind = TenantKind.PRODUCTION
    if any(is_ins(one.system, one.type) for one in identifiers):
        kind = await work.settings.tenant_kind()
    check_identifiers(identifiers, kind)


def _registrar() -> UUID | None:
    """Who is linked to a new patient: a person, never a machine."""
    caller = identity.caller()
    return caller.subject if caller.kind is Kind.USER else None


def _match(patient: Patient, criteria: Criteria) -> Match:
    by_identifier = criteria.identifier is not None
    return match_of(
        patient.traits, criteria.words, criteria.birth_date, by_identifier=by_identifier
    )


def _criteria(
    request: messages.SearchPatientsRequest | messages.LookupPatientIdentitiesRequest,
) -> Criteria:
    words = query_words(request.query)
    if request.query and not words:
        raise InvalidField(field="query", rule="search.words")
    asked = request.identifier
    if request.HasField("identifier") and not spelling_of(asked.value):
        raise InvalidField(field="identifier.value", rule="identifier.empty")
    return Criteria(
        words=words,
        birth_date=date_from_proto(request.birth_date, "birth_date"),
        identifier=(asked.system, asked.value) if request.HasField("identifier") else None,
    )

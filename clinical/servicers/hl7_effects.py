"""What an HL7 message does to the record, through the same rules and rows as the API.

Whatever raises here undoes the whole message: it is then refused, kept, and answered.
"""

from typing import Final
from uuid import UUID

from clinical.domain.hl7 import Content, Merges, PatientEvent, PatientIdentity, Trigger
from clinical.domain.hl7_findings import Finding
from clinical.domain.identifiers import PatientIdentifier, identifiers_of
from clinical.domain.ins import TenantKind
from clinical.domain.patients import IdentityStatus, Patient, Traits, change, register
from clinical.domain.registration import (
    DELETED,
    LOSER_UNKNOWN,
    NAMES_REPLACED,
    NO_NUMBER,
    SEVERAL,
    TAKEN,
    UNKNOWN,
    Holder,
    Named,
    Refused,
    are_one,
    identifiers_after,
    name_patient,
    own_numbers,
    possible_traits,
    replaces_given_names,
    status_of,
    traits_after,
)
from clinical.servicers.hl7_results import add_results
from clinical.servicers.hl7_stays import hear_of_stay
from clinical.servicers.patients import merge
from clinical.storage.store import Work
from core import clock
from core.ids import name_of, new_id

# These tell of a person, whatever PV1 they carry along.
_OF_PERSONS: Final = frozenset({Trigger.ADD_PERSON, Trigger.UPDATE_PERSON})


class Effects:
    """One message at work."""

    def __init__(self, work: Work, message: UUID, tenant: TenantKind) -> None:
        self._work = work
        self._message = message
        self._tenant = tenant
        self.findings: list[Finding] = []

    async def apply(self, content: Content) -> UUID | None:
        """Do what the message says; the patient it is about, or the first of several.

        Raises Refused, and refusals of the domain.
        """
        if isinstance(content, PatientEvent):
            return await self._hear(content)
        if isinstance(content, Merges):
            return await self._merge(content)
        about = None
        for group in content.groups:
            patient = await self._known(group.patient)
            self.findings += await add_results(self._work, patient, group)
            about = about or patient
        return about

    async def _hear(self, event: PatientEvent) -> UUID:
        patient = await self._take_in(event.patient, changes=event.trigger is not Trigger.DISCHARGE)
        if event.encounter is not None and event.trigger not in _OF_PERSONS:
            self.findings += await hear_of_stay(self._work, patient, event)
        return patient.id

    async def _merge(self, content: Merges) -> UUID | None:
        await self._work.patient_links.take_turn()
        about = None
        for pair in content.pairs:
            survivor = await self._take_in(pair.survivor, changes=False)
            losers = identifiers_of(pair.loser, self._tenant)
            held = await self._holders(losers)
            if not held:
                raise Refused(LOSER_UNKNOWN)
            duplicate = held[min(held)].patient
            rows = await self._work.patients.lock_any(survivor.id, duplicate)
            source = name_of("hl7Messages", self._message)
            await merge(self._work, rows[0], rows[1], reason="HL7 A40", source=source)
            about = about or survivor.id
        return about

    async def _known(self, sent: PatientIdentity) -> UUID:
        """The patient whom results are about; unknown ones are refused, never invented."""
        identifiers = self._numbers(sent)
        named = await self._name(identifiers, await self._holders(identifiers), sent)
        if named.living is None:
            raise Refused(UNKNOWN)
        return named.living

    async def _take_in(self, sent: PatientIdentity, *, changes: bool) -> Patient:
        """The patient whom a message names, made if nobody has heard of them."""
        identifiers = self._numbers(sent)
        # Two messages about a patient not yet known wait here: the second finds the first's.
        await self._work.patients.claim(identifiers)
        holders = await self._holders(identifiers)
        named = await self._name(identifiers, holders, sent)
        free = self._free(identifiers, holders, named.living)
        if named.living is None:
            return await self._register(sent, free)
        [patient] = await self._work.patients.lock_any(named.living)
        if not changes:
            return patient
        if replaces_given_names(patient.traits, sent):
            self.findings.append(NAMES_REPLACED)
        after = change(
            patient,
            self._possible(patient.traits, sent),
            self._identifiers(patient.identifiers, free),
            at=clock.now(),
            status=status_of(sent),
        )
        await self._work.patients.save(patient, after)
        return after

    async def _register(
        self, sent: PatientIdentity, free: tuple[PatientIdentifier, ...]
    ) -> Patient:
        status = status_of(sent) or IdentityStatus.PROVISIONAL
        traits = self._possible(Traits(), sent)
        identifiers = self._identifiers((), free)
        patient = register(new_id(), traits, identifiers, at=clock.now(), status=status)
        await self._work.patients.add(patient, registrar=None, claimed=True)
        return patient

    def _possible(self, known: Traits, sent: PatientIdentity) -> Traits:
        traits, findings = possible_traits(known, traits_after(known, sent), at=clock.now())
        self.findings += findings
        return traits

    def _identifiers(
        self, known: tuple[PatientIdentifier, ...], free: tuple[PatientIdentifier, ...]
    ) -> tuple[PatientIdentifier, ...]:
        identifiers, findings = identifiers_after(known, free)
        self.findings += findings
        return identifiers

    def _numbers(self, sent: PatientIdentity) -> tuple[PatientIdentifier, ...]:
        identifiers = identifiers_of(sent.identifiers, self._tenant)
        if not identifiers:
            raise Refused(NO_NUMBER)
        return identifiers

    async def _holders(self, identifiers: tuple[PatientIdentifier, ...]) -> dict[int, Holder]:
        return await self._work.patients.holders(identifiers)

    async def _name(
        self,
        identifiers: tuple[PatientIdentifier, ...],
        holders: dict[int, Holder],
        sent: PatientIdentity,
    ) -> Named:
        named = name_patient(identifiers, holders)
        self.findings += named.findings
        if named.living is not None and named.by_ins:
            [known] = await self._work.patients.lock_any(named.living)
            if not are_one(known.traits, traits_after(Traits(), sent)):
                named = Named(None)
        if await self._is_deleted(named, identifiers, holders):
            raise Refused(DELETED)
        return named

    async def _is_deleted(
        self,
        named: Named,
        identifiers: tuple[PatientIdentifier, ...],
        holders: dict[int, Holder],
    ) -> bool:
        """Whether the message names somebody who is deleted: whoever hears of them would hide what
        it says, or make a second record beside the hidden one.
        """
        if named.living is not None:
            return any(h.is_deleted for h in holders.values() if h.living == named.living)
        return await self._work.patients.are_deleted(own_numbers(identifiers))

    def _free(
        self,
        identifiers: tuple[PatientIdentifier, ...],
        holders: dict[int, Holder],
        patient: UUID | None,
    ) -> tuple[PatientIdentifier, ...]:
        """The numbers that nobody else holds; one that somebody does is a finding."""
        taken = {place for place, one in holders.items() if one.living != patient}
        if taken and SEVERAL not in self.findings:
            self.findings.append(TAKEN)
        merged = {place for place, one in holders.items() if one.patient != one.living}
        return tuple(one for place, one in enumerate(identifiers) if place not in taken | merged)

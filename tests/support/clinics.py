"""The clinical service's store on a real database, and people to put into it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest

from clinical.domain.identifiers import IdentifierType, PatientIdentifier
from clinical.domain.links import CareLink, CareLinkKind
from clinical.domain.patients import Patient, Sex, Traits, register
from clinical.domain.practitioners import Practitioner, Unit
from clinical.storage.store import Store
from clinical.storage.tables import organization_key
from core import clock
from core.crypto.organization_keys import OrganizationKeys
from core.crypto.seal import open_sealed, seal
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller


class KeyInMemory:
    """A key provider whose one key lives as long as the test."""

    def __init__(self) -> None:
        self._key = bytes(range(32))

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """Seal a key for its purpose."""
        return seal(self._key, key, associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """The key inside."""
        return open_sealed(self._key, wrapped, associated)


@dataclass(frozen=True, slots=True)
class Clinic:
    """A store and its database."""

    store: Store
    database: ServiceDatabase

    async def patient(
        self,
        name: str = "MARTIN",
        *identifiers: PatientIdentifier,
        registrar: UUID | None = None,
        **traits: str,
    ) -> Patient:
        """A patient of the caller's organization, linked to `registrar` if one is given."""
        sex = Sex(traits.pop("sex", "FEMALE"))
        patient = register(
            new_id(), Traits(birth_name=name, sex=sex, **traits), identifiers, at=clock.now()
        )
        async with self.store.begin() as work:
            await work.patients.add(patient, registrar=registrar)
        return patient

    async def practitioner(self, user: UUID | None = None, *units: UUID, rpps: str = "") -> UUID:
        """A practitioner of the caller's organization."""
        row = new_id()
        made = Practitioner(row, "Dr. Test", rpps, user, units, clock.now())
        async with self.store.begin() as work:
            await work.practitioners.add(made)
        return row

    async def unit(self, code: str = "CARDIO") -> UUID:
        """A unit of the caller's organization."""
        row = new_id()
        async with self.store.begin() as work:
            await work.practitioners.add_unit(Unit(row, code, code.title(), clock.now()))
        return row

    async def link(
        self,
        patient: UUID,
        *,
        practitioner: UUID | None = None,
        unit: UUID | None = None,
        until: datetime | None = None,
    ) -> CareLink:
        """A care-team link."""
        link = CareLink(
            id=new_id(),
            patient_id=patient,
            kind=CareLinkKind.CARE_TEAM,
            started_at=clock.now(),
            practitioner_id=practitioner,
            unit_id=unit,
            ended_at=until,
        )
        async with self.store.begin() as work:
            await work.care_links.ensure([link])
        return link


@pytest.fixture
async def clinic(database: Callable[[str], ServiceDatabase]) -> AsyncIterator[Clinic]:
    """A fresh clinical database, and its store as the server has it."""
    made = database("clinical")
    async with made.open() as db:
        yield Clinic(Store(db, OrganizationKeys(organization_key, KeyInMemory())), made)


def enter(organization: UUID, user: UUID | None = None) -> UUID:
    """Call as a user of the organization; the user's id."""
    subject = user or new_id()
    as_caller(organization=organization, subject=subject)
    return subject


def ipp(value: str, system: str = "CHU-X") -> PatientIdentifier:
    """A hospital's number of a patient."""
    return PatientIdentifier(system, IdentifierType.PI, value)

"""The rows of the clinical service, one attribute a noun."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from clinical.domain.encounters import Encounter
from clinical.domain.endpoints import Endpoint
from clinical.domain.ins import TenantKind
from clinical.domain.patients import Patient
from clinical.storage.care_links import CareLinks
from clinical.storage.encounters import GET as GET_ENCOUNTER
from clinical.storage.encounters import Encounters, encounter_of
from clinical.storage.endpoints import TERMS, Endpoints, terms_of
from clinical.storage.hl7_messages import Hl7Messages
from clinical.storage.hl7_queue import Queue
from clinical.storage.observations import Observations
from clinical.storage.patient_links import PatientLinks
from clinical.storage.patient_lists import PatientLists
from clinical.storage.patient_rows import patient_of
from clinical.storage.patients import GET, Patients
from clinical.storage.practitioners import Practitioners
from clinical.storage.settings import Settings
from core import identity
from core.crypto.organization_keys import OrganizationKey, OrganizationKeys
from core.database import Database, Transaction
from core.errors import NotFound


class _Rehearsed(Exception):
    """Everything was checked; nothing is kept."""


class Work:
    """One transaction, by nouns."""

    def __init__(self, tx: Transaction, keys: OrganizationKeys) -> None:
        self.tx = tx
        self._keys = keys
        self._found: OrganizationKey | None = None
        self.patients = Patients(tx, self.key)
        self.patient_lists = PatientLists(tx, self.key)
        self.patient_links = PatientLinks(tx)
        self.care_links = CareLinks(tx)
        self.practitioners = Practitioners(tx)
        self.settings = Settings(tx)
        self.encounters = Encounters(tx)
        self.observations = Observations(tx)
        self.endpoints = Endpoints(tx)
        self.hl7_messages = Hl7Messages(tx, self.key)
        self.queue = Queue(tx)

    async def key(self) -> OrganizationKey:
        """The key of the organization that this transaction works in."""
        if self._found is None:
            self._found = await self._keys.of(self.tx)
        return self._found


class Store:
    """Opens transactions, and reads what is read most without one."""

    def __init__(self, database: Database, keys: OrganizationKeys) -> None:
        self.database = database
        self._keys = keys

    @asynccontextmanager
    async def begin(self, *, rehearsal: bool = False) -> AsyncIterator[Work]:
        """A transaction of the call in progress; a rehearsal checks everything and keeps nothing.

        A rehearsal (AIP-163) runs the same statements as the real thing, then rolls back.
        """
        with contextlib.suppress(_Rehearsed):
            async with self.database.begin() as tx:
                yield Work(tx, self._keys)
                if rehearsal:
                    raise _Rehearsed

    @asynccontextmanager
    async def begin_as(self, call: identity.Call) -> AsyncIterator[Work]:
        """A transaction of work that no call asked for."""
        async with self.database.begin_as(call) as tx:
            yield Work(tx, self._keys)

    async def patient(self, row: UUID) -> Patient:
        """The living patient behind `row`, if a link or a grant opens it. Raises NotFound.

        One round trip on the shared connection.
        """
        found = await GET.one(self.database.reads.one, identity.call(), id=row)
        if found is None:
            raise NotFound
        return patient_of(found, await self.key())

    async def encounter(self, row: UUID) -> Encounter:
        """A stay of a patient whom a link or a grant opens to the caller. Raises NotFound."""
        found = await GET_ENCOUNTER.one(self.database.reads.one, identity.call(), id=row)
        if found is None:
            raise NotFound
        return encounter_of(found)

    async def terms(self, endpoint: UUID) -> tuple[Endpoint, TenantKind]:
        """An endpoint, and the sort of organization it is of. Raises NotFound."""
        return terms_of(await self.database.reads.one(TERMS, id=endpoint))

    async def key(self) -> OrganizationKey:
        """The key of the caller's organization, in memory after its first use."""
        organization = identity.caller().organization
        kept = None if organization is None else self._keys.kept(organization)
        if kept is not None:
            return kept
        async with self.database.begin() as tx:
            return await self._keys.of(tx)

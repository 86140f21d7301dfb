"""Rows of care links."""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from clinical.domain.links import CareLink, CareLinkExists, CareLinkKind
from clinical.domain.patients import PatientDeleted
from clinical.storage.entitlement import is_linked, living
from clinical.storage.sql import sql
from core.database import ConstraintViolated, Row, Transaction
from core.errors import InvalidField, NotFound

_TIME: Final = TIMESTAMP(timezone=True)
_REST: Final = """l.kind, l.started_at, l.practitioner_id, l.unit_id, l.user_id, l.encounter_id,
    l.ended_at"""
_SAME: Final = """SELECT 1 FROM care_link s WHERE s.patient_id = :patient_id AND s.kind = :kind
    AND s.practitioner_id IS NOT DISTINCT FROM :practitioner_id
    AND s.unit_id IS NOT DISTINCT FROM :unit_id
    AND s.encounter_id IS NOT DISTINCT FROM :encounter_id
    AND s.user_id IS NULL AND (s.ended_at IS NULL OR s.ended_at > now())"""
_TYPES: Final[dict[str, Any]] = {
    "organization_id": Uuid,
    "id": Uuid,
    "patient_id": Uuid,
    "practitioner_id": Uuid,
    "unit_id": Uuid,
    "encounter_id": Uuid,
    "kind": Text,
    "started_at": _TIME,
    "ended_at": _TIME,
}
# A link counts from the moment the database can see it: the clock of a server may be ahead.
_ADD: Final = sql(
    f"""INSERT INTO care_link (organization_id, id, patient_id, practitioner_id, unit_id,
        encounter_id, kind, started_at, ended_at)
    SELECT :organization_id, :id, :patient_id, :practitioner_id, :unit_id, :encounter_id, :kind,
        LEAST(:started_at, now()), :ended_at
    WHERE NOT EXISTS ({_SAME}) RETURNING started_at""",
    **_TYPES,
)
# The patient's row is the lock under which "there is no such link yet" stays true.
_LOCK_PATIENT: Final = sql(
    f"""SELECT p.id, (SELECT v.deleted_at FROM patient v WHERE v.id = {living("p")}) AS deleted_at
    FROM patient p WHERE p.id = :id AND {is_linked("p")} FOR NO KEY UPDATE OF p""",
    id=Uuid,
    subject=Uuid,
)
# The row keeps whom it was written for; it is shown as a link to the patient who lives on.
_ONE: Final = f"""SELECT l.id, {living("p")} AS patient_id, {_REST}
    FROM care_link l JOIN patient p ON p.id = l.patient_id
    WHERE l.id = :id AND {is_linked("p")}"""
_GET: Final = sql(_ONE, id=Uuid, subject=Uuid)
_LOCK: Final = sql(f"{_ONE} FOR NO KEY UPDATE OF l", id=Uuid, subject=Uuid)
_END: Final = sql(
    """UPDATE care_link SET ended_at = LEAST(:ended_at, now()) WHERE id = :id
    RETURNING ended_at""",
    id=Uuid,
    ended_at=_TIME,
)
_END_OF_STAY: Final = sql(
    """UPDATE care_link SET ended_at = :ended_at
    WHERE patient_id = :patient_id AND encounter_id = :encounter_id AND ended_at IS NULL""",
    patient_id=Uuid,
    encounter_id=Uuid,
    ended_at=_TIME,
)
_REOPEN: Final = sql(
    """UPDATE care_link SET ended_at = NULL
    WHERE patient_id = :patient_id AND encounter_id = :encounter_id AND ended_at > now()
        AND (ended_at = :ended_at OR unit_id = ANY (:units))""",
    patient_id=Uuid,
    encounter_id=Uuid,
    ended_at=_TIME,
    units=ARRAY(Uuid),
)
_LEAVE: Final = sql(
    """UPDATE care_link SET ended_at = :ended_at
    WHERE patient_id = :patient_id AND encounter_id = :encounter_id AND ended_at IS NULL
        AND unit_id IS NOT NULL AND unit_id <> ALL (:units)""",
    patient_id=Uuid,
    encounter_id=Uuid,
    ended_at=_TIME,
    units=ARRAY(Uuid),
)
# A patient merged into another is asked for by either name, and shows the links of both.
_LIST: Final = f"""SELECT l.id, :living AS patient_id, {_REST} FROM care_link l
    WHERE l.user_id IS NULL AND l.patient_id = ANY (ARRAY(
        SELECT m.id FROM patient m WHERE m.id = :living
        UNION ALL SELECT m.id FROM patient m WHERE m.survivor_id = :living))"""
_NEWEST: Final = "ORDER BY l.id DESC LIMIT :limit"
_FIRST: Final = sql(f"{_LIST} {_NEWEST}", living=Uuid, limit=Integer)
_NEXT: Final = sql(
    f"{_LIST} AND l.id < :after_id {_NEWEST}", living=Uuid, limit=Integer, after_id=Uuid
)

_UNKNOWN: Final = {
    "fk_care_link_practitioner_id_practitioner": "care_link.practitioner",
    "fk_care_link_unit_id_unit": "care_link.unit",
}


class CareLinks:
    """Care links in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, link: CareLink) -> CareLink:
        """A new link, as the row has it.

        Raises NotFound (no such patient, or none whom something links to the caller: nobody opens
        a record to themselves), PatientDeleted, CareLinkExists and InvalidField (no such holder).
        """
        subject = self._tx.subject
        patient = await self._tx.one(_LOCK_PATIENT, id=link.patient_id, subject=subject)
        if patient is None:
            raise NotFound
        if patient.deleted_at is not None:
            raise PatientDeleted
        try:
            added = await self._tx.one(_ADD, **_parameters(link))
        except ConstraintViolated as broken:
            if broken.name not in _UNKNOWN:
                raise
            raise InvalidField(field=_UNKNOWN[broken.name], rule="reference") from None
        if added is None:
            raise CareLinkExists
        return replace(link, started_at=added.started_at)

    async def ensure(self, links: Sequence[CareLink]) -> None:
        """Links that a stay brings with it; those that are there already stay as they are."""
        for link in links:
            await self._tx.run(_ADD, **_parameters(link))

    async def end_of_stay(self, patient: UUID, encounter: UUID, at: datetime) -> None:
        """The open links of a stay end at `at`."""
        await self._tx.run(_END_OF_STAY, patient_id=patient, encounter_id=encounter, ended_at=at)

    async def reopen(
        self, patient: UUID, encounter: UUID, ended_at: datetime | None, units: Sequence[UUID]
    ) -> None:
        """Those links of a stay are open again that would end at `ended_at`, and those of units to
        which the patient has come back; what has ended stays so.
        """
        stay = {"patient_id": patient, "encounter_id": encounter}
        await self._tx.run(_REOPEN, **stay, ended_at=ended_at, units=list(units))

    async def leave(
        self, patient: UUID, encounter: UUID, at: datetime, but: Sequence[UUID]
    ) -> None:
        """The open links of a stay to units, but for those where the patient is, end at `at`."""
        stay = {"patient_id": patient, "encounter_id": encounter}
        await self._tx.run(_LEAVE, **stay, ended_at=at, units=list(but))

    async def get(self, row: UUID) -> CareLink:
        """One link of a patient whom the caller is linked to. Raises NotFound."""
        return _found(await self._tx.one(_GET, id=row, subject=self._tx.subject))

    async def lock(self, row: UUID) -> CareLink:
        """One link of a patient whom the caller is linked to, locked. Raises NotFound."""
        return _found(await self._tx.one(_LOCK, id=row, subject=self._tx.subject))

    async def save_end(self, link: CareLink) -> CareLink:
        """The link with its end, as the row has it."""
        saved = await self._tx.one(_END, id=link.id, ended_at=link.ended_at)
        if saved is None:
            raise NotFound
        return replace(link, ended_at=saved.ended_at)

    async def page(self, patient: UUID, *, limit: int, after: UUID | None) -> list[CareLink]:
        """The links of a patient and of those merged into them, newest first."""
        if after is None:
            rows = await self._tx.all(_FIRST, living=patient, limit=limit)
        else:
            rows = await self._tx.all(_NEXT, living=patient, limit=limit, after_id=after)
        return [_link(row) for row in rows]


def _parameters(link: CareLink) -> dict[str, Any]:
    return {
        "id": link.id,
        "patient_id": link.patient_id,
        "practitioner_id": link.practitioner_id,
        "unit_id": link.unit_id,
        "encounter_id": link.encounter_id,
        "kind": link.kind.value,
        "started_at": link.started_at,
        "ended_at": link.ended_at,
    }


def _found(row: Row | None) -> CareLink:
    if row is None or row.user_id is not None:
        raise NotFound
    return _link(row)


def _link(row: Row) -> CareLink:
    return CareLink(
        id=row.id,
        patient_id=row.patient_id,
        kind=CareLinkKind(row.kind),
        started_at=row.started_at,
        practitioner_id=row.practitioner_id,
        unit_id=row.unit_id,
        user_id=row.user_id,
        encounter_id=row.encounter_id,
        ended_at=row.ended_at,
    )

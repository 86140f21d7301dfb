"""Rows of stays."""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

from clinical.domain.encounters import Encounter, EncounterClass, EncounterStatus
from clinical.storage.entitlement import how_opened, is_linked, living, question
from clinical.storage.sql import sql
from core.database import Row, Transaction

_TIME: Final = TIMESTAMP(timezone=True)
_REST: Final = """e.visit_system, e.visit_number, e.class, e.status, e.location, e.unit_id,
    e.attending_id, e.started_at, e.ended_at, e.created_at, e.updated_at, e.revision"""
_COLUMNS: Final = f"e.id, e.patient_id, {_REST}"
_TYPES: Final[dict[str, Any]] = {
    "organization_id": Uuid,
    "id": Uuid,
    "patient_id": Uuid,
    "visit_system": Text,
    "visit_number": Text,
    "class": Text,
    "status": Text,
    "location": Text,
    "unit_id": Uuid,
    "attending_id": Uuid,
    "started_at": _TIME,
    "ended_at": _TIME,
    "created_at": _TIME,
    "updated_at": _TIME,
    "revision": Integer,
}
_CHANGING: Final = (
    "class",
    "status",
    "location",
    "unit_id",
    "attending_id",
    "started_at",
    "ended_at",
    "updated_at",
    "revision",
)
# A stay of the patient or of somebody merged into them.
_OF_PATIENT: Final = """e.patient_id = ANY (ARRAY(
    SELECT m.id FROM patient m WHERE m.id = :living
    UNION ALL SELECT m.id FROM patient m WHERE m.survivor_id = :living))"""

# The row keeps whom it was written for. It is shown, and so recorded, as a stay of the patient
# who lives on: whoever asks who has seen their record finds it under one name.
GET: Final = question(
    f"""SELECT e.id, {living("p")} AS patient_id, {_REST}
    FROM encounter e JOIN patient p ON p.id = e.patient_id
    WHERE e.id = :id AND {is_linked("p")}""",
    f"""SELECT e.id, {living("p")} AS patient_id, {_REST}, o.granted
    FROM encounter e JOIN patient p ON p.id = e.patient_id
    CROSS JOIN {how_opened("p")}
    WHERE e.id = :id AND (o.is_linked OR o.granted IS NOT NULL)""",
    person="patient_id",
    id=Uuid,
)
_ADD: Final = sql(
    f"""INSERT INTO encounter ({", ".join(_TYPES)})
    VALUES ({", ".join(f":{name}" for name in _TYPES)})""",
    **_TYPES,
)
_SAVE: Final = sql(
    f"""UPDATE encounter SET {", ".join(f"{name} = :{name}" for name in _CHANGING)}
    WHERE id = :id""",
    **{name: _TYPES[name] for name in ("id", *_CHANGING)},
)
_LOCK_VISIT: Final = sql(
    f"""SELECT {_COLUMNS} FROM encounter e
    WHERE {_OF_PATIENT} AND e.visit_system = :system AND e.visit_number = :number
        AND e.visit_number <> ''
    ORDER BY e.id DESC LIMIT 1 FOR NO KEY UPDATE""",
    living=Uuid,
    system=Text,
    number=Text,
)
_LOCK_OPEN: Final = sql(
    f"""SELECT {_COLUMNS} FROM encounter e
    WHERE {_OF_PATIENT} AND e.visit_number = '' AND e.status = 'IN_PROGRESS'
    ORDER BY e.id DESC LIMIT 1 FOR NO KEY UPDATE""",
    living=Uuid,
)
_LIST: Final = f"""SELECT e.id, :living AS patient_id, {_REST} FROM encounter e
    WHERE {_OF_PATIENT}"""
_NEWEST: Final = "ORDER BY e.id DESC LIMIT :limit"
_FIRST: Final = sql(f"{_LIST} {_NEWEST}", living=Uuid, limit=Integer)
_NEXT: Final = sql(
    f"{_LIST} AND e.id < :after_id {_NEWEST}", living=Uuid, limit=Integer, after_id=Uuid
)


class Encounters:
    """Stays in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def lock_visit(self, living: UUID, system: str, number: str) -> Encounter | None:
        """The patient's stay of that visit; without a number the open one that has none."""
        if number:
            row = await self._tx.one(_LOCK_VISIT, living=living, system=system, number=number)
        else:
            row = await self._tx.one(_LOCK_OPEN, living=living)
        return None if row is None else encounter_of(row)

    async def add(self, encounter: Encounter) -> None:
        """A new stay."""
        await self._tx.run(_ADD, **_parameters(encounter))

    async def save(self, encounter: Encounter) -> None:
        """A changed stay whose row this transaction has locked."""
        values = _parameters(encounter)
        await self._tx.run(_SAVE, **{name: values[name] for name in ("id", *_CHANGING)})

    async def page(self, living: UUID, *, limit: int, after: UUID | None) -> list[Encounter]:
        """The stays of a patient and of those merged into them, newest first, all as theirs."""
        if after is None:
            rows = await self._tx.all(_FIRST, living=living, limit=limit)
        else:
            rows = await self._tx.all(_NEXT, living=living, limit=limit, after_id=after)
        return [encounter_of(row) for row in rows]


def encounter_of(row: Row) -> Encounter:
    """The stay in a row."""
    return Encounter(
        row[0],
        row[1],
        row[2],
        row[3],
        EncounterClass(row[4]),
        EncounterStatus(row[5]),
        *row[6:14],
    )


def _parameters(encounter: Encounter) -> dict[str, Any]:
    return {
        "id": encounter.id,
        "patient_id": encounter.patient_id,
        "visit_system": encounter.visit_system,
        "visit_number": encounter.visit_number,
        "class": encounter.class_.value,
        "status": encounter.status.value,
        "location": encounter.location,
        "unit_id": encounter.unit_id,
        "attending_id": encounter.attending_id,
        "started_at": encounter.started_at,
        "ended_at": encounter.ended_at,
        "created_at": encounter.created_at,
        "updated_at": encounter.updated_at,
        "revision": encounter.revision,
    }

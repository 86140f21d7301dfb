"""Rows of results."""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Boolean, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from clinical.domain.observations import (
    Coding,
    Key,
    Observation,
    ObservationStatus,
    Standing,
    Value,
    ValueKind,
    key_of,
)
from clinical.storage.sql import sql
from core.database import Row, Transaction
from core.errors import NotFound

T = TypeVar("T")

_AT_ONCE: Final = 500
_TIME: Final = TIMESTAMP(timezone=True)
_TYPES: Final[dict[str, Any]] = {
    "organization_id": Uuid,
    "id": Uuid,
    "patient_id": Uuid,
    "encounter_id": Uuid,
    **dict.fromkeys(
        (
            "code_system",
            "code",
            "code_display",
            "value_kind",
            "quantity",
            "comparator",
            "unit",
            "text",
            "coded_system",
            "coded_code",
            "coded_display",
        ),
        Text,
    ),
    "moment": _TIME,
    "reference_range": Text,
    "flags": ARRAY(Text),
    "status": Text,
    "effective_at": _TIME,
    "issued_at": _TIME,
    "supersedes_id": Uuid,
    "order_system": Text,
    "order_number": Text,
    "sub_id": Text,
    "sent_status": Text,
    "created_at": _TIME,
}
# The row keeps whom it was written for. It is shown, and so recorded, as a result of the patient
# who lives on: whoever asks who has seen their record finds it under one name.
_COLUMNS: Final = ":living AS patient_id, " + ", ".join(
    f"o.{name}" for name in _TYPES if name not in {"organization_id", "patient_id"}
)
_OF_PATIENT: Final = """o.patient_id = ANY (ARRAY(
    SELECT m.id FROM patient m WHERE m.id = :living
    UNION ALL SELECT m.id FROM patient m WHERE m.survivor_id = :living))"""

_ADD: Final = sql(
    f"""INSERT INTO observation ({", ".join(_TYPES)})
    VALUES ({", ".join(f":{name}" for name in _TYPES)})""",
    **_TYPES,
)
_STANDING: Final = sql(
    f"""SELECT o.id, o.order_system, o.order_number, o.code_system, o.code, o.code_display,
        o.sub_id, o.status, o.sent_status, o.issued_at
    FROM observation o
    WHERE o.order_number = ANY (:orders) AND o.order_number <> '' AND o.superseded_by_id IS NULL
        AND {_OF_PATIENT}
    ORDER BY o.id""",
    orders=ARRAY(Text),
    living=Uuid,
)
_SUPERSEDE: Final = sql(
    "UPDATE observation SET superseded_by_id = :newer WHERE id = :older", newer=Uuid, older=Uuid
)
_LIST: Final = f"""SELECT {_COLUMNS} FROM observation o WHERE {_OF_PATIENT}
    AND (o.superseded_by_id IS NULL OR :superseded) AND (o.code = :code OR :code = '')"""
_ONE: Final = sql(
    f"SELECT {_COLUMNS} FROM observation o WHERE o.id = :id AND {_OF_PATIENT}",
    id=Uuid,
    living=Uuid,
)
_NEWEST: Final = "ORDER BY o.id DESC LIMIT :limit"
_ASKED: Final[dict[str, Any]] = {
    "living": Uuid,
    "superseded": Boolean,
    "code": Text,
    "limit": Integer,
}
_FIRST: Final = sql(f"{_LIST} {_NEWEST}", **_ASKED)
_NEXT: Final = sql(f"{_LIST} AND o.id < :after_id {_NEWEST}", after_id=Uuid, **_ASKED)


class Observations:
    """Results in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def standing(self, living: UUID, orders: Sequence[str]) -> dict[Key, list[Standing]]:
        """The patient's results of these orders that nothing supersedes, by what names them."""
        found: dict[Key, list[Standing]] = {}
        for row in await self._tx.all(_STANDING, living=living, orders=list(orders)):
            status = ObservationStatus(row.status)
            one = Standing(row.id, row.order_system, status, row.sent_status, row.issued_at)
            code = Coding(row.code_system, row.code, row.code_display)
            found.setdefault(key_of(row.order_number, code, row.sub_id), []).append(one)
        return found

    async def get(self, living: UUID, row: UUID) -> Observation:
        """One of the patient's results. Raises NotFound."""
        found = await self._tx.one(_ONE, id=row, living=living)
        if found is None:
            raise NotFound
        return _observation(found)

    async def add(self, observations: Sequence[Observation]) -> None:
        """New results, a few hundred in one round trip."""
        for some in _batches(observations):
            await self._tx.run_many(_ADD, [_parameters(one) for one in some])

    async def supersede(self, pairs: Sequence[tuple[UUID, UUID]]) -> None:
        """Leave the first of each pair out of lists, in favour of the second."""
        for some in _batches(pairs):
            rows = [{"older": older, "newer": newer} for older, newer in some]
            await self._tx.run_many(_SUPERSEDE, rows)

    async def page(
        self, living: UUID, *, code: str, superseded: bool, limit: int, after: UUID | None
    ) -> list[Observation]:
        """The results of a patient and of those merged into them, newest first, all as theirs."""
        asked = {"living": living, "superseded": superseded, "code": code, "limit": limit}
        if after is None:
            rows = await self._tx.all(_FIRST, **asked)
        else:
            rows = await self._tx.all(_NEXT, after_id=after, **asked)
        return [_observation(row) for row in rows]


def _batches(whole: Sequence[T]) -> Iterator[Sequence[T]]:
    """What goes into one round trip."""
    for start in range(0, len(whole), _AT_ONCE):
        yield whole[start : start + _AT_ONCE]


def _observation(row: Row) -> Observation:
    value = Value(
        kind=ValueKind(row.value_kind),
        quantity=row.quantity,
        comparator=row.comparator,
        unit=row.unit,
        text=row.text,
        coded=Coding(row.coded_system, row.coded_code, row.coded_display),
        moment=row.moment,
    )
    return Observation(
        id=row.id,
        patient_id=row.patient_id,
        encounter_id=row.encounter_id,
        code=Coding(row.code_system, row.code, row.code_display),
        value=value,
        reference_range=row.reference_range,
        flags=tuple(row.flags),
        status=ObservationStatus(row.status),
        effective_at=row.effective_at,
        issued_at=row.issued_at,
        created_at=row.created_at,
        order_system=row.order_system or "",
        order_number=row.order_number,
        sub_id=row.sub_id,
        supersedes_id=row.supersedes_id,
        sent_status=row.sent_status,
    )


def _parameters(one: Observation) -> dict[str, Any]:
    value = one.value
    return {
        "id": one.id,
        "patient_id": one.patient_id,
        "encounter_id": one.encounter_id,
        "code_system": one.code.system,
        "code": one.code.code,
        "code_display": one.code.display,
        "value_kind": value.kind.value,
        "quantity": value.quantity,
        "comparator": value.comparator,
        "unit": value.unit,
        "text": value.text,
        "coded_system": value.coded.system,
        "coded_code": value.coded.code,
        "coded_display": value.coded.display,
        "moment": value.moment,
        "reference_range": one.reference_range,
        "flags": list(one.flags),
        "status": one.status.value,
        "effective_at": one.effective_at,
        "issued_at": one.issued_at,
        "supersedes_id": one.supersedes_id,
        "order_system": one.order_system,
        "order_number": one.order_number,
        "sub_id": one.sub_id,
        "sent_status": one.sent_status,
        "created_at": one.created_at,
    }

"""Rows of practitioners and units."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from clinical.domain.practitioners import Practitioner, PractitionerExists, Unit, UnitExists
from clinical.storage.sql import sql
from core.database import ConstraintViolated, Row, Transaction
from core.errors import InvalidField, NotFound

_TIME: Final = TIMESTAMP(timezone=True)

_ADD_UNIT: Final = sql(
    """INSERT INTO unit (organization_id, id, code, display_name, created_at)
    VALUES (:organization_id, :id, :code, :display_name, :created_at)""",
    organization_id=Uuid,
    id=Uuid,
    code=Text,
    display_name=Text,
    created_at=_TIME,
)
_UNIT: Final = "SELECT n.id, n.code, n.display_name, n.created_at FROM unit n"
_GET_UNIT: Final = sql(f"{_UNIT} WHERE n.id = :id", id=Uuid)
_UNIT_OF: Final = sql(
    "SELECT n.id, n.code FROM unit n WHERE n.code = ANY (:codes)", codes=ARRAY(Text)
)
_UNITS: Final = sql(f"{_UNIT} ORDER BY n.id LIMIT :limit", limit=Integer)
_MORE_UNITS: Final = sql(
    f"{_UNIT} WHERE n.id > :after_id ORDER BY n.id LIMIT :limit", limit=Integer, after_id=Uuid
)

_ADD: Final = sql(
    """WITH made AS (
        INSERT INTO practitioner (organization_id, id, display_name, rpps, user_id, created_at)
        VALUES (:organization_id, :id, :display_name, :rpps, :user_id, :created_at))
    INSERT INTO practitioner_unit (organization_id, practitioner_id, unit_id)
    SELECT :organization_id, :id, u FROM unnest(:units) AS u""",
    organization_id=Uuid,
    id=Uuid,
    display_name=Text,
    rpps=Text,
    user_id=Uuid,
    created_at=_TIME,
    units=ARRAY(Uuid),
)
_ONE: Final = """SELECT r.id, r.display_name, r.rpps, r.user_id, r.created_at,
    ARRAY(SELECT w.unit_id FROM practitioner_unit w
          WHERE w.practitioner_id = r.id ORDER BY w.unit_id) AS units
    FROM practitioner r"""
_GET: Final = sql(f"{_ONE} WHERE r.id = :id", id=Uuid)
_BY_RPPS: Final = sql(
    "SELECT r.id FROM practitioner r WHERE r.rpps = :rpps AND r.rpps <> ''", rpps=Text
)
_ALL: Final = sql(f"{_ONE} ORDER BY r.id LIMIT :limit", limit=Integer)
_MORE: Final = sql(
    f"{_ONE} WHERE r.id > :after_id ORDER BY r.id LIMIT :limit", limit=Integer, after_id=Uuid
)

_TAKEN: Final = frozenset({"ix_practitioner_user_id", "ix_practitioner_rpps"})


class Practitioners:
    """Practitioners and units in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, practitioner: Practitioner) -> None:
        """A practitioner. Raises PractitionerExists, and InvalidField for an unknown unit."""
        try:
            await self._tx.run(
                _ADD,
                id=practitioner.id,
                display_name=practitioner.display_name,
                rpps=practitioner.rpps,
                user_id=practitioner.user_id,
                created_at=practitioner.created_at,
                units=list(practitioner.units),
            )
        except ConstraintViolated as broken:
            if broken.name in _TAKEN:
                raise PractitionerExists from None
            if broken.name == "fk_practitioner_unit_unit_id_unit":
                raise InvalidField(field="practitioner.units", rule="reference") from None
            raise

    async def get(self, row: UUID) -> Practitioner:
        """One practitioner. Raises NotFound."""
        found = await self._tx.one(_GET, id=row)
        if found is None:
            raise NotFound
        return _practitioner(found)

    async def by_rpps(self, rpps: str) -> UUID | None:
        """The practitioner of an RPPS number."""
        found = await self._tx.one(_BY_RPPS, rpps=rpps)
        return None if found is None else UUID(str(found.id))

    async def page(self, *, limit: int, after: UUID | None) -> list[Practitioner]:
        """Practitioners, oldest first."""
        if after is None:
            rows = await self._tx.all(_ALL, limit=limit)
        else:
            rows = await self._tx.all(_MORE, limit=limit, after_id=after)
        return [_practitioner(row) for row in rows]

    async def add_unit(self, unit: Unit) -> None:
        """A unit. Raises UnitExists."""
        try:
            await self._tx.run(
                _ADD_UNIT,
                id=unit.id,
                code=unit.code,
                display_name=unit.display_name,
                created_at=unit.created_at,
            )
        except ConstraintViolated as broken:
            if broken.name == "ix_unit_code":
                raise UnitExists from None
            raise

    async def get_unit(self, row: UUID) -> Unit:
        """One unit. Raises NotFound."""
        found = await self._tx.one(_GET_UNIT, id=row)
        if found is None:
            raise NotFound
        return Unit(*found)

    async def units_of(self, codes: Sequence[str]) -> dict[str, UUID]:
        """The units that have one of these codes, by it."""
        rows = await self._tx.all(_UNIT_OF, codes=list(codes))
        return {row.code: row.id for row in rows}

    async def unit_page(self, *, limit: int, after: UUID | None) -> list[Unit]:
        """Units, oldest first."""
        if after is None:
            rows = await self._tx.all(_UNITS, limit=limit)
        else:
            rows = await self._tx.all(_MORE_UNITS, limit=limit, after_id=after)
        return [Unit(*row) for row in rows]


def _practitioner(row: Row) -> Practitioner:
    return Practitioner(
        row.id, row.display_name, row.rpps, row.user_id, tuple(row.units), row.created_at
    )

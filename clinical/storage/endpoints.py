"""Rows of HL7 endpoints."""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from clinical.domain.endpoints import AckPoint, Endpoint, EndpointExists
from clinical.domain.ins import TenantKind
from clinical.storage.sql import sql
from core.database import ConstraintViolated, Row, Statement, Transaction
from core.errors import NotFound

_TYPES: Final[dict[str, Any]] = {
    "organization_id": Uuid,
    "id": Uuid,
    "label": Text,
    "service_account_id": Uuid,
    "ack_point": Text,
    "charset_fallback": Text,
    "time_zone": Text,
    "created_at": TIMESTAMP(timezone=True),
    "rejected_rules": ARRAY(Text),
    "revision": Integer,
}
_COLUMNS: Final = ", ".join(f"e.{name}" for name in _TYPES if name != "organization_id")
_ADD: Final = sql(
    f"""INSERT INTO hl7_endpoint ({", ".join(_TYPES)})
    VALUES ({", ".join(f":{name}" for name in _TYPES)})""",
    **_TYPES,
)
_CHANGING: Final = (
    "label",
    "service_account_id",
    "ack_point",
    "charset_fallback",
    "time_zone",
    "rejected_rules",
    "revision",
)
_SAVE: Final = sql(
    f"""UPDATE hl7_endpoint SET {", ".join(f"{name} = :{name}" for name in _CHANGING)}
    WHERE id = :id""",
    **{name: _TYPES[name] for name in ("id", *_CHANGING)},
)
_ONE: Final = f"SELECT {_COLUMNS} FROM hl7_endpoint e"
_GET: Final = sql(f"{_ONE} WHERE e.id = :id", id=Uuid)
_LOCK: Final = sql(f"{_ONE} WHERE e.id = :id FOR NO KEY UPDATE", id=Uuid)
_ALL: Final = sql(f"{_ONE} ORDER BY e.id LIMIT :limit", limit=Integer)
_MORE: Final = sql(
    f"{_ONE} WHERE e.id > :after_id ORDER BY e.id LIMIT :limit", limit=Integer, after_id=Uuid
)
# What receiving a message needs to know, in one read: the endpoint, and the sort of INS.
TERMS: Final = sql(
    f"""SELECT {_COLUMNS},
        COALESCE((SELECT s.accepts_test_ins FROM clinical_setting s), false) AS rehearses
    FROM hl7_endpoint e WHERE e.id = :id""",
    id=Uuid,
)


class Endpoints:
    """Endpoints in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, endpoint: Endpoint) -> None:
        """A new endpoint. Raises EndpointExists."""
        await self._write(_ADD, _parameters(endpoint))

    async def save(self, endpoint: Endpoint) -> None:
        """A changed endpoint whose row is locked. Raises EndpointExists."""
        values = _parameters(endpoint)
        await self._write(_SAVE, {name: values[name] for name in ("id", *_CHANGING)})

    async def get(self, row: UUID) -> Endpoint:
        """One endpoint. Raises NotFound."""
        return _found(await self._tx.one(_GET, id=row))

    async def lock(self, row: UUID) -> Endpoint:
        """One endpoint, locked. Raises NotFound."""
        return _found(await self._tx.one(_LOCK, id=row))

    async def page(self, *, limit: int, after: UUID | None) -> list[Endpoint]:
        """Endpoints, oldest first."""
        if after is None:
            rows = await self._tx.all(_ALL, limit=limit)
        else:
            rows = await self._tx.all(_MORE, limit=limit, after_id=after)
        return [endpoint_of(row) for row in rows]

    async def _write(self, stmt: Statement, values: dict[str, Any]) -> None:
        try:
            await self._tx.run(stmt, **values)
        except ConstraintViolated as broken:
            if broken.name == "ix_hl7_endpoint_label":
                raise EndpointExists from None
            raise


def endpoint_of(row: Row) -> Endpoint:
    """The endpoint in a row."""
    return Endpoint(
        row.id,
        row.label,
        row.service_account_id,
        AckPoint(row.ack_point),
        row.charset_fallback,
        row.time_zone,
        row.created_at,
        tuple(row.rejected_rules),
        row.revision,
    )


def terms_of(row: Row | None) -> tuple[Endpoint, TenantKind]:
    """What a row of TERMS says. Raises NotFound when there is none."""
    endpoint = _found(row)
    rehearses = row is not None and row.rehearses
    return endpoint, TenantKind.TEST if rehearses else TenantKind.PRODUCTION


def _found(row: Row | None) -> Endpoint:
    if row is None:
        raise NotFound
    return endpoint_of(row)


def _parameters(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "label": endpoint.label,
        "service_account_id": endpoint.service_account_id,
        "ack_point": endpoint.ack_point.value,
        "charset_fallback": endpoint.charset_fallback,
        "time_zone": endpoint.time_zone,
        "created_at": endpoint.created_at,
        "rejected_rules": list(endpoint.rejected_rules),
        "revision": endpoint.revision,
    }

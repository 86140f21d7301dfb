"""Rows of merges."""

from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

from clinical.domain.merges import PatientLink
from clinical.storage.sql import sql
from core.database import Transaction

_FIND: Final = sql(
    """SELECT id, survivor_id, duplicate_id, reason, source, created_at
    FROM patient_link WHERE duplicate_id = :duplicate""",
    duplicate=Uuid,
)
_GET: Final = sql(
    """SELECT id, survivor_id, duplicate_id, reason, source, created_at
    FROM patient_link WHERE id = :id""",
    id=Uuid,
)
_ADD: Final = sql(
    """INSERT INTO patient_link
        (organization_id, id, survivor_id, duplicate_id, reason, source, created_at)
    VALUES (:organization_id, :id, :survivor_id, :duplicate_id, :reason, :source, :created_at)""",
    organization_id=Uuid,
    id=Uuid,
    survivor_id=Uuid,
    duplicate_id=Uuid,
    reason=Text,
    source=Text,
    created_at=TIMESTAMP(timezone=True),
)
# Those already merged into the duplicate follow it, so that every reference is one step long.
_POINT: Final = sql(
    """UPDATE patient SET survivor_id = :living, revision = revision + 1, updated_at = :at
    WHERE id = :duplicate OR survivor_id = :duplicate""",
    living=Uuid,
    duplicate=Uuid,
    at=TIMESTAMP(timezone=True),
)


# Chains are resolved through rows that a merge does not lock, so merges take turns. They are rare.
_TAKE_TURN: Final = sql("SELECT pg_advisory_xact_lock(:key)", key=BigInteger)


class PatientLinks:
    """Merges in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def take_turn(self) -> None:
        """Wait until no other merge of the organization is under way."""
        organization = self._tx.organization
        digest = sha256(b"merge/" + (organization.bytes if organization else b"")).digest()
        await self._tx.one(_TAKE_TURN, key=int.from_bytes(digest[:8], signed=True))

    async def of_duplicate(self, duplicate: UUID) -> PatientLink | None:
        """The merge that a patient is the duplicate of."""
        row = await self._tx.one(_FIND, duplicate=duplicate)
        return None if row is None else PatientLink(*row)

    async def get(self, row: UUID) -> PatientLink | None:
        """One merge."""
        found = await self._tx.one(_GET, id=row)
        return None if found is None else PatientLink(*found)

    async def add(self, link: PatientLink, living: UUID) -> None:
        """A merge; readers of the duplicate are sent to `living` from now on."""
        await self._tx.run(
            _ADD,
            id=link.id,
            survivor_id=link.survivor,
            duplicate_id=link.duplicate,
            reason=link.reason,
            source=link.source,
            created_at=link.created_at,
        )
        await self._tx.run(_POINT, living=living, duplicate=link.duplicate, at=link.created_at)

"""Whose data a service keeps and does not process (GDPR article 18), by which restriction.

The rows themselves are hidden by row-level security (`core/database/secure.py`), from every
statement of every method but those of the subject contract.
"""

from uuid import UUID

from sqlalchemy import MetaData, Uuid, bindparam, delete
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql import insert as upsert

from core import clock
from core.database import Transaction, column, statement, tenant_table
from core.database.tables import RESTRICTED
from core.subject.person import Person

_REQUEST = "medhub.subject.v1.RestrictSubjectRequest"


def restriction_table(metadata: MetaData) -> None:
    """Declare the list of a service. Every table about patients is behind it from then on."""
    tenant_table(
        RESTRICTED,
        metadata,
        column("person", Uuid, field=f"{_REQUEST}.subject", primary_key=True),
        column("restriction_id", Uuid, internal="By which one.", primary_key=True),
        column("restricted_at", TIMESTAMP(timezone=True), internal="Since when."),
        subject="person",
        collection="restrictedPersons",
    )


class Restrictions:
    """The list of one service."""

    def __init__(self, metadata: MetaData) -> None:
        table = metadata.tables[RESTRICTED]
        self._add = statement(
            upsert(table)
            .values(
                organization_id=bindparam("organization_id"),
                person=bindparam("person"),
                restriction_id=bindparam("restriction"),
                restricted_at=bindparam("at"),
            )
            .on_conflict_do_nothing()
        )
        self._remove = statement(
            delete(table).where(table.c.restriction_id == bindparam("restriction", type_=Uuid))
        )

    async def add(self, tx: Transaction, person: Person, restriction: UUID) -> None:
        """Restrict every identity of a person."""
        at = clock.now()
        rows = [{"person": one, "restriction": restriction, "at": at} for one in person.ids]
        await tx.run_many(self._add, rows)

    async def remove(self, tx: Transaction, restriction: UUID) -> None:
        """End a restriction."""
        await tx.run(self._remove, restriction=restriction)

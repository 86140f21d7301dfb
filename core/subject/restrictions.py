"""Whose data a service does not process: they are restricted (GDPR article 18), or were erased.

The rows themselves are hidden, and new ones refused, by row-level security
(`core/database/secure.py`), in every statement of every method but those of the subject contract.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import MetaData, Uuid, bindparam, delete
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql import insert as upsert

from core import clock
from core.database import Transaction, column, statement, tenant_table
from core.database.tables import ERASED, RESTRICTED
from core.subject.person import Person

_REQUEST = "medhub.subject.v1.RestrictSubjectRequest"
_RECEIPT = "medhub.subject.v1.ErasureReceipt"


def restriction_tables(metadata: MetaData) -> None:
    """Declare the lists of a service. Every table about patients is behind them from then on."""
    tenant_table(
        RESTRICTED,
        metadata,
        column("person", Uuid, field=f"{_REQUEST}.subject", primary_key=True),
        column("restriction_id", Uuid, internal="By which one.", primary_key=True),
        column("restricted_at", TIMESTAMP(timezone=True), internal="Since when."),
        subject="person",
        collection="restrictedPersons",
    )
    tenant_table(
        ERASED,
        metadata,
        column("person", Uuid, internal="Who it was; nothing else is known.", primary_key=True),
        column("request_id", Uuid, field=f"{_RECEIPT}.request", primary_key=True),
        column("erased_at", TIMESTAMP(timezone=True), internal="Since when."),
        subject="person",
        collection="erasedPersons",
        capture=False,
        reason="The act is recorded.",
    )


class Restrictions:
    """The lists of one service."""

    def __init__(self, metadata: MetaData) -> None:
        table = metadata.tables[RESTRICTED]
        self._forget = statement(
            upsert(metadata.tables[ERASED])
            .values(
                organization_id=bindparam("organization_id"),
                person=bindparam("person"),
                request_id=bindparam("request"),
                erased_at=bindparam("at"),
            )
            .on_conflict_do_nothing()
        )
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

    async def forget(self, tx: Transaction, persons: Iterable[UUID], erasure: UUID) -> None:
        """Take nothing more about a person who was erased everywhere, for ever."""
        at = clock.now()
        await tx.run_many(
            self._forget, [{"person": one, "request": erasure, "at": at} for one in persons]
        )

    async def remove(self, tx: Transaction, restriction: UUID) -> None:
        """End a restriction."""
        await tx.run(self._remove, restriction=restriction)

"""One key an organization, in the service's own database, wrapped by the service's keyring.

What names no person yet (a raw message) and what must be found by equality (a national number)
is sealed under it. Destroying the row makes all of it unreadable.
"""

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import LargeBinary, MetaData, Table, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from core.crypto.blind_index import blind_index
from core.crypto.keyring import KeyProvider
from core.crypto.seal import derive, new_key, open_sealed, schedule, seal
from core.database import Transaction, column, statement, tenant_table

# Keys kept unwrapped in memory; ten thousand organizations fit in a megabyte.
MAX_KEPT = 10_000
# Values whose derived keys are kept: those of the few thousand records that are open on screens
# now, in some megabytes. What is kept follows from a key that is in memory all the same; neither
# a person's key nor a text is ever kept.
MAX_SCHEDULED = 10_000

_scheduled = lru_cache(MAX_SCHEDULED)(schedule)


@dataclass(frozen=True, slots=True)
class OrganizationKey:
    """The key of one organization, good for sealing and for blind indexes."""

    _sealing: bytes
    _indexing: bytes

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """Seal under the organization's key; `associated` says where the value belongs."""
        return seal(self._sealing, plaintext, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Open what `seal` made. Raises Unopenable for anything else."""
        return open_sealed(self._sealing, sealed, associated, _scheduled)

    def blind_index(self, field: str, value: str) -> bytes:
        """32 bytes by which equal values of a field are found without being read."""
        return blind_index(self._indexing, field, value)


def organization_key_table(metadata: MetaData) -> Table:
    """Declare the table; each service that seals has one."""
    return tenant_table(
        "organization_key",
        metadata,
        column("id", Uuid, internal="One key an organization.", primary_key=True),
        column("wrapped", LargeBinary, internal="The key under the keyring.", secret=True),
        subject=None,
        collection="organizationKeys",
    )


class OrganizationKeys:
    """Finds or makes the key of the organization that a transaction works in."""

    def __init__(self, table: Table, keyring: KeyProvider) -> None:
        self._keyring = keyring
        self._kept: OrderedDict[UUID, OrganizationKey] = OrderedDict()
        self._get = statement(select(table.c.wrapped).where(table.c.id == bindparam("id")))
        self._add = statement(
            insert(table)
            .values(
                organization_id=bindparam("organization_id"),
                id=bindparam("id"),
                wrapped=bindparam("wrapped"),
            )
            .on_conflict_do_nothing()
        )

    def kept(self, organization: UUID) -> OrganizationKey | None:
        """The key, if this process has used it before."""
        return self._kept.get(organization)

    async def of(self, tx: Transaction) -> OrganizationKey:
        """The key of the transaction's organization; made, with the transaction, if need be.

        Of two transactions that make it at once one waits for the other and takes its key.
        """
        organization = tx.organization
        if organization is None:
            raise LookupError("the transaction works in no organization")
        known = self._kept.get(organization)
        if known is not None:
            return known
        row = await tx.one(self._get, id=organization)
        if row is not None:
            return self._keep(organization, row.wrapped)
        wrapped = self._keyring.wrap(new_key(), organization.bytes)
        await tx.run(self._add, id=organization, wrapped=wrapped)
        row = await tx.one(self._get, id=organization)
        if row is None:
            raise LookupError("the organization's key has gone")
        # Not kept yet: the transaction may roll back, and the key with it.
        return self._unwrapped(organization, row.wrapped)

    def _keep(self, organization: UUID, wrapped: bytes) -> OrganizationKey:
        key = self._kept[organization] = self._unwrapped(organization, wrapped)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return key

    def _unwrapped(self, organization: UUID, wrapped: bytes) -> OrganizationKey:
        key = self._keyring.unwrap(wrapped, organization.bytes)
        return OrganizationKey(derive(key, "seal"), derive(key, "blind index"))

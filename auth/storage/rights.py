"""By what somebody holds their roles."""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from auth.storage.tables import membership
from core.database import Transaction, statement

_OF = statement(
    select(membership.c.id).where(
        membership.c.organization_id == bindparam("organization_id", type_=Uuid),
        membership.c.user_id == bindparam("user", type_=Uuid),
    )
)


class Rights:
    """Of people in the organization of the transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def membership_of(self, user: UUID) -> UUID | None:
        """The membership by which a person holds their roles."""
        row = await self._tx.one(_OF, user=user)
        return row.id if row else None

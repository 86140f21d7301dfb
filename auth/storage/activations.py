"""Rows of invitations: with which token a membership is accepted, once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update

from auth.storage.tables import activation
from core.database import Transaction, statement

_OPEN = (activation.c.used_at.is_(None), activation.c.expires_at > bindparam("at"))
_OF_MEMBERSHIP = (
    activation.c.organization_id == bindparam("organization_id"),
    activation.c.membership_id == bindparam("membership"),
)
_ADD = statement(
    insert(activation).values(
        id=bindparam("id"),
        organization_id=bindparam("inviter"),
        membership_id=bindparam("membership"),
        token_hash=bindparam("token_hash"),
        expires_at=bindparam("expires_at"),
    )
)
_FIND = statement(
    select(activation.c.id, activation.c.organization_id, activation.c.membership_id).where(
        activation.c.token_hash == bindparam("token_hash"), *_OPEN
    )
)
_USE = statement(
    update(activation)
    .where(activation.c.id == bindparam("key"), *_OPEN)
    .values(used_at=bindparam("at"))
)
_CANCEL = statement(
    update(activation)
    .where(*_OF_MEMBERSHIP, activation.c.used_at.is_(None))
    .values(used_at=bindparam("at"))
)
_REMOVE = statement(delete(activation).where(*_OF_MEMBERSHIP))
_OPEN_OF = statement(
    select(activation.c.id).where(*_OF_MEMBERSHIP, *_OPEN).order_by(activation.c.id.desc()).limit(1)
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation whose token can still be used."""

    id: UUID
    organization: UUID
    membership: UUID


class Activations:
    """Invitations, of whatever organization: the token is all that is known at first."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, made: Invitation, token: bytes, expires_at: datetime) -> None:
        """Keep the hash of an invitation's token."""
        await self._tx.run(
            _ADD,
            id=made.id,
            inviter=made.organization,
            membership=made.membership,
            token_hash=token,
            expires_at=expires_at,
        )

    async def find(self, token: bytes, at: datetime) -> Invitation | None:
        """The invitation of a token that is neither used nor too old."""
        row = await self._tx.one(_FIND, token_hash=token, at=at)
        return Invitation(*row) if row else None

    async def use(self, key: UUID, at: datetime) -> bool:
        """Use an invitation up. False: somebody did, or it is too old."""
        return bool(await self._tx.run(_USE, key=key, at=at))

    async def cancel(self, membership: UUID, at: datetime) -> None:
        """Let no token of a membership of the organization be used any more."""
        await self._tx.run(_CANCEL, membership=membership, at=at)

    async def remove(self, membership: UUID) -> None:
        """Delete the invitations to a membership of the organization, used or not."""
        await self._tx.run(_REMOVE, membership=membership)

    async def open_of(self, membership: UUID, at: datetime) -> UUID | None:
        """The id of the invitation to a membership of the organization that can still be used."""
        row = await self._tx.one(_OPEN_OF, membership=membership, at=at)
        return row.id if row else None

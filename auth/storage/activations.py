"""Rows of invitations: who may set a first password, once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from auth.storage.tables import activation
from core.database import Transaction, statement

_ADD = statement(insert(activation))
_FIND = statement(
    select(activation.c.id, activation.c.user_id).where(
        activation.c.token_hash == bindparam("token_hash"),
        activation.c.used_at.is_(None),
        activation.c.expires_at > bindparam("at"),
    )
)
_USE = statement(
    update(activation)
    .where(
        activation.c.id == bindparam("key"),
        activation.c.used_at.is_(None),
        activation.c.expires_at > bindparam("at"),
    )
    .values(used_at=bindparam("at"))
)
_OPEN = statement(
    select(activation.c.id).where(
        activation.c.id == bindparam("id"),
        activation.c.used_at.is_(None),
        activation.c.expires_at > bindparam("at"),
    )
)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that can still be taken up."""

    id: UUID
    user: UUID


class Activations:
    """Invitations."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, key: UUID, user: UUID, token: bytes, expires_at: datetime) -> None:
        """Keep the hash of an invitation's token."""
        await self._tx.run(
            _ADD, id=key, user_id=user, token_hash=token, expires_at=expires_at, used_at=None
        )

    async def find(self, token: bytes, at: datetime) -> Invited | None:
        """The invitation of a token that is neither used nor too old."""
        row = await self._tx.one(_FIND, token_hash=token, at=at)
        return Invited(*row) if row else None

    async def use(self, key: UUID, at: datetime) -> bool:
        """Use an invitation up. False: somebody did, or it is too old."""
        return bool(await self._tx.run(_USE, key=key, at=at))

    async def is_open(self, key: UUID, at: datetime) -> bool:
        """Whether an invitation can still be taken up."""
        return await self._tx.one(_OPEN, id=key, at=at) is not None

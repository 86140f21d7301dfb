"""Rows of tokens that travel by mail: only their hashes, and what they bring along sealed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

from core.database import Transaction, sql

_TIME = TIMESTAMP(timezone=True)

_ADD = sql(
    """INSERT INTO mail_token
        (id, purpose, user_id, address, content, token_hash, created_at, expires_at, used_at)
    VALUES (:key, :purpose, :owner, :address, :content, :hash, :at, :expires_at, :used_at)""",
    key=Uuid,
    purpose=Text,
    owner=Uuid,
    address=LargeBinary,
    content=LargeBinary,
    hash=LargeBinary,
    at=_TIME,
    expires_at=_TIME,
    used_at=_TIME,
)
_FIND = sql(
    """SELECT id, purpose, user_id, address, content FROM mail_token
    WHERE token_hash = :hash AND used_at IS NULL AND expires_at > :at""",
    hash=LargeBinary,
    at=_TIME,
)
_NEWEST = sql(
    """SELECT id, purpose, user_id, address, content FROM mail_token
    WHERE address = :address AND purpose = :purpose AND used_at IS NULL AND expires_at > :at
    ORDER BY id DESC LIMIT 1""",
    address=LargeBinary,
    purpose=Text,
    at=_TIME,
)
# One row decides: of two calls with one token, one finds it used.
_USE = sql(
    """UPDATE mail_token SET used_at = :at
    WHERE id = :key AND used_at IS NULL AND expires_at > :at""",
    key=Uuid,
    at=_TIME,
)
_VOID_OF = sql(
    "UPDATE mail_token SET used_at = :at WHERE user_id = :owner AND used_at IS NULL",
    owner=Uuid,
    at=_TIME,
)
_FORGET = sql("DELETE FROM mail_token WHERE expires_at < :before", before=_TIME)


@dataclass(frozen=True, slots=True)
class Kept:
    """A token's row: `address` is a keyed digest, `content` is sealed."""

    id: UUID
    purpose: str
    user: UUID | None
    address: bytes
    content: bytes


class MailTokens:
    """Tokens of mails. They belong to no organization."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(
        self, kept: Kept, token: bytes, at: datetime, expires_at: datetime, *, usable: bool = True
    ) -> None:
        """Keep one by its hash. One that is not usable is made for the work of it alone."""
        await self._tx.run(
            _ADD,
            key=kept.id,
            purpose=kept.purpose,
            owner=kept.user,
            address=kept.address,
            content=kept.content,
            hash=token,
            at=at,
            expires_at=expires_at,
            used_at=None if usable else at,
        )

    async def find(self, token: bytes, at: datetime) -> Kept | None:
        """That of a token which is neither used nor too old."""
        row = await self._tx.one(_FIND, hash=token, at=at)
        return Kept(*row) if row else None

    async def newest(self, address: bytes, purpose: str, at: datetime) -> Kept | None:
        """The newest of an address that can still be used."""
        row = await self._tx.one(_NEWEST, address=address, purpose=purpose, at=at)
        return Kept(*row) if row else None

    async def use(self, key: UUID, at: datetime) -> bool:
        """Use one up. False: somebody did, or it is too old."""
        return bool(await self._tx.run(_USE, key=key, at=at))

    async def void_of(self, user: UUID, at: datetime) -> None:
        """Let none of an account be used any more."""
        await self._tx.run(_VOID_OF, owner=user, at=at)

    async def forget(self, before: datetime) -> None:
        """Delete those that have been too old since before then."""
        await self._tx.run(_FORGET, before=before)

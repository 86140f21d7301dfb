"""Rows of keys: those that sign access tokens, and those that refresh tokens derive from."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from auth.storage.tables import server_key, signing_key
from core.database import Transaction, statement

MOST_KEYS = 100  # that verify at one time; rotation leaves two

_ADD = statement(insert(signing_key))
_VERIFYING = statement(
    select(
        signing_key.c.kid,
        signing_key.c.public_key,
        signing_key.c.wrapped_key,
        signing_key.c.state,
        signing_key.c.signs_from,
        signing_key.c.not_after,
    )
    .where(
        signing_key.c.state != "revoked",
        or_(signing_key.c.not_after.is_(None), signing_key.c.not_after > bindparam("at")),
    )
    .order_by(signing_key.c.signs_from.desc(), signing_key.c.kid)
    .limit(MOST_KEYS)
)
_CHANGE = statement(
    update(signing_key)
    .where(signing_key.c.kid == bindparam("key"))
    .values(state=bindparam("state"), not_after=bindparam("not_after"))
)
_ADD_SERVER_KEY = statement(insert_or(server_key).on_conflict_do_nothing())
_SERVER_KEY = statement(
    select(server_key.c.wrapped_key).where(server_key.c.purpose == bindparam("purpose"))
)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs access tokens, or did; its private half is wrapped."""

    kid: str
    public_key: bytes
    wrapped_key: bytes
    state: str
    signs_from: datetime
    not_after: datetime | None


class Keys:
    """What tokens are made with."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, made: SigningKey) -> None:
        """Keep a new signing key."""
        await self._tx.run(
            _ADD,
            kid=made.kid,
            public_key=made.public_key,
            wrapped_key=made.wrapped_key,
            state=made.state,
            signs_from=made.signs_from,
            not_after=made.not_after,
        )

    async def verifying(self, at: datetime) -> list[SigningKey]:
        """The keys whose tokens are accepted, the one that signs last first."""
        rows = await self._tx.all(_VERIFYING, at=at)
        return [SigningKey(*row) for row in rows]

    async def change(self, kid: str, state: str, not_after: datetime | None) -> None:
        """Retire or revoke a key."""
        await self._tx.run(_CHANGE, key=kid, state=state, not_after=not_after)

    async def server_key(self, purpose: str, fresh: bytes) -> bytes:
        """The wrapped key of a purpose; `fresh` becomes it where there is none yet."""
        await self._tx.run(_ADD_SERVER_KEY, purpose=purpose, wrapped_key=fresh)
        row = await self._tx.one(_SERVER_KEY, purpose=purpose)
        if row is None:
            raise LookupError(f"no key for {purpose} although it was just made")
        return bytes(row.wrapped_key)

"""Rows of what was done with people's accounts, for themselves to see."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

from auth.domain.accounts import Activity
from core import clock, identity
from core.database import Transaction, sql
from core.ids import new_id

_TIME = TIMESTAMP(timezone=True)

_ADD = sql(
    """INSERT INTO account_activity (id, user_id, act, occurred_at, outcome, peer, by_others)
    VALUES (:key, :owner, :act, :at, :outcome, :peer, :by_others)""",
    key=Uuid,
    owner=Uuid,
    act=Text,
    at=_TIME,
    outcome=Text,
    peer=Text,
    by_others=Boolean,
)
_PAGE = sql(
    """SELECT id, user_id, act, occurred_at, outcome, peer, by_others FROM account_activity
    WHERE user_id = :owner AND (:before IS NULL OR id < :before)
        AND (:act = '' OR act = :act)
        AND (:start IS NULL OR occurred_at >= :start)
        AND (:end IS NULL OR occurred_at < :end)
    ORDER BY id DESC LIMIT :limit""",
    owner=Uuid,
    before=Uuid,
    act=Text,
    start=_TIME,
    end=_TIME,
    limit=Integer,
)
_FORGET = sql("DELETE FROM account_activity WHERE occurred_at < :before", before=_TIME)
_ERASE = sql("DELETE FROM account_activity WHERE user_id = :owner", owner=Uuid)


class Activities:
    """What was done with accounts."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, user: UUID, act: str, outcome: str, *, by_others: bool) -> None:
        """Add what the transaction does, or what its call tried; it travels with the commit."""
        try:
            peer = identity.call().peer
        except LookupError:
            peer = ""
        self._tx.soon(
            _ADD,
            key=new_id(),
            owner=user,
            act=act,
            at=clock.now(),
            outcome=outcome,
            peer=peer,
            by_others=by_others,
        )

    async def page(
        self,
        user: UUID,
        key: tuple[object, ...],
        limit: int,
        *,
        act: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> list[Activity]:
        """A person's, newest first, after the key of the page before."""
        rows = await self._tx.all(
            _PAGE,
            owner=user,
            before=key[0] if key else None,
            act=act,
            start=start,
            end=end,
            limit=limit,
        )
        return [Activity(*row) for row in rows]

    async def erase(self, user: UUID) -> None:
        """Delete a person's."""
        await self._tx.run(_ERASE, owner=user)

    async def forget(self, before: datetime) -> None:
        """Delete what is older."""
        await self._tx.run(_FORGET, before=before)

"""The queue of requests to work on: taken up by one worker at a time, kept until done."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Interval, Uuid, bindparam, delete, insert, text, update
from sqlalchemy.dialects.postgresql import TIMESTAMP

from compliance.domain.access_requests import MOST_ATTEMPTS
from compliance.storage.tables import access_work
from core.database import Transaction, statement

ACCESS, ERASURE, RESTRICTION = "ACCESS", "ERASURE", "RESTRICTION"
"""What a request asks for."""

_WORK = access_work.c
_LEASE = bindparam("lease", type_=Interval)
_MINE = (
    _WORK.request_id == bindparam("of_request", type_=Uuid),
    _WORK.attempt == bindparam("of_attempt", type_=Integer),
)
_ADD = statement(
    insert(access_work).values(
        organization_id=bindparam("organization_id"),
        request_id=bindparam("request_id"),
        kind=bindparam("kind"),
        attempt=0,
        due_at=text("now()"),
        leased_until=text("now()"),
    )
)
# The clock is the database's, which all servers share.
_CLAIM = statement(
    text("""
        UPDATE access_work SET attempt = attempt + 1, leased_until = now() + :lease
        WHERE request_id = (
            SELECT request_id FROM access_work
            WHERE due_at <= now() AND leased_until <= now() AND attempt < :most
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING organization_id, request_id, attempt, kind
    """).bindparams(_LEASE, bindparam("most", type_=Integer))
)
_HOLD = statement(
    update(access_work).where(*_MINE).values(leased_until=text("now() + :lease").bindparams(_LEASE))
)
_PUT_OFF = statement(
    update(access_work)
    .where(*_MINE)
    .values(due_at=bindparam("until", type_=TIMESTAMP(timezone=True)), leased_until=text("now()"))
)
_AT_ONCE = statement(
    update(access_work)
    .where(_WORK.request_id == bindparam("of_request", type_=Uuid))
    .values(due_at=text("now()"))
)
_DONE = statement(delete(access_work).where(*_MINE))


class Overtaken(Exception):
    """Another worker has taken the request up: this one was taken for dead, and writes no more."""


class Work(NamedTuple):
    """A request taken up, and which attempt this is."""

    organization: UUID
    request: UUID
    attempt: int
    kind: str = ACCESS


class AccessWork:
    """The queue. It belongs to no organization; only a request taken up leads into one."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, request: UUID, kind: str = ACCESS) -> None:
        """Have a request of the organization worked on, as soon as may be."""
        await self._tx.run(_ADD, request_id=request, kind=kind)

    async def again(self, request: UUID, kind: str) -> None:
        """The same of one that may be in the queue already: it is not waited for any more."""
        if not await self._tx.run(_AT_ONCE, of_request=request):
            await self.add(request, kind)

    async def claim(self, lease: timedelta) -> Work | None:
        """Take up the request that has been due longest; None when nothing is due."""
        row = await self._tx.one(_CLAIM, lease=lease, most=MOST_ATTEMPTS)
        return None if row is None else Work(*row)

    async def hold(self, work: Work, lease: timedelta) -> None:
        """Go on with it; its row is locked until the transaction ends. Raises Overtaken."""
        _must_be_ours(await self._tx.run(_HOLD, **_mine(work), lease=lease))

    async def put_off(self, work: Work, until: datetime) -> None:
        """Leave it until then. Raises Overtaken."""
        _must_be_ours(await self._tx.run(_PUT_OFF, **_mine(work), until=until))

    async def done(self, work: Work) -> None:
        """There is nothing more to do for it. Raises Overtaken."""
        _must_be_ours(await self._tx.run(_DONE, **_mine(work)))


def _must_be_ours(touched: int) -> None:
    if not touched:
        raise Overtaken


def _mine(work: Work) -> dict[str, object]:
    return {"of_request": work.request, "of_attempt": work.attempt}

"""One call's transaction: the tenant and the audit context are set before anything else runs.

The settings travel with the first statement, so that BEGIN, the settings and the statement
take one round trip together; what nobody waits for travels with the next one, or with COMMIT.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from core.database import request_keys
from core.database.connections import DROP_PLANS, REPLAN_AFTER, PooledConnection
from core.database.context import (
    LONGEST_LOCK_WAIT,
    PLATFORM,
    encode_context,
    seconds_left,
)
from core.database.dialogue import Asked, encoded
from core.database.failures import OutcomeUnknown, is_disconnection, translate
from core.database.request_keys import Earlier
from core.database.statements import Row, Statement, sql, statement
from core.errors import RequestIdReused
from core.identity import Call

STREAM_STEP = 200  # rows fetched at a time by `stream`: one reply message's worth
MOST_AT_ONCE = 1000  # sets of values one `run_many` takes

_BEGIN = Asked(b"BEGIN")
_COMMIT = Asked(b"COMMIT")
_DROP_PLANS = Asked(DROP_PLANS)
_SEE_RESTRICTED = Asked(b"SELECT set_config('medhub.sees_restricted', 'on', true)")
_READ_ONLY = Asked(b"SELECT set_config('transaction_read_only', 'on', true)")
_SETTINGS = sql(
    """SELECT set_config('medhub.organization', :organization, true),
    set_config('medhub.subject', :subject, true), set_config('medhub.context', :context, true),
    set_config('statement_timeout', :statement, true), set_config('lock_timeout', :lock, true)""",
    organization=Text,
    subject=Text,
    context=Text,
    statement=Text,
    lock=Text,
)

_RECORD_ACT = statement(
    text("SELECT medhub.record_act(:act, :subject, :subject_kind, :resource, :detail)").bindparams(
        bindparam("act", type_=Text),
        bindparam("subject", type_=Uuid),
        bindparam("subject_kind", type_=Text),
        bindparam("resource", type_=Text),
        bindparam("detail", type_=JSONB),
    )
)


def _milliseconds(seconds: float) -> str:
    return str(max(1, int(seconds * 1000)))


class Transaction:
    """What a storage layer works with inside `Database.begin()`."""

    def __init__(self, connection: PooledConnection, call: Call, *, read_only: bool) -> None:
        self._connection = connection
        self._call = call
        self._read_only = read_only
        self._begun = False
        self._claimed = False
        self._unsent: list[Asked] = []
        self.lost = False

    @property
    def organization(self) -> UUID | None:
        """The tenant of this transaction."""
        return self._call.caller.organization

    @property
    def subject(self) -> UUID | None:
        """Who acts in it."""
        return self._call.caller.subject

    @property
    def call(self) -> Call:
        """The call that it serves."""
        return self._call

    async def one(self, stmt: Statement, /, **params: Any) -> Row | None:
        """The only row, or None. More than one is a fault in the statement."""
        rows = await self.all(stmt, **params)
        if len(rows) > 1:
            raise LookupError(f"{len(rows)} rows where one was meant: {stmt!r}")
        return rows[0] if rows else None

    async def all(self, stmt: Statement, /, **params: Any) -> list[Row]:
        """All rows, in the order the statement gives them. The statement has a limit."""
        result = await self._execute(stmt, params)
        return self._connection.dialogue.rows(stmt, result)

    async def run(self, stmt: Statement, /, **params: Any) -> int:
        """Run a statement for its effect; the number of rows it touched."""
        return (await self._execute(stmt, params)).command_tuples or 0

    def soon(self, stmt: Statement, /, **params: Any) -> None:
        """Run a statement whose result nobody needs, in one trip with the next one or the commit.

        What it raises is raised there.
        """
        self._unsent.append(Asked(stmt, stmt.arguments(params, self.organization)))

    async def run_many(self, stmt: Statement, sets: Sequence[Mapping[str, Any]], /) -> None:
        """Run one statement for each set of values, all in one round trip."""
        if len(sets) > MOST_AT_ONCE:
            raise ValueError(f"at most {MOST_AT_ONCE} sets of values at once")
        if sets:
            await self._ask([Asked(stmt, stmt.arguments(one, self.organization)) for one in sets])

    async def stream(
        self, stmt: Statement, /, *, size: int = STREAM_STEP, **params: Any
    ) -> AsyncGenerator[Row]:
        """The rows of a long result, held on the server and fetched `size` at a time."""
        values = stmt.arguments(params, self.organization)
        if self._unsent or not self._begun:
            await self._ask([])
        try:
            cursor = psycopg.AsyncRawServerCursor(
                self._connection, "medhub_stream", row_factory=stmt.row_factory
            )
            try:
                await cursor.execute(stmt.sql, values)
                while batch := await cursor.fetchmany(size):
                    for row in batch:
                        yield row
            finally:
                try:
                    await cursor.close()
                finally:
                    # Where that was interrupted, the server's part ends with the transaction.
                    await psycopg.AsyncCursor.close(cursor)
        except psycopg.Error as error:
            raise self._failed(error) from error

    async def first_try(self) -> Earlier | None:
        """What an earlier call with this request_id made; None when this one is to do the work.

        Two calls with one request_id take turns here. Raises RequestIdReused when the earlier
        request asked for something else. After None, `remember` says what was made.
        """
        if not self._call.request_id:
            return None
        key = self._request_key()
        while not await self.run(request_keys.CLAIM, **key, request_hash=self._call.request_hash):
            found = await self.one(request_keys.FIND, **key)
            if found is None:
                continue  # Purged between the two statements; claim it again.
            if found.request_hash != self._call.request_hash:
                raise RequestIdReused
            return Earlier(found.name, found.revision)
        self._claimed = True
        return None

    async def remember(self, name: str, revision: int) -> None:
        """Say what this request made, for those who repeat it. Nothing without a request_id."""
        if self._claimed:
            self.soon(request_keys.FINISH, **self._request_key(), name=name, revision=revision)
            self._claimed = False

    async def record_act(
        self,
        act: str,
        *,
        subject: UUID | None = None,
        subject_kind: str = "",
        resource: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Write an audit event for what is no change of a row: a log-in, a destroyed key."""
        self.soon(
            _RECORD_ACT,
            act=act,
            subject=subject,
            subject_kind=subject_kind,
            resource=resource,
            detail=None if detail is None else dict(detail),
        )

    async def commit(self) -> None:
        """Make it last (Database does this). Raises OutcomeUnknown when the answer was lost."""
        if self._claimed:
            raise RuntimeError("first_try() found a new request and nobody remembered its result")
        if self._connection.info.transaction_status == TransactionStatus.INERROR:
            # PostgreSQL would answer this COMMIT with a rollback, and without an error.
            raise RuntimeError("a statement of this transaction failed; it cannot be committed")
        if not self._begun and not self._unsent:
            return
        try:
            await self._ask([_COMMIT])
        except Exception as failure:
            if self.lost:
                raise OutcomeUnknown from failure
            raise

    def _request_key(self) -> dict[str, object]:
        return {
            "organization": self.organization or PLATFORM,
            "caller": self.subject or PLATFORM,
            "method": self._call.method,
            "request_id": self._call.request_id,
        }

    def _opening(self) -> list[Asked]:
        """What a transaction begins with."""
        left = seconds_left(self._call)
        caller = self._call.caller
        settings = (
            caller.organization_text,
            caller.subject_text,
            encode_context(self._call),
            _milliseconds(left),
            _milliseconds(min(left, LONGEST_LOCK_WAIT)),
        )
        opening = [_BEGIN, Asked(_SETTINGS, settings)]
        now = asyncio.get_running_loop().time()
        if now - self._connection.planned_at > REPLAN_AFTER:
            self._connection.planned_at = now
            opening.insert(0, _DROP_PLANS)
        if self._read_only:
            opening.append(_READ_ONLY)
        if self._call.sees_restricted:
            opening.append(_SEE_RESTRICTED)
        return opening

    async def _execute(self, stmt: Statement, params: Mapping[str, Any]) -> PGresult:
        [result] = await self._ask([Asked(stmt, stmt.arguments(params, self.organization))])
        return result

    async def _ask(self, asked: Sequence[Asked]) -> list[PGresult]:
        """The results of these, behind what has not been sent yet."""
        connection = self._connection
        async with connection.lock:  # psycopg's own, which its cursors take too
            before = [*([] if self._begun else self._opening()), *self._unsent]
            trip = encoded([*before, *asked])
            self._begun, self._unsent = True, []
            try:
                results = await connection.dialogue.ask(trip, connection.patience)
            except psycopg.Error as error:
                raise self._failed(error) from error
        return results[len(before) :]

    def _failed(self, error: psycopg.Error) -> Exception:
        self.lost = self.lost or self._connection.closed or is_disconnection(error)
        return translate(error)

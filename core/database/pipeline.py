"""Single-key reads on a shared connection.

Many calls are in flight on one connection. Each sends three things: the tenant
(`set_config(…, true)`), its prepared SELECT, and a Sync; so each is one implicit transaction
and takes one round trip. The setting ends with its own transaction: no call can read with the
tenant of another. An error ends at its Sync and stays in its own request. What begins in one turn
of the event loop leaves in one write.

A slow read delays its neighbours, so the server stops each after MOST_TIME; none is ever
cancelled, for a cancel would hit whichever statement runs by then. A caller that goes away
leaves its answer to be dropped.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGresult

from core import identity
from core.database.connections import DROP_PLANS, REPLAN_AFTER, connect
from core.database.context import seconds_left
from core.database.encoding import encode
from core.database.failures import RETRY_LATER, is_stale_plan, translate
from core.database.statements import Row, Statement
from core.database.syncing import queue_sync
from core.errors import Unavailable

MOST_TIME = 0.25  # seconds for one statement, held by the server
MOST_IN_FLIGHT = 1000  # reads under way on one connection; more are refused, not queued
MOST_TOGETHER = 32  # reads in one write: the server begins with these while more are queued
GIVE_UP = 1.0  # seconds without an answer: the server or the way to it is gone
FIRST_PAUSE = 0.05  # seconds before the first attempt to connect again, doubled each time
LONGEST_PAUSE = 1.0  # seconds
LOOK_EVERY = 0.05  # seconds between two looks for reads that have waited too long

# A generic plan: planning anew costs more than a read by key. Nothing writes here.
_SESSION = (
    f"-c statement_timeout={int(MOST_TIME * 1000)} -c default_transaction_read_only=on "
    "-c plan_cache_mode=force_generic_plan"
)
_SET_TENANT = b"""SELECT set_config('medhub.organization', $1, true),
    set_config('medhub.subject', $2, true)"""

_PATIENCE = MOST_TIME + LOOK_EVERY  # seconds until a caller is told that time ran out


class _Request:
    """One read under way: whom to answer, and what has come back so far."""

    __slots__ = ("answer", "error", "name", "preparing", "result", "sent_at", "stmt")

    def __init__(self, stmt: Statement, answer: asyncio.Future[list[Row]]) -> None:
        self.stmt = stmt
        self.answer = answer
        self.name = b""
        self.sent_at = time.monotonic()
        self.preparing: deque[bytes | Statement] = deque()
        self.result: PGresult | None = None
        self.error: psycopg.Error | None = None


class _Wire:
    """One connection in pipeline mode. It is thrown away at the first sign of trouble."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], lost: Callable[[], None]) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._lost = lost
        self._waiting: deque[_Request] = deque()
        self._names: dict[bytes | Statement, bytes] = {}
        # How rows are made, by the name of the prepared statement, whose columns never change.
        self._makers: dict[bytes, Callable[[Sequence[Any]], Row]] = {}
        self._made = 0
        self._planned_at = time.monotonic()
        self._socket = self._pg.socket
        # One for all results: it remembers how each type of value is read.
        self._transformer = Transformer(connection)
        self._flushing = False
        self._gathered = 0
        self._look: asyncio.TimerHandle | None = None
        self.alive = True
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    @property
    def in_flight(self) -> int:
        return len(self._waiting)

    def send(
        self, stmt: Statement, tenant: list[bytes | None], values: list[bytes | None]
    ) -> asyncio.Future[list[Row]]:
        """Put one read on its way; the future holds its rows or its error."""
        request = _Request(stmt, self._loop.create_future())
        try:
            if request.sent_at - self._planned_at > REPLAN_AFTER:
                self._drop_plans(stmt)
            setting = self._names.get(_SET_TENANT) or self._prepare(_SET_TENANT, request)
            name = request.name = self._names.get(stmt) or self._prepare(stmt, request)
            self._pg.send_query_prepared(setting, tenant)
            self._pg.send_query_prepared(name, values, stmt.formats, pq.Format.BINARY)
            queue_sync(self._pg)
        except psycopg.OperationalError as error:
            self.break_off(error)
            raise translate(error) from error
        self._waiting.append(request)
        self._gathered += 1
        if self._gathered == 1:
            self._loop.call_soon(self._leave)
        elif self._gathered % MOST_TOGETHER == 0:
            self._flush()
        if self._look is None:
            self._look = self._loop.call_later(LOOK_EVERY, self._look_round)
        return request.answer

    def _drop_plans(self, stmt: Statement) -> None:
        """Have each statement planned anew at its next use; nobody waits for the answer."""
        dropping = _Request(stmt, self._loop.create_future())
        dropping.answer.cancel()
        self._planned_at = dropping.sent_at
        self._pg.send_query_params(DROP_PLANS, None)
        queue_sync(self._pg)
        self._waiting.append(dropping)

    def _prepare(self, key: bytes | Statement, request: _Request) -> bytes:
        """Prepare on first use, in the same write. Each attempt has a name of its own."""
        self._made += 1
        name = self._names[key] = b"medhub_%d" % self._made
        self._pg.send_prepare(name, key if isinstance(key, bytes) else key.sql)
        request.preparing.append(key)
        return name

    def _leave(self) -> None:
        """Write what has gathered in this turn of the loop."""
        self._gathered = 0
        if self.alive:
            self._flush()

    def _flush(self) -> None:
        """Write what libpq still holds; wait for the socket when it does not take all."""
        try:
            unwritten = bool(self._pg.flush())
        except psycopg.OperationalError as error:
            self.break_off(error)
            return
        if unwritten and not self._flushing:
            self._loop.add_writer(self._socket, self._flush)
        elif self._flushing and not unwritten:
            self._loop.remove_writer(self._socket)
        self._flushing = unwritten

    def _read(self) -> None:
        try:
            self._pg.consume_input()
            while self._waiting and not self._pg.is_busy():
                result = self._pg.get_result()
                if result is not None:
                    self._take(result)
        except psycopg.OperationalError as error:
            self.break_off(error)

    def _take(self, result: PGresult) -> None:
        """One result of the oldest request: of a PREPARE, the tenant, the SELECT or the Sync."""
        request = self._waiting[0]
        match result.status:
            case pq.ExecStatus.TUPLES_OK:
                request.result = result  # The SELECT's comes after the tenant's and stays.
            case pq.ExecStatus.COMMAND_OK if request.preparing:
                request.preparing.popleft()
            case pq.ExecStatus.PIPELINE_SYNC:
                self._waiting.popleft()
                self._answer(request)
            case pq.ExecStatus.FATAL_ERROR:
                request.error = error_from_result(result)

    def _answer(self, request: _Request) -> None:
        for key in request.preparing:  # Not prepared after all: the next request tries again.
            self._names.pop(key, None)
        if request.error is not None and is_stale_plan(request.error):
            self._makers.pop(self._names.pop(request.stmt, b""), None)
        if request.answer.done():
            return  # The caller has gone, or was told that time ran out.
        if request.error is not None:
            request.answer.set_exception(translate(request.error))
            return
        try:
            request.answer.set_result(self._rows(request))
        except Exception as error:  # noqa: BLE001 - a value that cannot be read is its call's fault alone
            request.answer.set_exception(error)

    def _rows(self, request: _Request) -> list[Row]:
        result = request.result
        if result is None or not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        try:
            make = self._makers.get(request.name)
            if make is None:
                make = self._makers[request.name] = request.stmt.row_maker(result)
            return self._transformer.load_rows(0, result.ntuples, make)
        finally:
            self._transformer.set_pgresult(None)

    def _look_round(self) -> None:
        """Tell those who have waited too long; give up a connection that is silent.

        What has arrived is read first: it is not late because the event loop was busy.
        """
        self._look = None
        self._read()
        if not self.alive:
            return
        now = time.monotonic()
        for request in self._waiting:
            if now - request.sent_at < _PATIENCE:
                break
            if not request.answer.done():
                request.answer.set_exception(Unavailable(retry_after=RETRY_LATER))
        if self._waiting and now - self._waiting[0].sent_at > GIVE_UP:
            self.break_off(psycopg.OperationalError("no answer"))
        elif self._waiting:
            self._look = self._loop.call_later(LOOK_EVERY, self._look_round)

    def break_off(self, error: psycopg.Error) -> None:
        """End this connection and fail what is under way on it."""
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        if self._look is not None:
            self._look.cancel()
        self._pg.finish()
        waiting, self._waiting = self._waiting, deque()
        for request in waiting:
            if not request.answer.done():
                request.answer.set_exception(translate(error))
        self._lost()


class Reads:
    """The shared connections, and the task that keeps them connected."""

    def __init__(self, url: str, connections: int) -> None:
        self._url = url
        self._wanted = connections
        self._wires: list[_Wire] = []
        self._missing = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start connecting; wait for the first attempt, whatever comes of it."""
        with contextlib.suppress(psycopg.Error):
            await self._fill()
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Break off; reads under way answer Unavailable."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for wire in self._wires:
            wire.break_off(psycopg.OperationalError("closed"))
        self._wires = []

    async def one(self, stmt: Statement, /, **params: Any) -> Row | None:
        """The only row, or None, read with the tenant of the call in progress.

        Raises Unavailable when the database is away or too busy, DeadlineExceeded when the
        read took longer than MOST_TIME.
        """
        rows = await self._ask(stmt, params)
        if len(rows) > 1:
            raise LookupError(f"{len(rows)} rows where one was meant: {stmt!r}")
        return rows[0] if rows else None

    async def all(self, stmt: Statement, /, **params: Any) -> list[Row]:
        """A few rows of one key. Whatever is long or searches takes a transaction instead."""
        return await self._ask(stmt, params)

    def _ask(self, stmt: Statement, params: dict[str, Any]) -> asyncio.Future[list[Row]]:
        call = identity.call()
        if call.deadline is not None:
            seconds_left(call)
        caller = call.caller
        values = stmt.arguments(params, caller.organization)
        tenant: list[bytes | None] = [
            caller.organization_text.encode(),
            caller.subject_text.encode(),
        ]
        return self._wire().send(stmt, tenant, encode(values, stmt.binary))

    def _wire(self) -> _Wire:
        """The least loaded connection. Raises Unavailable."""
        wire = min(self._wires, key=_load, default=None)
        if wire is None or not wire.alive or wire.in_flight >= MOST_IN_FLIGHT:
            raise Unavailable(retry_after=RETRY_LATER)
        return wire

    def _on_loss(self) -> None:
        self._wires = [wire for wire in self._wires if wire.alive]
        self._missing.set()

    async def _keep(self) -> None:
        """Replace lost connections for as long as the process lives."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._fill()
                self._missing.clear()
                await self._missing.wait()
                pause = FIRST_PAUSE
            except psycopg.Error:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _fill(self) -> None:
        while len(self._wires) < self._wanted:
            connection = await connect(self._url, _SESSION)
            self._wires.append(_Wire(connection, self._on_loss))


def _load(wire: _Wire) -> int:
    return wire.in_flight

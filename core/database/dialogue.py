"""Statements over a connection of the pool: several travel together, each prepared once.

psycopg's cursors find out the types of values, and make tasks and timers for each wait, at every
statement: most of what a transaction costs. Here the statement says all that
(`core/database/statements.py`), and a trip is one write, one wait and one Sync at its end: what
follows a statement that fails is not run.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGconn, PGresult

from core.database.encoding import encode
from core.database.failures import is_unprepared
from core.database.statements import Row, Statement

# Seconds that a call which has ended waits for a server to stop: half of what its answer needs to
# reach the caller in time (core.rpc.around). Past it the connection is given up.
GIVE_UP = 0.1
# Seconds between two looks at a connection that is waited for: uvloop stops listening, and says
# nothing, when a write has met a peer that is gone.
LOOK_EVERY = 0.1


class Asked(NamedTuple):
    """A statement with its values in order; or a command, which has none."""

    stmt: Statement | bytes
    values: Sequence[Any] = ()


Encoded: TypeAlias = tuple[Statement | bytes, list[bytes | None]]
"""A statement, and its values as they are sent."""


def encoded(asked: Sequence[Asked]) -> list[Encoded]:
    """Statements that are ready to be sent. A value that is refused has changed nothing."""
    return [
        (stmt, [] if isinstance(stmt, bytes) else encode(values, stmt.binary))
        for stmt, values in asked
    ]


class Dialogue:
    """What is said over one connection, and which statements it has prepared."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._names: dict[Statement, bytes] = {}
        self._made = 0
        # One for all results: it remembers how each type of value is read.
        self._transformer = Transformer(connection)

    async def ask(self, asked: Sequence[Encoded], patience: float) -> list[PGresult]:
        """The result of each, in order. Raises psycopg.Error: that of the first that failed.

        A server that has not answered all within `patience`, in seconds, is let go of.
        """
        trip = _Trip(self._pg)
        self._pg.enter_pipeline_mode()
        try:
            for stmt, values in asked:
                self._send(trip, stmt, values)
            self._pg.pipeline_sync()
        except psycopg.Error:
            self._pg.finish()  # Half of it may be on its way.
            raise
        try:
            await self._there_and_back(trip, patience)
        finally:
            self._arrive(trip)
        if trip.error is not None:
            raise trip.error
        return trip.results

    def rows(self, stmt: Statement, result: PGresult) -> list[Row]:
        """The rows of a result of this statement."""
        if not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        try:
            return self._transformer.load_rows(0, result.ntuples, stmt.row_maker(result))
        finally:
            self._transformer.set_pgresult(None)

    def _send(self, trip: "_Trip", stmt: Statement | bytes, values: list[bytes | None]) -> None:
        if isinstance(stmt, bytes):
            self._pg.send_query_params(stmt, None)
        else:
            name = self._names.get(stmt) or self._prepare(trip, stmt)
            self._pg.send_query_prepared(name, values, stmt.formats, pq.Format.BINARY)
        trip.expected.append(None)

    def _prepare(self, trip: "_Trip", stmt: Statement) -> bytes:
        """Prepare on first use, in the same write. Each attempt has a name of its own."""
        self._made += 1
        name = self._names[stmt] = b"medhub_%d" % self._made
        self._pg.send_prepare(name, stmt.sql)
        trip.expected.append(stmt)
        return name

    async def _there_and_back(self, trip: "_Trip", patience: float) -> None:
        trip.start(patience)
        try:
            await trip.done
        except asyncio.CancelledError:
            if not trip.ended:
                await self._stop(trip)
            raise

    async def _stop(self, trip: "_Trip") -> None:
        """Have the server end what is under way; let go of it when it has not after GIVE_UP."""
        try:
            async with asyncio.timeout(GIVE_UP):
                await self._connection.cancel_safe(timeout=GIVE_UP)
                await trip.end()
        except (psycopg.Error, TimeoutError):
            trip.lose(psycopg.OperationalError("no answer"))
        except BaseException:
            trip.lose(psycopg.OperationalError("no answer"))
            raise

    def _arrive(self, trip: "_Trip") -> None:
        """Leave the connection as psycopg knows it, and remember what is prepared."""
        trip.stop()
        if trip.ended:
            self._pg.exit_pipeline_mode()
        for stmt in trip.unprepared:
            self._names.pop(stmt, None)
        if trip.error is not None and is_unprepared(trip.error):
            self._names.clear()


class _Trip:
    """One write, and what comes back until its Sync."""

    def __init__(self, pg: PGconn) -> None:
        self._pg = pg
        self._socket = pg.socket
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._until = 0.0
        # What the results are of: a statement that is prepared, or None.
        self.expected: deque[Statement | None] = deque()
        self.results: list[PGresult] = []
        self.error: psycopg.Error | None = None
        self.ended = False
        self.unprepared: list[Statement] = []
        self.done: asyncio.Future[None] = self._loop.create_future()

    def start(self, patience: float) -> None:
        """Write, and listen; for so long, in seconds."""
        self._until = self._loop.time() + patience
        self._timer = self._loop.call_later(min(LOOK_EVERY, patience), self._look)
        self._loop.add_reader(self._socket, self._read)
        self._flush()

    async def end(self) -> None:
        """Wait for the end, for somebody who was cut off while waiting for it."""
        self.done = self._loop.create_future()
        if not self.ended:
            await self.done

    def stop(self) -> None:
        """Listen no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self.unprepared.extend(stmt for stmt in self.expected if stmt is not None)

    def lose(self, error: psycopg.Error) -> None:
        """Let the connection go."""
        # The number of a socket that is closed may be another one's at once.
        self.stop()
        self._pg.finish()
        self.ended = False  # A connection that is closed has no pipeline to leave.
        self.error = self.error or error
        self._tell()

    def _look(self) -> None:
        """Read without being called; let go of a server that is silent for too long."""
        self._read()  # What has arrived is not late because the event loop was busy.
        if self.ended or self._timer is None:
            return
        left = self._until - self._loop.time()
        if left <= 0:
            self.lose(psycopg.OperationalError("no answer"))
        else:
            self._timer = self._loop.call_later(min(LOOK_EVERY, left), self._look)

    def _flush(self) -> None:
        """Write what libpq still holds; go on when the socket takes more."""
        try:
            unwritten = bool(self._pg.flush())
        except psycopg.OperationalError as error:
            self.lose(error)
            return
        if unwritten:
            self._loop.add_writer(self._socket, self._flush)
        else:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            self._pg.consume_input()
            while not self.ended and not self._pg.is_busy():
                result = self._pg.get_result()
                if result is not None:
                    self._take(result)
                elif self._pg.status == pq.ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection is lost")
        except psycopg.OperationalError as error:
            self.lose(error)

    def _take(self, result: PGresult) -> None:
        """One result: of a statement that is prepared, of one that is run, or of the Sync."""
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            self.ended = True
            self._tell()
            return
        prepared = self.expected.popleft() if self.expected else None
        match result.status:
            case pq.ExecStatus.FATAL_ERROR:
                self.error = self.error or error_from_result(result)
            case pq.ExecStatus.COMMAND_OK | pq.ExecStatus.TUPLES_OK:
                if prepared is None:
                    self.results.append(result)
                return
        if prepared is not None:
            self.unprepared.append(prepared)

    def _tell(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

"""A service's database: pooled connections for transactions, a shared pipeline for reads."""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from core import identity
from core.database.connections import (
    CONNECT_TIMEOUT,
    LONGEST_SILENCE,
    PooledConnection,
    connection_options,
)
from core.database.dialogue import GIVE_UP, Dialogue
from core.database.failures import translate
from core.database.pipeline import Reads
from core.database.pulse import Pulse
from core.database.room import Room
from core.database.settings import DatabaseSettings
from core.database.transaction import Transaction

LONGEST_POOL_WAIT = 1.0  # seconds for a free connection; past it the service is too busy
# Calls that wait for one: as many searches and writes as core.rpc.admission lets in together, so
# that a busy server answers OVERLOADED there and not UNAVAILABLE here.
LONGEST_POOL_QUEUE = 384
RECONNECT_FOR = 5.0  # seconds of attempts in a row; the next call that waits starts new ones


async def _configure(connection: PooledConnection) -> None:
    connection.planned_at = asyncio.get_running_loop().time()
    # psycopg drops every prepared statement of a connection on which it has prepared one itself.
    connection.prepare_threshold = None
    connection.dialogue = Dialogue(connection)


class Database:
    """Opens transactions as the app role. One per process and service."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._url = settings.app_url.get_secret_value()
        self._pool: AsyncConnectionPool[PooledConnection] = AsyncConnectionPool(
            self._url,
            min_size=settings.pool_size,
            timeout=LONGEST_POOL_WAIT,
            max_waiting=LONGEST_POOL_QUEUE,
            reconnect_timeout=RECONNECT_FOR,
            connection_class=PooledConnection,
            kwargs=connection_options(),
            configure=_configure,
            open=False,
            name="medhub",
        )
        self.reads = Reads(self._url, settings.read_connections)
        self.room = Room(self._pool)
        self._pulse = Pulse(self._url)
        self._busy: set[asyncio.Task[Any] | None] = set()
        self._sweep: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the app role connects (it holds the password)."""
        return self._url

    async def open(self) -> None:
        """Start connecting. A server that is away does not keep the process from starting."""
        await self._pool.open(wait=False)
        await self.reads.open()

    async def close(self) -> None:
        """Give all connections back."""
        await self.reads.close()
        await self.room.close()
        self._pulse.close()
        if self._sweep is not None:
            self._sweep.cancel()
        await self._pool.close(timeout=CONNECT_TIMEOUT)

    async def healthy(self) -> bool:
        """Whether PostgreSQL answers; not whether a connection of the pool is free."""
        if await self._pulse.beats():
            return True
        self.room.doubt()
        return False

    def begin(self, *, read_only: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """A transaction of the call in progress: committed when the block ends well.

        Raises Unavailable, DeadlineExceeded, OutcomeUnknown and ConstraintViolated. One call has
        one transaction: a second one inside the first is a fault in the program.
        """
        return _Begun(self, identity.call(), read_only)

    def begin_as(self, call: identity.Call) -> AbstractAsyncContextManager[Transaction]:
        """A transaction of work that no call asked for; `call` says who does it and why."""
        return _Begun(self, call, False)

    async def acquire(self) -> PooledConnection:
        """A connection from the pool, for this task alone."""
        task = asyncio.current_task()
        if task in self._busy:
            raise RuntimeError("this task is already in a transaction")
        try:
            connection = await self._pool.getconn()
        except (psycopg.Error, PoolTimeout, TooManyRequests, PoolClosed) as error:
            raise translate(error) from error
        self._busy.add(task)
        return connection

    async def release(self, connection: PooledConnection, *, lost: bool) -> None:
        """Take a connection back. When one was lost, the others are looked at too."""
        self._busy.discard(asyncio.current_task())
        # One that is cut off while it gives a connection back would lose it to the pool for good.
        await asyncio.shield(self._pool.putconn(connection))
        if lost and (self._sweep is None or self._sweep.done()):
            self._sweep = asyncio.create_task(self._pool.check())


class _Begun:
    """The life of one transaction: a connection, then commit or rollback, and back."""

    __slots__ = ("_call", "_connection", "_database", "_read_only", "_transaction")

    def __init__(self, database: Database, call: identity.Call, read_only: bool) -> None:
        self._database = database
        self._call = call
        self._read_only = read_only

    async def __aenter__(self) -> Transaction:
        self._connection = await self._database.acquire()
        self._transaction = Transaction(self._connection, self._call, read_only=self._read_only)
        return self._transaction

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        committed = False
        try:
            if kind is None:
                await self._transaction.commit()
                committed = True
        finally:
            try:
                if not committed:
                    await self._roll_back(hurried=kind is asyncio.CancelledError)
            finally:
                await self._database.release(self._connection, lost=self._transaction.lost)

    async def _roll_back(self, *, hurried: bool) -> None:
        """Undo. The caller of a call that was cut off is answered now, whatever the server does."""
        self._connection.patience = GIVE_UP if hurried else LONGEST_SILENCE
        try:
            await self._connection.rollback()
        except psycopg.Error:
            # The server has rolled back by itself; the pool replaces the connection.
            self._transaction.lost = True
        finally:
            self._connection.patience = LONGEST_SILENCE

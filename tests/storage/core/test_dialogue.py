"""Trips: statements that travel together, and what travels in them."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import Boolean, Interval, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY

from core.database import ConstraintViolated, Database
from core.database.connections import PooledConnection
from core.database.statements import sql
from core.errors import Unavailable
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage import patients

_ECHO = sql(
    "SELECT :some AS some, CAST(:life AS interval) AS life, :text AS text, :flags AS flags",
    some=ARRAY(LargeBinary),
    life=Interval,
    text=Text,
    flags=ARRAY(Boolean),
)
# Far more than the buffers of a socket hold.
_LONG = 4 * 1024 * 1024


async def test_what_nobody_waits_for_travels_with_the_commit(db: Database) -> None:
    """It is there afterwards, with no statement behind it."""
    as_caller(organization=new_id())
    rows = [new_id() for _ in range(3)]

    async with db.begin() as tx:
        for row in rows:
            tx.soon(patients.ADD, id=row, name="Curie")

    async with db.begin() as tx:
        assert await tx.one(patients.COUNT) == (3,)


async def test_what_nobody_waits_for_is_seen_by_the_next_statement(db: Database) -> None:
    """They are run in their order."""
    as_caller(organization=new_id())

    async with db.begin() as tx:
        tx.soon(patients.ADD, id=new_id(), name="Curie")
        tx.soon(patients.RENAME_ALL)

        assert await tx.all(patients.LIST, limit=10) == [("Curie!",)]


async def test_what_fails_on_the_way_undoes_everything(db: Database) -> None:
    """With the commit as with the next statement, which is not run."""
    as_caller(organization=new_id())
    row = new_id()

    async def at_the_commit() -> None:
        async with db.begin() as tx:
            await tx.run(patients.ADD, id=row, name="Curie")
            tx.soon(patients.ADD, id=row, name="Joliot")

    async def before_another() -> None:
        async with db.begin() as tx:
            tx.soon(patients.ADD, id=row, name="Curie")
            tx.soon(patients.ADD, id=row, name="Joliot")
            await tx.all(patients.COUNT)

    for twice in (at_the_commit, before_another):
        with pytest.raises(ConstraintViolated):
            await twice()
        async with db.begin() as tx:
            assert await tx.one(patients.COUNT) == (0,)


async def test_values_come_back_as_they_went(db: Database) -> None:
    """Bytes in lists, lengths of time, and a text that no buffer takes at once."""
    as_caller(organization=new_id())
    sent = {
        "some": [b"", b"\x00\\\"{}'\xff"],
        "life": timedelta(days=1, milliseconds=1500),
        "text": "é" * _LONG,
        "flags": [True, False],
    }

    async with db.begin() as tx:
        [row] = await tx.all(_ECHO, **sent)

    assert row._asdict() == sent


async def test_a_text_with_nul_is_refused_and_nothing_is_lost(db: Database) -> None:
    """libpq would end it there. Nothing is sent, and what waited to be sent still waits."""
    organization = new_id()
    as_caller(organization=organization)

    async with db.begin() as tx:
        tx.soon(patients.ADD, id=new_id(), name="Curie")
        with pytest.raises(psycopg.DataError):
            await tx.run(patients.ADD, id=new_id(), name="Cur\x00ie")
        assert await tx.one(patients.TENANT) == (str(organization),)

    async with db.begin() as tx:
        assert await tx.one(patients.COUNT) == (1,)


@pytest.mark.parametrize(
    "length",
    [timedelta(microseconds=50), timedelta(days=400_000, microseconds=1), -timedelta(seconds=1.5)],
)
async def test_a_length_of_time_is_exact(db: Database, length: timedelta) -> None:
    """From microseconds to ages."""
    as_caller(organization=new_id())

    async with db.begin() as tx:
        [row] = await tx.all(_ECHO, some=[], life=length, text="", flags=[])

    assert row.life == length


async def test_two_who_share_a_transaction_take_turns(db: Database) -> None:
    """A trip ends before the next one begins, a stream that was given up included."""
    organization = new_id()
    as_caller(organization=organization)

    async with db.begin() as tx:
        await tx.run_many(patients.ADD, [{"id": new_id(), "name": str(n)} for n in range(50)])
        told, counted = await asyncio.gather(tx.one(patients.TENANT), tx.one(patients.COUNT))
        async for _ in tx.stream(patients.LIST, size=5, limit=50):
            break
        await asyncio.sleep(0)
        again = await tx.one(patients.COUNT)

    assert told == (str(organization),)
    assert counted == again == (50,)


async def test_who_is_cut_off_is_told_that_whatever_the_server_does(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement ends by itself while it is being stopped, and stopping it fails."""
    as_caller(organization=new_id())

    async def fails(self: object, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        await asyncio.sleep(0.05)
        raise psycopg.errors.CancellationTimeout("no answer")

    monkeypatch.setattr(psycopg.AsyncConnection, "cancel_safe", fails)

    async def work() -> None:
        async with db.begin() as tx:
            await tx.one(patients.COUNT)
            await tx.all(patients.SLEEP, seconds=0.03)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_cut_off_as_it_ends_gives_its_connection_back(
    ward: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool has it again, however long that takes."""
    as_caller(organization=new_id())
    giving = asyncio.Event()

    async def work(db: Database) -> None:
        async with db.begin() as tx:
            await tx.one(patients.COUNT)

    async with ward.open(pool_size=1) as db:
        give = db._pool.putconn

        async def slowly(connection: PooledConnection) -> None:
            giving.set()
            await asyncio.sleep(0.05)
            await give(connection)

        monkeypatch.setattr(db._pool, "putconn", slowly)
        task = asyncio.create_task(work(db))
        await giving.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await work(db)


async def test_a_statement_outlives_a_change_of_its_table(
    db: Database, ward: ServiceDatabase
) -> None:
    """One that a migration has made stale is refused once on each connection, and prepared anew."""
    as_caller(organization=new_id())
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
        await tx.one(patients.GET, id=row)
    ward.rows("ALTER TABLE patient ADD COLUMN note text, ALTER COLUMN name TYPE varchar(99)")

    refused = 0
    for _ in range(20):
        try:
            async with db.begin() as tx:
                found = await tx.one(patients.GET, id=row)
        except Unavailable:
            refused += 1
        else:
            assert found == (row, "Curie")

    assert refused <= 4


async def test_what_psycopg_does_beside_it_takes_no_statement_away(ward: ServiceDatabase) -> None:
    """The proofs of room run its own statements, time and again, and so does a rollback."""
    as_caller(organization=new_id())
    async with ward.open(pool_size=1) as db:
        async with db.begin() as tx:
            await tx.one(patients.COUNT)
        for _ in range(8):
            db.room.doubt()
            assert await db.room.is_there()
        with pytest.raises(ConstraintViolated):
            await _add_twice(db)

        async with db.begin() as tx:
            assert await tx.one(patients.COUNT) == (0,)


async def test_statements_that_are_gone_are_prepared_anew(ward: ServiceDatabase) -> None:
    """Whoever meets that is told to come again, and is answered then."""
    as_caller(organization=new_id())
    async with ward.open(pool_size=1) as db:
        async with db.begin() as tx:
            await tx.one(patients.COUNT)
        connection = await db.acquire()
        await connection.execute("DEALLOCATE ALL")
        await connection.commit()
        await db.release(connection, lost=False)

        with pytest.raises(Unavailable):
            async with db.begin() as tx:
                await tx.one(patients.COUNT)
        async with db.begin() as tx:
            assert await tx.one(patients.COUNT) == (0,)


async def test_an_answer_is_found_without_being_called(db: Database) -> None:
    """uvloop listens no more to a peer that was gone when something was written to it."""
    as_caller(organization=new_id())
    async with db.begin() as tx:
        await tx.one(patients.COUNT)
        socket = tx._connection.pgconn.socket
        waiting = asyncio.create_task(tx.all(patients.SLEEP, seconds=0.3))
        await asyncio.sleep(0.1)

        asyncio.get_running_loop().remove_reader(socket)

        assert await asyncio.wait_for(waiting, 60)


async def _add_twice(db: Database) -> None:
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
        await tx.run(patients.ADD, id=row, name="Joliot")

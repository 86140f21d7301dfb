"""Trips: statements that travel together, and what travels in them."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import Boolean, Interval, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY

from core.database import ConstraintViolated, Database
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


async def test_a_text_with_nul_is_refused_and_not_cut_off(db: Database) -> None:
    """libpq would end it there. Nothing is sent, and the transaction goes on."""
    as_caller(organization=new_id())

    async with db.begin() as tx:
        with pytest.raises(psycopg.DataError):
            await tx.run(patients.ADD, id=new_id(), name="Cur\x00ie")
        assert await tx.one(patients.COUNT) == (0,)


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

        assert await asyncio.wait_for(waiting, 5.0)


async def _add_twice(db: Database) -> None:
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
        await tx.run(patients.ADD, id=row, name="Joliot")

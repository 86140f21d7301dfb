"""The shared read pipeline: many tenants on one connection, each in its own transaction."""

import asyncio
import ctypes
import random

import pytest
from psycopg.errors import DivisionByZero

from core.database import Database, pipeline, syncing
from core.errors import DeadlineExceeded, Unavailable
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage import patients

REQUESTS = 2000
ERRORS = 118
TOGETHER = 50  # three reads each: far below what a busy machine answers within a read's patience


async def test_tenants_do_not_mix_among_errors(db: Database) -> None:
    """2,000 interleaved reads of 10 tenants, 118 of them failing, each get their own answer."""
    tenants = [new_id() for _ in range(10)]
    rows = {}
    for tenant in tenants:
        as_caller(organization=tenant)
        rows[tenant] = new_id()
        async with db.begin() as tx:
            await tx.run(patients.ADD, id=rows[tenant], name=f"of {tenant}")
    order = random.Random(1)
    failing = set(order.sample(range(REQUESTS), ERRORS))

    async def ask(number: int) -> str:
        tenant, other = order.sample(tenants, 2)
        as_caller(organization=tenant)
        if number in failing:
            with pytest.raises(DivisionByZero):
                await db.reads.one(patients.DIVIDE, x=1, y=0)
            return "failed"
        foreign, own, said = await asyncio.gather(
            db.reads.one(patients.GET, id=rows[other]),
            db.reads.one(patients.GET, id=rows[tenant]),
            db.reads.one(patients.TENANT),
        )
        assert foreign is None
        assert own == (rows[tenant], f"of {tenant}")
        assert said == (str(tenant),)
        return "answered"

    outcomes: list[str] = []
    for start in range(0, REQUESTS, TOGETHER):
        batch = (asyncio.create_task(ask(n)) for n in range(start, start + TOGETHER))
        outcomes += await asyncio.gather(*batch)

    assert outcomes.count("failed") == ERRORS
    assert outcomes.count("answered") == REQUESTS - ERRORS


async def test_a_slow_read_ends_and_its_neighbours_are_served(db: Database) -> None:
    """The server stops a read after a quarter of a second; the next one is answered."""
    as_caller(organization=new_id())

    slow, quick = await asyncio.gather(
        db.reads.one(patients.SLEEP, seconds=5),
        db.reads.one(patients.COUNT),
        return_exceptions=True,
    )

    assert isinstance(slow, DeadlineExceeded)
    assert quick == (0,)


async def test_a_caller_that_leaves_does_not_disturb_the_others(db: Database) -> None:
    """A cancelled read's answer is dropped, and the answers behind it stay in place."""
    as_caller(organization=new_id())
    left = asyncio.ensure_future(db.reads.one(patients.DIVIDE, x=6, y=2))
    await asyncio.sleep(0)
    left.cancel()

    others = await asyncio.gather(*(db.reads.one(patients.DIVIDE, x=n, y=1) for n in range(20)))

    assert [row.result for row in others if row] == list(range(20))


async def test_reads_write_nothing(db: Database, ward: ServiceDatabase) -> None:
    """The shared connection is read-only."""
    as_caller(organization=new_id())

    with pytest.raises(Exception, match="read-only"):
        await db.reads.all(patients.ADD, id=new_id(), name="Curie")


async def test_a_statement_survives_a_migration(db: Database, ward: ServiceDatabase) -> None:
    """A plan that no longer fits its table costs at most one refused call."""
    as_caller(organization=new_id())
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
    await db.reads.one(patients.GET_WHOLE, id=row)

    with ward.owner() as connection:
        connection.execute("ALTER TABLE patient ALTER COLUMN revision TYPE bigint")

    with pytest.raises(Unavailable):
        await db.reads.one(patients.GET_WHOLE, id=row)
    whole = await db.reads.one(patients.GET_WHOLE, id=row)
    assert whole is not None
    assert whole.name == "Curie"


async def test_a_lost_connection_is_replaced(db: Database, ward: ServiceDatabase) -> None:
    """Reads under way are refused, and reads after it are served on a new connection."""
    as_caller(organization=new_id())
    await db.reads.one(patients.COUNT)

    waiting = asyncio.ensure_future(db.reads.one(patients.SLEEP, seconds=0.2))
    await asyncio.sleep(0.05)
    ward.cut()

    with pytest.raises(Unavailable):
        await waiting
    for _ in range(30):
        await asyncio.sleep(0.05)
        try:
            assert await db.reads.one(patients.COUNT) == (0,)
            return
        except Unavailable:
            continue
    pytest.fail("no new connection within 1.5 seconds")


async def test_too_many_reads_are_refused_at_once(db: Database) -> None:
    """The number of reads in flight is bounded; what comes on top is asked to come back."""
    as_caller(organization=new_id())

    async def count() -> object:
        return await db.reads.one(patients.COUNT)

    await count()
    reads = [asyncio.create_task(count()) for _ in range(1200)]
    await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED)
    # The first answers may have come in the same turn.
    refused = [read for read in reads if read.done() and read.exception() is not None]
    outcomes = await asyncio.gather(*reads, return_exceptions=True)

    assert len(refused) == 200
    assert all(isinstance(read.exception(), Unavailable) for read in refused)
    assert (0,) in outcomes


async def test_plans_are_renewed_between_reads(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropping the plans in the middle of the traffic disturbs no answer."""
    monkeypatch.setattr("core.database.pipeline.REPLAN_AFTER", 0.0)
    monkeypatch.setattr("core.database.transaction.REPLAN_AFTER", 0.0)
    as_caller(organization=new_id())

    answers = await asyncio.gather(*(db.reads.one(patients.DIVIDE, x=n, y=1) for n in range(50)))
    for _ in range(3):
        async with db.begin() as tx:
            assert await tx.one(patients.COUNT) == (0,)

    assert [row.result for row in answers if row] == list(range(50))


async def test_reads_of_one_turn_leave_in_one_write(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty reads that begin together are written to the socket together."""
    as_caller(organization=new_id())
    await db.reads.one(patients.DIVIDE, x=1, y=1)
    writes: list[pipeline._Wire] = []
    leave = pipeline._Wire._leave

    def counted(wire: pipeline._Wire) -> None:
        writes.append(wire)
        leave(wire)

    monkeypatch.setattr(pipeline._Wire, "_leave", counted)

    asked = [asyncio.ensure_future(db.reads.one(patients.DIVIDE, x=n, y=1)) for n in range(20)]
    rows = await asyncio.gather(*asked)

    assert [row.result for row in rows if row] == list(range(20))
    assert len(writes) == len(set(writes))


async def test_an_older_libpq_sends_each_sync_by_itself(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a Sync that waits, errors stay apart as well."""

    def without(*_: object) -> object:
        raise OSError

    monkeypatch.setattr(ctypes, "PyDLL", without)
    monkeypatch.setattr(pipeline, "queue_sync", syncing._found())
    as_caller(organization=new_id())

    good, bad, last = await asyncio.gather(
        db.reads.one(patients.DIVIDE, x=6, y=2),
        db.reads.one(patients.DIVIDE, x=1, y=0),
        db.reads.one(patients.DIVIDE, x=8, y=2),
        return_exceptions=True,
    )

    assert (good, last) == ((3,), (4,))
    assert isinstance(bad, DivisionByZero)

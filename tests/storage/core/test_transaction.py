"""Transactions: what lasts, what is refused, and in which words."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from core import identity
from core.database import ConstraintViolated, Database, DatabaseSettings, OutcomeUnknown
from core.database.outbox import Outbox
from core.errors import DeadlineExceeded, Unavailable
from core.ids import new_id
from tests.support.plans import plan_of
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage import patients


@asynccontextmanager
async def opened(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """A database with settings of the test's own."""
    db = Database(settings)
    await db.open()
    try:
        yield db
    finally:
        await db.close()


async def hold(db: Database, seconds: float) -> None:
    """Keep a connection busy."""
    async with db.begin() as tx:
        await tx.all(patients.SLEEP, seconds=seconds)


async def test_what_is_committed_is_read_again(db: Database) -> None:
    """A row written in one transaction is there in the next, with its types."""
    as_caller(organization=new_id())
    row = new_id()
    written = {
        "id": row,
        "name": "Curie",
        "number": None,
        "pin": None,
        "ins": b"\x00\x01",
        "ins_index": b"index",
        "extra": {"a": [1, None, "é"]},
        "tags": ["a", 'b"c,\\d'],
    }

    async with db.begin() as tx:
        await tx.run(patients.ADD_WHOLE, **written)

    async with db.begin(read_only=True) as tx:
        read = await tx.one(patients.GET_WHOLE, id=row)
    assert read is not None
    assert written.items() <= read._asdict().items()
    assert read.created_at.tzinfo is not None
    assert abs((datetime.now(UTC) - read.created_at).total_seconds()) < 60
    assert await db.reads.one(patients.GET_WHOLE, id=row) == read


async def test_an_exception_undoes_everything(db: Database, ward: ServiceDatabase) -> None:
    """When the block ends badly, neither rows nor audit events remain."""
    as_caller(organization=new_id())

    async def add_and_fail() -> None:
        async with db.begin() as tx:
            await tx.run(patients.ADD, id=new_id(), name="Curie")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await add_and_fail()

    assert ward.rows("SELECT 1 FROM patient UNION ALL SELECT 1 FROM medhub.audit_outbox") == []


async def test_a_broken_constraint_is_named(db: Database) -> None:
    """A unique violation says which constraint, so that storage can say what it means."""
    as_caller(organization=new_id())
    row = new_id()

    async def add_twice() -> None:
        async with db.begin() as tx:
            await tx.run(patients.ADD, id=row, name="Curie")
            await tx.run(patients.ADD, id=row, name="Curie")

    with pytest.raises(ConstraintViolated) as raised:
        await add_twice()

    assert raised.value.name == "pk_patient"


async def test_one_bad_row_of_many_undoes_all(db: Database, ward: ServiceDatabase) -> None:
    """Values sent together fail together, with the constraint's name."""
    as_caller(organization=new_id())
    rows = [{"id": new_id(), "name": f"P{n}"} for n in range(200)]

    async def add_all() -> None:
        async with db.begin() as tx:
            await tx.run_many(patients.ADD, [*rows, rows[7]])

    with pytest.raises(ConstraintViolated, match="pk_patient"):
        await add_all()

    assert ward.rows("SELECT 1 FROM patient") == []


async def test_values_of_every_kind_are_understood(db: Database) -> None:
    """Lists, empty ones too, and the members of an enumeration travel as what they are."""
    as_caller(organization=new_id())
    row = new_id()

    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name=identity.Kind.USER)
        assert await tx.all(patients.SOME, ids=[row, new_id()]) == [("user",)]
        assert await tx.all(patients.SOME, ids=[]) == []
    assert await db.reads.all(patients.SOME, ids=[row]) == [("user",)]
    assert await db.reads.all(patients.SOME, ids=[]) == []
    assert "Seq Scan" not in await plan_of(db, patients.GET, id=row)


async def test_a_failed_transaction_cannot_be_committed(db: Database) -> None:
    """Swallowing a statement's error does not turn a rollback into a success."""
    as_caller(organization=new_id())
    row = new_id()

    async def add_twice_and_swallow() -> None:
        async with db.begin() as tx:
            await tx.run(patients.ADD, id=row, name="Curie")
            with pytest.raises(ConstraintViolated):
                await tx.run(patients.ADD, id=row, name="Curie")

    with pytest.raises(RuntimeError):
        await add_twice_and_swallow()


async def test_a_second_transaction_inside_the_first_is_a_fault(db: Database) -> None:
    """One call has one transaction."""
    as_caller(organization=new_id())

    async with db.begin():
        with pytest.raises(RuntimeError):
            await db.begin().__aenter__()


async def test_a_read_only_transaction_writes_nothing(db: Database) -> None:
    """A list cannot change what it lists."""
    as_caller(organization=new_id())

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        async with db.begin(read_only=True) as tx:
            await tx.run(patients.ADD, id=new_id(), name="Curie")


async def test_a_statement_ends_with_its_call(db: Database) -> None:
    """The call's deadline ends a slow statement, and the caller learns that time ran out."""
    started = asyncio.get_running_loop().time()
    as_caller(organization=new_id(), deadline=started + 0.2)

    with pytest.raises(DeadlineExceeded):
        async with db.begin() as tx:
            await tx.all(patients.SLEEP, seconds=5)

    assert asyncio.get_running_loop().time() - started < 2


async def test_a_deadline_in_the_past_is_refused_at_once(db: Database) -> None:
    """Nothing is sent for a call whose time is over."""
    as_caller(organization=new_id(), deadline=asyncio.get_running_loop().time() - 1)

    with pytest.raises(DeadlineExceeded):
        async with db.begin() as tx:
            await tx.all(patients.COUNT)


async def test_a_full_pool_is_unavailable(ward: ServiceDatabase) -> None:
    """A call that finds no free connection in time is asked to come back; the server is well."""
    settings = ward.settings.model_copy(update={"pool_size": 1})
    async with opened(settings) as db:
        as_caller(organization=new_id())
        held = await asyncio.create_task(db.acquire())

        with pytest.raises(Unavailable) as raised:
            await db.begin().__aenter__()
        healthy = await db.healthy()

        assert raised.value.retry_after is not None
        assert healthy
        await db.release(held, lost=False)


async def test_a_cancelled_call_gives_its_connection_back(ward: ServiceDatabase) -> None:
    """A client that leaves in the middle leaves neither a lock nor a busy connection."""
    settings = ward.settings.model_copy(update={"pool_size": 1})
    async with opened(settings) as db:
        as_caller(organization=new_id())
        for seconds in (0.0, 0.02, 0.05, 0.1):
            leaving = asyncio.create_task(hold(db, 5))
            await asyncio.sleep(seconds)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving

        async with db.begin() as tx:
            assert await tx.one(patients.COUNT) == (0,)


async def test_a_row_held_by_another_call_is_unavailable_in_time(db: Database) -> None:
    """Waiting for a lock ends before the caller's patience does."""
    as_caller(organization=new_id())
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")

    async def rename() -> None:
        async with db.begin() as tx:
            await tx.run(patients.RENAME, key=row, name="Joliot")

    async with db.begin() as tx:
        await tx.one(patients.LOCK, id=row)
        with pytest.raises(Unavailable):
            await asyncio.create_task(rename())


async def test_two_calls_that_block_each_other_are_unavailable(db: Database) -> None:
    """Of a deadlock one call goes on, and the other is asked to come back soon."""
    as_caller(organization=new_id())
    first, second = new_id(), new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=first, name="A")
        await tx.run(patients.ADD, id=second, name="B")

    async def lock(*order: object) -> None:
        async with db.begin() as tx:
            for row in order:
                await tx.one(patients.LOCK, id=row)
                await asyncio.sleep(0.2)

    outcomes = await asyncio.gather(
        lock(first, second), lock(second, first), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes if outcome] == [Unavailable]


async def test_the_database_heals_after_its_connections_were_cut(
    db: Database, ward: ServiceDatabase
) -> None:
    """When the server drops every connection, calls are refused, then served again."""
    as_caller(organization=new_id())
    async with db.begin() as tx:
        await tx.all(patients.COUNT)

    async def both() -> None:
        async with db.begin() as tx:
            await tx.all(patients.COUNT)
        await db.reads.all(patients.COUNT)

    async def lose() -> None:
        async with db.begin() as tx:
            await tx.all(patients.COUNT)
            ward.cut()
            await tx.all(patients.COUNT)

    with pytest.raises(Unavailable):
        await lose()

    for _ in range(30):
        try:
            await both()
            break
        except Unavailable:
            await asyncio.sleep(0.1)
    for _ in range(20):
        await both()


async def test_a_commit_without_an_answer_is_unknown(db: Database, ward: ServiceDatabase) -> None:
    """A connection lost before the commit's answer is never reported as done."""
    as_caller(organization=new_id())

    async def lose() -> None:
        async with db.begin() as tx:
            await tx.run(patients.ADD, id=new_id(), name="Curie")
            ward.cut()

    with pytest.raises(OutcomeUnknown):
        await lose()


async def test_rows_are_streamed_in_steps(db: Database) -> None:
    """A long result arrives complete and in order, a step at a time."""
    as_caller(organization=new_id())
    names = [f"P{n:04}" for n in range(501)]

    async with db.begin() as tx:
        await tx.run_many(patients.ADD, [{"id": new_id(), "name": name} for name in names])
        read = [row.name async for row in tx.stream(patients.LIST, size=100, limit=1000)]

    assert read == names


async def test_a_stream_that_is_given_up_leaves_nothing_open(db: Database) -> None:
    """However often its reader is told to stop, the cursor ends and the connection goes on."""
    as_caller(organization=new_id())
    names = [{"id": new_id(), "name": f"P{n:04}"} for n in range(50)]
    reading = asyncio.Event()

    async def read() -> None:
        async with db.begin() as tx:
            await tx.run_many(patients.ADD, names)
            async with aclosing(tx.stream(patients.LIST, size=5, limit=1000)) as rows:
                async for _ in rows:
                    reading.set()
                    await asyncio.sleep(60)

    for _ in range(5):
        task = asyncio.create_task(read())
        await reading.wait()
        reading.clear()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})

    gc.collect()
    async with db.begin() as tx:
        assert [row async for row in tx.stream(patients.LIST, size=5, limit=1000)] == []


async def test_background_work_says_who_it_is(db: Database, ward: ServiceDatabase) -> None:
    """Work that no call asked for is audited in the name it gives."""
    tenant = new_id()
    call = identity.Call(
        method="ward.worker/Expire",
        caller=identity.Caller(kind=identity.Kind.SERVICE, organization=tenant),
    )

    async with db.begin_as(call) as tx:
        await tx.run(patients.ADD, id=new_id(), name="Curie")

    (event,) = ward.rows("SELECT organization_id, context FROM medhub.audit_outbox")
    assert event["organization_id"] == tenant
    assert event["context"]["actor_kind"] == "service"
    assert event["context"]["method"] == "ward.worker/Expire"


async def test_a_server_that_is_away_makes_calls_unavailable() -> None:
    """A process starts without its database, and refuses calls until it is there."""
    nowhere = DatabaseSettings.model_validate(
        {"app_url": "host=/nonexistent dbname=x", "page_key": bytes(32), "pool_size": 1}
    )
    async with opened(nowhere) as db:
        as_caller(organization=new_id())

        with pytest.raises(Unavailable):
            await db.begin().__aenter__()
        with pytest.raises(Unavailable):
            await db.reads.one(patients.GET, id=new_id())
        assert not await db.healthy()

    with pytest.raises(Unavailable):
        await Outbox("host=/nonexistent dbname=x").open()

"""A server that is there and says nothing keeps nobody waiting."""

import asyncio

import pytest

from core.database import Database, OutcomeUnknown
from core.database.connections import PooledConnection
from core.database.transaction import Transaction
from core.errors import Unavailable
from core.ids import new_id
from tests.support.frozen import OWN_BACKEND, Ice, ice
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage import patients

# Far more than an end takes, and less than psycopg waits for the end of a cancelled statement.
CEILING = 4.0


async def _freeze(tx: Transaction, cold: Ice) -> None:
    """Freeze the backend of a transaction."""
    row = await tx.one(OWN_BACKEND)
    assert row is not None
    cold.freeze(row.pid)


@pytest.mark.parametrize("asks", [True, False])
async def test_a_call_that_is_cut_off_does_not_wait_for_a_frozen_server(
    ward: ServiceDatabase, asks: bool
) -> None:
    """In a statement or between two: the task ends, and the pool has another connection."""
    as_caller(organization=new_id())
    frozen = asyncio.Event()

    async def work(db: Database, cold: Ice) -> None:
        async with db.begin() as tx:
            await _freeze(tx, cold)
            frozen.set()
            if asks:
                await tx.all(patients.COUNT)
            await asyncio.sleep(60)

    async with ward.open() as db:
        with ice() as cold:
            working = asyncio.create_task(work(db, cold))
            await frozen.wait()
            await asyncio.sleep(0.05)
            working.cancel()
            ended, _ = await asyncio.wait({working}, timeout=CEILING)

            assert ended
            assert working.cancelled()
            async with db.begin() as tx:
                assert await tx.one(patients.COUNT) == (0,)


async def test_a_silent_server_is_unavailable_and_a_silent_commit_unknown(
    db: Database, ward: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before a caller without a deadline would give up."""
    as_caller(organization=new_id())

    async def ask(cold: Ice) -> None:
        async with db.begin() as tx:
            await _freeze(tx, cold)
            monkeypatch.setattr(PooledConnection, "patience", 0.2)
            await tx.all(patients.COUNT)

    async def commit(cold: Ice) -> None:
        async with db.begin() as tx:
            await tx.run(patients.ADD, id=new_id(), name="Curie")
            await _freeze(tx, cold)
            monkeypatch.setattr(PooledConnection, "patience", 0.2)

    with ice() as cold, pytest.raises(Unavailable) as silent:
        await ask(cold)
    monkeypatch.undo()
    with ice() as cold, pytest.raises(OutcomeUnknown):
        await commit(cold)

    assert not isinstance(silent.value, OutcomeUnknown)
    assert silent.value.retry_after is not None

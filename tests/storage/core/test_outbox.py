"""The relay's side: numbers without gaps, and nothing skipped."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import psycopg
import pytest

from core.database import Database
from core.database.outbox import Outbox
from core.errors import Unavailable
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage import patients

CONTEXT = '{"actor":null,"actor_kind":"test","method":"m","action":"a","purpose":"p"}'


@pytest.fixture
async def outbox(ward: ServiceDatabase) -> AsyncIterator[Outbox]:
    """A relay that leads."""
    outbox = Outbox(ward.urls.relay)
    await outbox.open()
    assert await outbox.lead()
    yield outbox
    await outbox.close()


async def add(db: Database, tenant: UUID, name: str = "Curie") -> None:
    """One audited change."""
    as_caller(organization=tenant)
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=new_id(), name=name)


def writer(ward: ServiceDatabase, tenant: UUID) -> psycopg.Connection:
    """A transaction with one audited change, left open."""
    connection = psycopg.connect(ward.urls.app)
    connection.execute(
        "SELECT set_config('medhub.organization', %s, true), "
        "set_config('medhub.context', %s, true)",
        (str(tenant), CONTEXT),
    )
    connection.execute(
        "INSERT INTO patient (organization_id, id, name) VALUES (%s, gen_random_uuid(), 'late')",
        (tenant,),
    )
    return connection


async def leads_soon(outbox: Outbox) -> bool:
    """The lock of a relay that died is free as soon as the server has noticed."""
    for _ in range(50):
        if await outbox.lead():
            return True
        await asyncio.sleep(0.02)
    return False


async def test_numbers_are_gapless_for_each_organization(db: Database, outbox: Outbox) -> None:
    """Each tenant's records are numbered 1, 2, 3 … in the order they were written."""
    tenants = sorted(new_id() for _ in range(3))
    for n in range(12):
        await add(db, tenants[n % 3], f"P{n}")

    assert await outbox.number(5) == 5
    assert await outbox.number(100) == 7

    entries = await outbox.pending(100)
    numbered = [(e.organization_id, e.source_seq) for e in entries]
    assert numbered == [(tenant, n) for tenant in tenants for n in (1, 2, 3, 4)]
    of_first = [e.after["name"] for e in entries if e.organization_id == tenants[0] and e.after]
    assert of_first == ["P0", "P3", "P6", "P9"]


async def test_a_late_commit_is_not_skipped(
    db: Database, outbox: Outbox, ward: ServiceDatabase
) -> None:
    """A transaction that began first and commits last still gets its number and is sent."""
    tenant = new_id()
    late = writer(ward, tenant)
    await add(db, tenant, "early")

    first = await outbox.take()
    await outbox.confirm(first)
    late.commit()
    late.close()
    second = await outbox.take()

    names = [entry.after and entry.after["name"] for entry in (*first, *second)]
    assert names == ["early", "late"]
    assert [entry.source_seq for entry in (*first, *second)] == [1, 2]


async def test_a_rolled_back_write_leaves_no_gap(
    db: Database, outbox: Outbox, ward: ServiceDatabase
) -> None:
    """What was never committed takes no number."""
    tenant = new_id()
    await add(db, tenant)
    undone = writer(ward, tenant)
    undone.rollback()
    undone.close()
    await add(db, tenant)

    entries = await outbox.take()

    assert [entry.source_seq for entry in entries] == [1, 2]


async def test_a_relay_killed_at_any_step_leaves_no_gap(
    db: Database, ward: ServiceDatabase
) -> None:
    """Leaders die before numbering, after it and before confirming; the next goes on."""
    tenant = new_id()
    seen: dict[int, UUID] = {}
    for step in range(6):
        await add(db, tenant)
        await add(db, tenant)
        outbox = Outbox(ward.urls.relay)
        await outbox.open()
        assert await leads_soon(outbox)
        if step % 3:
            for entry in await outbox.take():
                assert seen.setdefault(entry.source_seq, entry.id) == entry.id
        if step % 3 == 2:
            await outbox.confirm(await outbox.pending())
        ward.cut("relay")
        with pytest.raises(Unavailable):
            await outbox.number()
        await outbox.close()
    last = Outbox(ward.urls.relay)
    await last.open()
    assert await leads_soon(last)
    for entry in await last.take():
        seen[entry.source_seq] = entry.id
    await last.close()

    assert sorted(seen) == list(range(1, 13))
    assert len(set(seen.values())) == 12


async def test_numbering_cut_in_the_middle_is_undone_whole(
    db: Database, outbox: Outbox, ward: ServiceDatabase
) -> None:
    """A leader killed while it numbers leaves counter and records as they were."""
    tenant = new_id()
    await add(db, tenant)
    await outbox.confirm(await outbox.take())
    await add(db, tenant)
    with psycopg.connect(ward.admin_url) as blocker:
        blocker.execute("SELECT 1 FROM medhub.relay_counter FOR UPDATE")
        numbering = asyncio.ensure_future(outbox.number())
        await asyncio.sleep(0.2)
        ward.cut("relay")
        with pytest.raises(Unavailable):
            await numbering

    await outbox.open()
    assert await leads_soon(outbox)

    assert [entry.source_seq for entry in await outbox.take()] == [2]


async def test_one_relay_leads(ward: ServiceDatabase, outbox: Outbox) -> None:
    """A second relay waits until the first one's connection is gone."""
    second = Outbox(ward.urls.relay)
    await second.open()

    assert not await second.lead()
    with pytest.raises(RuntimeError):
        await second.number()
    await outbox.close()
    assert await leads_soon(second)

    await second.close()


async def test_a_write_ends_the_wait(db: Database, outbox: Outbox) -> None:
    """A relay that waits sees a commit soon; without one, the wait ends by itself."""
    assert not await outbox.wait(0.05)

    waiting = asyncio.ensure_future(outbox.wait(5))
    await asyncio.sleep(0.05)
    await asyncio.create_task(add(db, new_id()))

    assert await asyncio.wait_for(waiting, 60)


async def test_confirmed_records_are_gone(
    db: Database, outbox: Outbox, ward: ServiceDatabase
) -> None:
    """What compliance has is deleted, and nothing else."""
    tenant = new_id()
    for _ in range(3):
        await add(db, tenant)
    entries = await outbox.take(2)

    assert await outbox.confirm(entries) == 2
    assert await outbox.confirm(entries) == 0

    assert ward.rows("SELECT source_seq FROM medhub.audit_outbox") == [{"source_seq": None}]


async def test_a_relay_deletes_nothing_that_has_no_number(
    ward: ServiceDatabase, db: Database
) -> None:
    """A record that went without a number would leave no gap for anybody to notice."""
    await add(db, new_id())

    with psycopg.connect(ward.urls.relay, autocommit=True) as relay:
        gone = relay.execute("DELETE FROM medhub.audit_outbox").rowcount
        relay.execute("UPDATE medhub.audit_outbox SET source_seq = 7 WHERE source_seq IS NULL")
        renumbered = relay.execute("UPDATE medhub.audit_outbox SET source_seq = 8").rowcount

    assert (gone, renumbered) == (0, 0)
    assert ward.rows("SELECT source_seq FROM medhub.audit_outbox") == [{"source_seq": 7}]

"""Repeated requests do their work once (AIP-155)."""

import asyncio
from uuid import UUID

import pytest

from core import identity
from core.database import Database, Earlier
from core.database.request_keys import PURGE, RETENTION
from core.errors import RequestIdReused
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage import patients

METHOD = "medhub.ward.v1.PatientService/CreatePatient"


def call_again(tenant: UUID, subject: UUID, request_hash: bytes = b"same") -> identity.Call:
    """One request, as each of its repetitions arrives."""
    return as_caller(
        organization=tenant,
        subject=subject,
        method=METHOD,
        request_id="1b4e28ba",
        request_hash=request_hash,
    )


async def create(db: Database, *, pause: float = 0) -> tuple[str, bool]:
    """A servicer's shape: the patient's name, and whether this call made it."""
    async with db.begin() as tx:
        earlier = await tx.first_try()
        if earlier is not None:
            return earlier.name, False
        row = new_id()
        await tx.run(patients.ADD, id=row, name="Curie")
        await asyncio.sleep(pause)
        await tx.remember(f"patients/{row}", 1)
    return f"patients/{row}", True


async def test_a_repeat_finds_what_the_first_made(db: Database, ward: ServiceDatabase) -> None:
    """The same request_id with the same request makes one row."""
    tenant, subject = new_id(), new_id()
    call_again(tenant, subject)

    first, second = await create(db), await create(db)

    assert first[1]
    assert second == (first[0], False)
    assert ward.rows("SELECT count(*) AS many FROM patient") == [{"many": 1}]


async def test_twins_take_turns(db: Database, ward: ServiceDatabase) -> None:
    """Two calls at the same moment make one row and give one name."""
    call_again(new_id(), new_id())

    outcomes = await asyncio.gather(*(create(db, pause=0.1) for _ in range(4)))

    assert len({name for name, _ in outcomes}) == 1
    assert [made for _, made in outcomes].count(True) == 1
    assert ward.rows("SELECT count(*) AS many FROM patient") == [{"many": 1}]


async def test_another_request_under_the_same_id_is_refused(db: Database) -> None:
    """A request_id belongs to what it was first sent with."""
    tenant, subject = new_id(), new_id()
    call_again(tenant, subject)
    await create(db)

    call_again(tenant, subject, b"other")

    with pytest.raises(RequestIdReused):
        await create(db)


async def test_a_failed_try_leaves_the_id_free(db: Database) -> None:
    """The key is undone with the work, so the next try does it."""
    call_again(new_id(), new_id())

    async def fail() -> None:
        async with db.begin() as tx:
            await tx.first_try()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert (await create(db))[1]


async def test_callers_and_tenants_do_not_meet(db: Database) -> None:
    """The same request_id of another caller or tenant is another request."""
    tenant, subject = new_id(), new_id()
    made = []
    for organization, caller in ((tenant, subject), (tenant, new_id()), (new_id(), subject)):
        call_again(organization, caller)
        made.append((await create(db))[1])

    assert made == [True, True, True]


async def test_a_forgotten_result_is_a_fault(db: Database) -> None:
    """Work under a request_id that nobody remembered is not committed."""
    call_again(new_id(), new_id())

    async def forget() -> None:
        async with db.begin() as tx:
            await tx.first_try()

    with pytest.raises(RuntimeError):
        await forget()


async def test_without_a_request_id_nothing_is_kept(db: Database, ward: ServiceDatabase) -> None:
    """A caller that sends no request_id gets its work done each time."""
    as_caller(organization=new_id(), method=METHOD)

    assert [(await create(db))[1] for _ in range(2)] == [True, True]
    assert ward.rows("SELECT 1 FROM medhub.request_key") == []


async def test_old_keys_are_purged(db: Database, ward: ServiceDatabase) -> None:
    """What is older than the retention goes, what is younger stays."""
    call_again(new_id(), new_id())
    name, _ = await create(db)
    async with db.begin() as tx:
        assert await tx.one(PURGE, age=RETENTION) == (0,)
    async with db.begin() as tx:
        assert await tx.first_try() == Earlier(name, 1)
    ward.rows("UPDATE medhub.request_key SET created_at = now() - interval '25 hours'")

    async with db.begin() as tx:
        purged = await tx.one(PURGE, age=RETENTION)

    assert purged == (1,)

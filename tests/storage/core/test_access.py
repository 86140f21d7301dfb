"""Access records: durable when `record` returns, in groups, and never silently lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.database import Database, access
from core.database.access import MOST_WAITING, AccessRecord, AccessRecorder
from core.errors import Unavailable
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller

COUNT = "SELECT count(*) AS many, count(DISTINCT xmin::text) AS flushes FROM medhub.audit_outbox"


@pytest.fixture
async def recorder(db: Database) -> AsyncIterator[AccessRecorder]:
    """An open recorder."""
    recorder = AccessRecorder(db)
    await recorder.open()
    yield recorder
    await recorder.close()


async def test_a_record_is_durable_when_it_returns(
    recorder: AccessRecorder, ward: ServiceDatabase
) -> None:
    """One event for each subject, with who, what, why and when."""
    call = as_caller(organization=new_id(), action="ward.patients.list")
    one, two = new_id(), new_id()

    await recorder.record(
        [
            AccessRecord(
                call=call,
                subjects=(one, two),
                subject_kind="patient",
                entity="patient",
                operation="list",
                detail={"categories": ["identity"], "outcome": "OK"},
            ),
            AccessRecord(call=call, kind="refusal", resource="patients/x"),
        ]
    )

    rows = ward.rows("SELECT * FROM medhub.audit_outbox ORDER BY seq")
    assert [row["subject"] for row in rows] == [one, two, None]
    assert [row["kind"] for row in rows] == ["access", "access", "refusal"]
    assert {row["organization_id"] for row in rows} == {call.caller.organization}
    assert rows[0]["context"]["action"] == "ward.patients.list"
    assert rows[0]["after"] == {"categories": ["identity"], "outcome": "OK"}
    assert rows[0]["id"].version == 7


async def test_many_calls_share_few_flushes(
    recorder: AccessRecorder, ward: ServiceDatabase
) -> None:
    """500 calls of many tenants at once need a handful of commits."""

    async def one_call() -> None:
        await recorder.record([AccessRecord(call=as_caller(organization=new_id()))])

    await asyncio.gather(*(asyncio.create_task(one_call()) for _ in range(500)))

    (counted,) = ward.rows(COUNT)
    assert counted["many"] == 500
    assert counted["flushes"] <= 5


async def test_a_busy_service_gathers_records_before_it_flushes(
    db: Database, ward: ServiceDatabase
) -> None:
    """While many calls are in progress, those that end one after the other share a commit."""
    recorder = AccessRecorder(db, lambda: 100)
    await recorder.open()
    await recorder.record([AccessRecord(call=as_caller(organization=new_id()))])
    before = ward.rows(COUNT)[0]

    async def one_call() -> None:
        await recorder.record([AccessRecord(call=as_caller(organization=new_id()))])

    calls = []
    for _ in range(6):
        calls.append(asyncio.create_task(one_call()))
        await asyncio.sleep(0)
    await asyncio.gather(*calls)
    await recorder.close()

    after = ward.rows(COUNT)[0]
    assert after["many"] - before["many"] == 6
    assert after["flushes"] - before["flushes"] == 1


async def test_a_flush_waits_for_no_more_than_half_of_the_calls(
    db: Database, ward: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twenty calls in progress ten records leave at once, however long a flush may wait."""
    monkeypatch.setattr(access, "GATHER", 3600.0)
    recorder = AccessRecorder(db, lambda: 20)
    await recorder.open()

    calls = []
    for _ in range(10):
        record = AccessRecord(call=as_caller(organization=new_id()))
        calls.append(asyncio.ensure_future(recorder.record([record])))
        await asyncio.sleep(0)
    await asyncio.gather(*calls)
    await recorder.close()

    assert ward.rows(COUNT)[0] == {"many": 10, "flushes": 1}


async def test_closing_does_not_wait_for_more_records(
    db: Database, ward: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stops flushes what it has gathered."""
    monkeypatch.setattr(access, "GATHER", 3600.0)
    recorder = AccessRecorder(db, lambda: 20)
    await recorder.open()
    record = AccessRecord(call=as_caller(organization=new_id()))
    waiting = asyncio.ensure_future(recorder.record([record]))
    await asyncio.sleep(0.05)

    await recorder.close()

    await waiting
    assert ward.rows(COUNT)[0]["many"] == 1


async def test_a_failed_flush_fails_its_calls_and_later_ones_succeed(
    recorder: AccessRecorder, ward: ServiceDatabase
) -> None:
    """What could not be recorded must not be answered; the recorder heals by itself."""
    record = AccessRecord(call=as_caller(organization=new_id()))
    await recorder.record([record])
    ward.cut()

    with pytest.raises(Unavailable):
        await recorder.record([record])
    await recorder.record([record])

    assert ward.rows(COUNT)[0]["many"] == 2


async def test_a_full_queue_is_unavailable(recorder: AccessRecorder) -> None:
    """Records wait in bounded number."""
    call = as_caller(organization=new_id())
    many = AccessRecord(call=call, subjects=tuple(new_id() for _ in range(MOST_WAITING)))
    first = asyncio.ensure_future(recorder.record([many]))
    await asyncio.sleep(0)

    with pytest.raises(Unavailable):
        await recorder.record([many, many])

    await first


async def test_closing_flushes_what_waits(db: Database, ward: ServiceDatabase) -> None:
    """A server that stops loses no record, and takes no more."""
    recorder = AccessRecorder(db)
    await recorder.open()
    call = as_caller(organization=new_id())
    waiting = [asyncio.ensure_future(recorder.record([AccessRecord(call=call)])) for _ in range(9)]
    await asyncio.sleep(0)

    await recorder.close()

    await asyncio.gather(*waiting)
    assert ward.rows(COUNT)[0]["many"] == 9
    with pytest.raises(Unavailable):
        await recorder.record([AccessRecord(call=call)])


async def test_a_change_cannot_be_appended(db: Database, ward: ServiceDatabase) -> None:
    """Changes are recorded by triggers alone: the function refuses a whole batch with one."""
    recorder = AccessRecorder(db)
    await recorder.open()
    call = as_caller(organization=new_id())
    forged = AccessRecord(call=call, kind="change")  # type: ignore[arg-type]

    with pytest.raises(Unavailable):
        await recorder.record([AccessRecord(call=call), forged])

    assert ward.rows(COUNT)[0]["many"] == 0
    await recorder.close()

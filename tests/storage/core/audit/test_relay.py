"""The relay: whatever happens to it, each event is in the log once and under its number."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import bindparam, insert

from compliance.domain.keys import AUDIT
from core import clock, identity
from core.audit.receivers import Compliance
from core.audit.relay import Relay
from core.database import Database, statement
from core.database.outbox import Entry, Outbox
from core.ids import new_id
from medhub.compliance.v1 import audit_service_pb2 as wire
from medhub.compliance.v1.audit_pb2 import AuditEvent
from tests.support import trails
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.trails import Trail
from tests.support.ward.storage.tables import patient

ENOUGH = 20.0  # seconds in which a relay must have done what it is waited for
_ADMIT = statement(
    insert(patient).values(
        id=bindparam("id"),
        name=bindparam("name"),
        organization_id=bindparam("organization_id"),
    )
)


async def _admit(db: Database, call: identity.Call, names: Sequence[str]) -> list[UUID]:
    ids = [new_id() for _ in names]
    async with db.begin_as(call) as tx:
        for row, name in zip(ids, names, strict=True):
            await tx.run(_ADMIT, id=row, name=name)
    return ids


def _waiting(ward: ServiceDatabase) -> int:
    return int(ward.rows("SELECT count(*) AS n FROM medhub.audit_outbox")[0]["n"])


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(ENOUGH):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in PostgreSQL
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _relaying(
    ward: ServiceDatabase, served: Trail, batch: int = 50
) -> AsyncIterator[Relay[Entry]]:
    outbox = Outbox(ward.urls.relay)
    relay = Relay(outbox, Compliance("ward", served.channel), batch=batch)
    relay.start()
    try:
        yield relay
    finally:
        await relay.stop()


async def _drained(ward: ServiceDatabase, served: Trail) -> None:
    async with _relaying(ward, served):
        await _until(lambda: _waiting(ward) == 0)


async def _trail(served: Trail, organization: UUID) -> list[AuditEvent]:
    """The whole trail of the organization, oldest first."""
    as_caller(organization=organization)
    found: list[AuditEvent] = []
    token = ""
    while True:
        request = wire.ListAuditEventsRequest(page_size=200, page_token=token)
        page = await served.log.ListAuditEvents(request)
        found += page.audit_events
        token = page.next_page_token
        if not token:
            return found[::-1]


async def _only(served: Trail, organization: UUID) -> AuditEvent:
    """The one event of the organization's trail, with its values."""
    (event,) = await _trail(served, organization)
    return await served.log.GetAuditEvent(wire.GetAuditEventRequest(name=event.name))


async def _numbers(served: Trail, organization: UUID) -> tuple[int, int, int, int]:
    as_caller(organization=organization)
    answer = await served.log.CheckCompleteness(wire.CheckCompletenessRequest())
    (source,) = (source for source in answer.sources if source.source == "ward")
    return source.first_seq, source.last_seq, source.count, len(source.missing)


async def test_a_change_comes_to_stand_in_the_trail(
    db: Database, ward: ServiceDatabase, served: Trail
) -> None:
    """The event says who did what to whom, opened for who may read it."""
    organization = new_id()
    call = as_caller(organization=organization)
    (row,) = await _admit(db, call, ["Curie"])

    await _drained(ward, served)

    event = await _only(served, organization)
    assert event.subject == event.resource == f"patients/{row}"
    assert event.actor == f"users/{call.caller.subject}"
    assert (event.operation, event.entity, event.source) == ("insert", "patient", "ward")
    assert '"name":"Curie"' in event.after
    assert event.fields
    assert (event.subject_forgotten, event.actor_forgotten) == (False, False)


async def test_nothing_personal_is_stored_in_clear(
    db: Database, ward: ServiceDatabase, served: Trail, compliance: ServiceDatabase
) -> None:
    """Neither name nor id of a person stands in the bytes that compliance keeps of an event."""
    organization = new_id()
    call = as_caller(organization=organization)
    (row,) = await _admit(db, call, ["Curie"])

    await _drained(ward, served)

    kept = compliance.rows("SELECT clear, sealed FROM audit_event")
    stored = b"".join(event["clear"] + event["sealed"] for event in kept)
    for secret in ("Curie", str(row), str(call.caller.subject)):
        assert secret.encode() not in stored


class _Killed(BaseException):
    """The process ends here: nothing after this line happens."""


class _Mortal(Outbox):
    """An outbox that kills its relay at one step, the second time it comes there."""

    def __init__(self, url: str, step: str) -> None:
        super().__init__(url)
        self._step = step
        self._passed = 0

    async def _at(self, step: str) -> None:
        self._passed += step == self._step
        if self._passed == 2:
            await self.close()
            raise _Killed

    async def number(self, limit: int = 50) -> int:
        await self._at("before numbering")
        numbered = await super().number(limit)
        await self._at("after numbering")
        return numbered

    async def confirm(self, entries: Sequence[Entry]) -> int:
        await self._at("before confirming")
        confirmed = await super().confirm(entries)
        await self._at("after confirming")
        return confirmed


@pytest.mark.parametrize(
    "step", ["before numbering", "after numbering", "before confirming", "after confirming"]
)
async def test_a_relay_killed_at_any_step_loses_nothing(
    db: Database, ward: ServiceDatabase, served: Trail, step: str
) -> None:
    """The next leader goes on where it stopped; each event stands once, numbers without gap."""
    organization = new_id()
    call = as_caller(organization=organization)
    ids = await _admit(db, call, [f"patient {n}" for n in range(120)])
    receiver = Compliance("ward", served.channel)
    relay = Relay(_Mortal(ward.urls.relay, step), receiver, batch=50)
    relay.start()
    with pytest.raises(_Killed):
        await relay._task  # type: ignore[misc]

    await _drained(ward, served)

    events = await _trail(served, organization)
    assert [event.subject for event in events] == [f"patients/{row}" for row in ids]
    assert await _numbers(served, organization) == (1, 120, 120, 0)


async def test_relays_stopped_at_any_moment_lose_nothing(
    db: Database, ward: ServiceDatabase, served: Trail
) -> None:
    """While events arrive, relays are cancelled again and again, each a little later."""
    organization = new_id()
    call = as_caller(organization=organization)

    async def admitting() -> list[UUID]:
        admitted: list[UUID] = []
        for n in range(40):
            admitted += await _admit(db, call, [f"{n} {m}" for m in range(5)])
            await asyncio.sleep(0.02)
        return admitted

    writer = asyncio.create_task(admitting())
    for life in range(1, 25):
        async with _relaying(ward, served, batch=7):
            await asyncio.sleep(0.008 * life)
    ids = await writer
    await _drained(ward, served)

    events = await _trail(served, organization)
    assert sorted(event.subject for event in events) == sorted(f"patients/{row}" for row in ids)
    assert await _numbers(served, organization) == (1, 200, 200, 0)


async def test_a_killed_process_loses_nothing(
    db: Database, ward: ServiceDatabase, served: Trail
) -> None:
    """SIGKILL in the middle of the work, three times; the next process goes on."""
    organization = new_id()
    call = as_caller(organization=organization)
    ids = await _admit(db, call, [f"patient {n}" for n in range(400)])

    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.relay_process"),
            *(ward.urls.relay, served.target),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        await process.stdout.readline()
        waiting = _waiting(ward)
        await _until(lambda before=waiting: _waiting(ward) < before)  # type: ignore[misc]
        process.kill()
        await process.wait()
    assert 0 < _waiting(ward) < len(ids)
    await _drained(ward, served)

    events = await _trail(served, organization)
    assert [event.subject for event in events] == [f"patients/{row}" for row in ids]
    assert await _numbers(served, organization) == (1, 400, 400, 0)


async def test_one_relay_leads(db: Database, ward: ServiceDatabase, served: Trail) -> None:
    """The second relay sends nothing while the first lives, and takes over when it stops."""
    call = as_caller(organization=new_id())
    async with _relaying(ward, served) as first:
        await _admit(db, call, ["before"])
        await _until(lambda: first.sent == 1)
        async with _relaying(ward, served) as second:
            await _admit(db, call, ["between"])
            await _until(lambda: first.sent == 2)
            assert second.sent == 0
            await first.stop()
            await _admit(db, call, ["after"])
            await _until(lambda: second.sent == 1)


async def test_a_forgotten_person_does_not_hold_up_the_queue(
    db: Database, ward: ServiceDatabase, served: Trail
) -> None:
    """What comes about a person whose key was destroyed is kept, and names nobody."""
    organization = new_id()
    call = as_caller(organization=organization)
    (row,) = await _admit(db, call, ["Curie"])
    async with served.store.begin_for(organization) as tx:
        await tx.keys.destroy_subject_key(f"patients/{row}", AUDIT, at=clock.now())

    await _drained(ward, served)

    event = await _only(served, organization)
    assert (event.subject, event.resource, event.after) == ("", "", "")
    assert event.detail == '{"forgotten":true}'
    assert event.actor == f"users/{call.caller.subject}"


async def test_an_expired_month_does_not_hold_up_the_queue(
    db: Database, ward: ServiceDatabase, served: Trail
) -> None:
    """An event that comes after its month's key has gone is sealed under the present month's."""
    organization = new_id()
    call = as_caller(organization=organization)
    (row,) = await _admit(db, call, ["Curie"])
    ward.rows("UPDATE medhub.audit_outbox SET occurred_at = '2020-02-03 04:05:06+00'")
    async with served.store.begin_for(organization) as tx:
        await tx.keys.destroy_month_key(AUDIT, "2020-02", at=clock.now())

    await _drained(ward, served)

    event = await _only(served, organization)
    assert event.subject == f"patients/{row}"
    assert event.occurred_time.ToJsonString() == "2020-02-03T04:05:06Z"


async def test_a_refused_organization_does_not_hold_up_the_others(
    db: Database, ward: ServiceDatabase, served: Trail
) -> None:
    """A conflict stops the organization it is in; its events wait, the others' arrive."""
    broken, whole = UUID(int=1), new_id()
    call = as_caller(organization=broken)
    await _admit(db, call, ["first"])
    await _drained(ward, served)
    # As after a restore of the service's database: a number is given a second time.
    ward.rows("UPDATE medhub.relay_counter SET value = 1")
    ward.rows("DELETE FROM medhub.relay_counter")
    await _admit(db, call, ["again"])
    other = replace(call, caller=replace(call.caller, organization=whole))

    async with _relaying(ward, served) as relay:
        await _until(lambda: relay.set_aside == 1)
        await _admit(db, other, ["someone else"])
        await _until(lambda: relay.sent == 1)

        assert _waiting(ward) == 1
    assert len(await _trail(served, whole)) == 1


async def test_the_relay_waits_for_compliance_to_come_back(
    db: Database, ward: ServiceDatabase, compliance: ServiceDatabase, served: Trail
) -> None:
    """While nobody answers, events stay and the lag grows; then they arrive."""
    call = as_caller(organization=new_id())
    compliance.rows("ALTER TABLE audit_log RENAME TO audit_log_away")
    await _admit(db, call, ["Curie"])

    async with _relaying(ward, served) as relay:
        await _until(lambda: relay.lag > 0.3)
        assert _waiting(ward) == 1
        compliance.rows("ALTER TABLE audit_log_away RENAME TO audit_log")
        await _until(lambda: _waiting(ward) == 0)
        await _until(lambda: relay.lag == 0.0)


async def test_the_relay_of_a_server_registered_under_another_name_waits_and_says_so(
    db: Database,
    ward: ServiceDatabase,
    served: Trail,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It tries seldom, loses nothing, and goes on once an operator has registered it."""
    monkeypatch.setattr(trails, "SERVER", "clinical")
    call = as_caller(organization=new_id())
    await _admit(db, call, ["Curie"])

    async with _relaying(ward, served) as relay:
        await asyncio.sleep(1.5)
        tries = [one for one in caplog.records if one.levelname == "CRITICAL"]
        assert 1 <= len(tries) <= 6
        assert tries[0].getMessage().endswith("PERMISSION_DENIED SOURCE_NOT_YOURS")
        assert (relay.sent, _waiting(ward)) == (0, 1)

        monkeypatch.setattr(trails, "SERVER", "ward")
        await _until(lambda: _waiting(ward) == 0)


class _Counted(Compliance):
    """Notes how many events each batch has."""

    def __init__(self, source: str, channel: Any) -> None:
        super().__init__(source, channel)
        self.batches: list[int] = []

    def request(self, batch: int, messages: Sequence[Any]) -> wire.AppendEventsRequest:
        """A batch, counted."""
        self.batches.append(len(messages))
        return super().request(batch, messages)


async def test_what_comes_after_a_small_batch_gathers(
    db: Database, ward: ServiceDatabase, served: Trail
) -> None:
    """The first event goes at once; those that follow it closely go together."""
    call = as_caller(organization=new_id())
    receiver = _Counted("ward", served.channel)
    relay = Relay(Outbox(ward.urls.relay), receiver, linger=3.0)
    relay.start()
    try:
        await _admit(db, call, ["first"])
        await _until(lambda: relay.sent == 1)
        for number in range(5):
            await _admit(db, call, [f"later {number}"])
            await asyncio.sleep(0.1)
        await _until(lambda: relay.sent == 6)
    finally:
        await relay.stop()

    assert receiver.batches == [1, 5]


class _Closed(Compliance):
    """Its channel is closed under the first stream, as grpc.aio says it: by CancelledError."""

    streams = 0

    def stream(self) -> Any:
        """A stream, or none."""
        self.streams += 1
        if self.streams == 1:
            raise asyncio.CancelledError
        return super().stream()


async def test_a_channel_that_is_closed_under_the_relay_does_not_end_it(
    db: Database, ward: ServiceDatabase, served: Trail
) -> None:
    """What waits goes over the next one."""
    receiver = _Closed("ward", served.channel)
    relay = Relay(Outbox(ward.urls.relay), receiver)
    relay.start()
    try:
        await _admit(db, as_caller(organization=new_id()), ["first"])
        await _until(lambda: relay.sent == 1)
    finally:
        await relay.stop()

    assert receiver.streams == 2

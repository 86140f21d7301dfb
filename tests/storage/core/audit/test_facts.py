"""Facts: whatever happens to either receiver, the other goes on, and each event is counted once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import grpc
import pytest
from sqlalchemy import bindparam, insert, update

from analytics.servicers.facts import Facts as Intake
from analytics.storage.store import Store
from core import identity
from core.audit.receivers import Analytics, Compliance, fact_to_proto
from core.audit.relay import Relay
from core.database import Database, statement
from core.database.facts import Facts, Waiting
from core.database.outbox import Outbox
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.trails import Trail, unproven
from tests.support.ward.storage.tables import patient, stay

ENOUGH = 100.0  # seconds in which a relay must have done what it is waited for
_ADMIT = statement(
    insert(patient).values(
        id=bindparam("id"), name=bindparam("name"), organization_id=bindparam("organization_id")
    )
)
_STAY = statement(
    insert(stay).values(
        id=bindparam("id"),
        patient_id=bindparam("patient_id"),
        state=bindparam("state"),
        organization_id=bindparam("organization_id"),
    )
)
_MOVE = statement(update(stay).values(state=bindparam("to")))


@pytest.fixture
def analytics(database: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    """A fresh database of analytics."""
    return database("analytics")


@pytest.fixture
async def intake(analytics: ServiceDatabase) -> AsyncIterator[dict[str, Any]]:
    """What analytics serves to relays."""
    async with analytics.open() as opened:
        yield {"medhub.analytics.v1.FactService": Intake(Store(opened))}


async def _admit(db: Database, call: identity.Call, names: Sequence[str]) -> list[UUID]:
    ids = [new_id() for _ in names]
    async with db.begin_as(call) as tx:
        for row, name in zip(ids, names, strict=True):
            await tx.run(_ADMIT, id=row, name=name)
    return ids


def _waiting(ward: ServiceDatabase, queue: str) -> int:
    return int(ward.rows(f"SELECT count(*) AS n FROM medhub.{queue}")[0]["n"])


def _numbers(analytics: ServiceDatabase) -> list[int]:
    return [row["source_seq"] for row in analytics.rows("SELECT source_seq FROM fact ORDER BY 1")]


def _counted(analytics: ServiceDatabase) -> int:
    return int(analytics.rows("SELECT COALESCE(sum(count), 0) AS n FROM figure")[0]["n"])


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(ENOUGH):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in PostgreSQL
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _both(
    ward: ServiceDatabase, trail: grpc.aio.Channel, figures: grpc.aio.Channel
) -> AsyncIterator[tuple[Relay[Any], Relay[Any]]]:
    """The relays of the ward, as every server starts them."""
    relays = (
        Relay(Outbox(ward.urls.relay), Compliance("ward", trail), batch=20),
        Relay(Facts(ward.urls.relay), Analytics("ward", figures), batch=20),
    )
    for relay in relays:
        relay.start()
    try:
        yield relays
    finally:
        for relay in relays:
            await relay.stop()


async def test_the_trail_goes_on_while_analytics_is_away(
    db: Database,
    ward: ServiceDatabase,
    served: Trail,
    analytics: ServiceDatabase,
    intake: dict[str, Any],
) -> None:
    """It takes everything; facts wait, are told when analytics is back, each once."""
    call = as_caller(organization=new_id())
    async with unproven(intake) as (_, figures), _both(ward, served.channel, figures) as (_, relay):
        await _admit(db, call, [f"before {n}" for n in range(30)])
        await _until(lambda: _counted(analytics) == 30)
        await _until(lambda: _waiting(ward, "fact_outbox") == 0)
        analytics.rows("ALTER TABLE fact RENAME TO fact_away")

        await _admit(db, call, [f"during {n}" for n in range(50)])
        await _until(lambda: _waiting(ward, "audit_outbox") == 0)
        await _until(lambda: relay.lag > 0)
        assert _waiting(ward, "fact_outbox") == 50

        analytics.rows("ALTER TABLE fact_away RENAME TO fact")
        await _until(lambda: _waiting(ward, "fact_outbox") == 0)

    assert _numbers(analytics) == list(range(1, 81))
    assert _counted(analytics) == 80


async def test_figures_go_on_while_the_trail_is_away(
    db: Database, ward: ServiceDatabase, analytics: ServiceDatabase, intake: dict[str, Any]
) -> None:
    """Events get their numbers, and stay with what they say until the trail has them."""
    call = as_caller(organization=new_id())
    await _admit(db, call, [f"patient {n}" for n in range(60)])

    async with (
        grpc.aio.insecure_channel("127.0.0.1:1") as nobody,
        unproven(intake) as (_, figures),
        _both(ward, nobody, figures),
    ):
        await _until(lambda: _counted(analytics) == 60)

    assert _waiting(ward, "audit_outbox") == 60
    assert _numbers(analytics) == list(range(1, 61))


async def test_relays_stopped_at_any_moment_count_everything_once(
    db: Database,
    ward: ServiceDatabase,
    served: Trail,
    analytics: ServiceDatabase,
    intake: dict[str, Any],
) -> None:
    """While events arrive, both are cancelled again and again, each time a little later."""
    call = as_caller(organization=new_id())
    async with unproven(intake) as (_, figures):
        for life in range(15):
            await _admit(db, call, [f"{life} {n}" for n in range(10)])
            async with _both(ward, served.channel, figures):
                await asyncio.sleep(0.01 * life)
        async with _both(ward, served.channel, figures):
            await _until(
                lambda: _waiting(ward, "fact_outbox") + _waiting(ward, "audit_outbox") == 0
            )

    assert _numbers(analytics) == list(range(1, 151))
    assert _counted(analytics) == 150


async def test_a_fact_names_nobody(
    db: Database, ward: ServiceDatabase, analytics: ServiceDatabase, intake: dict[str, Any]
) -> None:
    """Neither name nor id of anybody waits for analytics, comes to it, or is kept there."""
    call = as_caller(organization=new_id())
    (row,) = await _admit(db, call, ["Curie"])
    (waiting,) = await _taken(ward)
    async with unproven(intake) as (_, figures), _both(ward, figures, figures):
        await _until(lambda: _counted(analytics) == 1)

    kept = [
        str(ward.rows("SELECT * FROM medhub.fact_outbox")),
        str(waiting),
        str(fact_to_proto(waiting)),
        str(analytics.rows("SELECT * FROM fact") + analytics.rows("SELECT * FROM figure")),
    ]
    for secret in ("Curie", str(row), str(call.caller.subject), repr(row)):
        assert not any(secret in text for text in kept)


async def test_a_fact_carries_what_the_contract_declares(
    db: Database, ward: ServiceDatabase
) -> None:
    """A declared column, before and after a change, in its declared shape and no other."""
    call = as_caller(organization=new_id())
    (row,) = await _admit(db, call, ["Curie"])
    async with db.begin_as(call) as tx:
        await tx.run(_STAY, id=new_id(), patient_id=row, state="RECEIVED")
    async with db.begin_as(call) as tx:
        await tx.run(_MOVE, to="Curie, Marie")

    waiting = await _taken(ward)

    assert [(one.entity, one.operation, one.figures) for one in waiting] == [
        ("patient", "insert", None),
        ("stay", "insert", {"dimensions": {"state": "RECEIVED"}}),
        ("stay", "update", {"dimensions": {"state": "OTHER"}}),
    ]


async def test_what_has_no_room_shows_as_missing(
    db: Database, ward: ServiceDatabase, analytics: ServiceDatabase, intake: dict[str, Any]
) -> None:
    """Past the bound the newest facts are left out, and their numbers stay empty."""
    call = as_caller(organization=new_id())
    outbox = Outbox(ward.urls.relay, most_facts=5)
    await outbox.open()
    await outbox.lead()
    for n in range(10):
        await _admit(db, call, [f"patient {n}"])
        await outbox.number()
    await outbox.close()
    async with unproven(intake) as (_, figures), _both(ward, figures, figures):
        await _until(lambda: _waiting(ward, "fact_outbox") == 0)
        await _admit(db, call, ["afterwards"])
        await _until(lambda: _numbers(analytics)[-1:] == [11])

    assert _numbers(analytics) == [1, 2, 3, 4, 5, 6, 11]
    assert _waiting(ward, "audit_outbox") == 11


async def test_a_refused_organization_does_not_hold_up_the_others(
    db: Database, ward: ServiceDatabase, analytics: ServiceDatabase, intake: dict[str, Any]
) -> None:
    """A number given twice, as after a restore: its facts wait, the others' arrive."""
    broken, whole = UUID(int=1), new_id()
    async with unproven(intake) as (_, figures):
        await _admit(db, as_caller(organization=broken), ["first"])
        async with _both(ward, figures, figures):
            await _until(lambda: _counted(analytics) == 1)
            # Counted is not yet confirmed: what waits would be refused with the number given twice.
            await _until(lambda: _waiting(ward, "fact_outbox") == 0)
        ward.rows("DELETE FROM medhub.relay_counter")
        await _admit(db, as_caller(organization=broken), ["again"])

        async with _both(ward, figures, figures) as (_, relay):
            await _until(lambda: relay.set_aside == 1)
            await _admit(db, as_caller(organization=whole), ["someone else"])
            await _until(lambda: _counted(analytics) == 2)
            await _until(lambda: _waiting(ward, "fact_outbox") == 1)


async def _taken(ward: ServiceDatabase) -> list[Waiting]:
    """What there is to tell of all that has happened."""
    outbox, facts = Outbox(ward.urls.relay), Facts(ward.urls.relay)
    await outbox.open()
    await outbox.lead()
    await outbox.close()
    await facts.open()
    try:
        return await facts.take()
    finally:
        await facts.close()

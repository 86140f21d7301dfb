"""Audit of change: whatever the statement, one event for each row it changed."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Database
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage import patients

ZERO = UUID(int=0)


def events(ward: ServiceDatabase) -> list[tuple[Any, ...]]:
    """What the outbox holds, oldest first, without what differs by run."""
    rows = ward.rows("SELECT * FROM medhub.audit_outbox ORDER BY seq")
    return [
        (row["operation"], row["resource"], row["subject"], row["before"], row["after"])
        for row in rows
    ]


async def fail_after_an_act(db: Database) -> None:
    """Record an act, then end the transaction badly."""
    async with db.begin() as tx:
        await tx.record_act("auth.sessions.create")
        raise ZeroDivisionError


def forget(ward: ServiceDatabase) -> None:
    """Empty the outbox, so that a test sees its own events alone."""
    ward.rows("DELETE FROM medhub.audit_outbox")


async def test_each_kind_of_change_is_recorded(db: Database, ward: ServiceDatabase) -> None:
    """Insert, update and delete leave one event each, with what changed and nothing else."""
    call = as_caller(organization=new_id(), action="ward.patients.create")
    row = new_id()

    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
        await tx.run(patients.RENAME, key=row, name="Joliot")
        await tx.run(patients.REMOVE, key=row)

    (insert, update, delete) = ward.rows("SELECT * FROM medhub.audit_outbox ORDER BY seq")
    assert {e["organization_id"] for e in (insert, update, delete)} == {call.caller.organization}
    assert {e["subject"] for e in (insert, update, delete)} == {row}
    assert {e["resource"] for e in (insert, update, delete)} == {f"patients/{row}"}
    assert [e["operation"] for e in (insert, update, delete)] == ["insert", "update", "delete"]
    assert insert["before"] is None
    assert insert["after"]["name"] == "Curie"
    assert "organization_id" not in insert["after"]
    assert update["before"] == {"name": "Curie", "revision": 1}
    assert update["after"] == {"name": "Joliot", "revision": 2}
    assert delete["before"]["name"] == "Joliot"
    assert delete["after"] is None
    assert insert["context"]["actor"] == str(call.caller.subject)
    assert insert["context"]["action"] == "ward.patients.create"
    assert insert["context"]["purpose"] == "treatment"
    assert insert["id"].version == 7


async def test_a_bulk_update_leaves_one_event_a_row(db: Database, ward: ServiceDatabase) -> None:
    """One statement over many rows yields as many events as rows."""
    as_caller(organization=new_id())
    rows = [{"id": new_id(), "name": f"P{n}"} for n in range(300)]

    async with db.begin() as tx:
        await tx.run_many(patients.ADD, rows)
        await tx.run(patients.RENAME_ALL)

    counted = ward.rows(
        "SELECT operation, count(*) AS many, count(DISTINCT resource) AS resources "
        "FROM medhub.audit_outbox GROUP BY operation ORDER BY operation"
    )
    assert counted == [
        {"operation": "insert", "many": 300, "resources": 300},
        {"operation": "update", "many": 300, "resources": 300},
    ]


async def test_an_upsert_is_recorded_as_what_it_did(db: Database, ward: ServiceDatabase) -> None:
    """ON CONFLICT DO UPDATE leaves an insert the first time and an update the second."""
    as_caller(organization=new_id())
    row = new_id()

    async with db.begin() as tx:
        await tx.run(patients.PUT, id=row, name="Curie")
        await tx.run(patients.PUT, id=row, name="Joliot")
        await tx.run(patients.PUT, id=row, name="Joliot")

    assert [event[0] for event in events(ward)] == ["insert", "update"]


async def test_writes_inside_a_cte_are_recorded(db: Database, ward: ServiceDatabase) -> None:
    """Hand-written SQL that writes two tables at once leaves the events of both."""
    as_caller(organization=new_id())
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
    forget(ward)

    async with db.begin() as tx:
        assert await tx.one(patients.BY_CTE, name="Curie") == (1,)

    assert sorted((op, subject) for op, _, subject, _, _ in events(ward)) == [
        ("insert", row),
        ("update", row),
    ]


async def test_a_cascade_is_recorded(db: Database, ward: ServiceDatabase) -> None:
    """Rows that fall with the row they refer to leave their own events."""
    as_caller(organization=new_id())
    row, stay = new_id(), new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
        await tx.run(patients.ADD_STAY, id=stay, patient_id=row)
    forget(ward)

    async with db.begin() as tx:
        await tx.run(patients.REMOVE, key=row)

    assert sorted((op, resource) for op, resource, _, _, _ in events(ward)) == [
        ("delete", f"patients/{row}"),
        ("delete", f"stays/{stay}"),
    ]


async def test_secrets_are_masked_and_ciphertext_is_judged_by_its_index(
    db: Database, ward: ServiceDatabase
) -> None:
    """No secret and no sealed value enters the outbox; sealing anew is no change."""
    as_caller(organization=new_id())
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
        await tx.run(patients.SEAL, key=row, pin="1234", ins=b"first", ins_index=b"index")
        await tx.run(patients.SEAL, key=row, pin="1234", ins=b"again", ins_index=b"index")

    _, sealed = events(ward)
    assert sealed[3] == {"pin": None, "ins": None, "ins_index": None}
    assert sealed[4] == {"pin": "***", "ins": "***", "ins_index": "***"}

    forget(ward)
    async with db.begin() as tx:
        await tx.run(patients.REMOVE, key=row)

    ((_, _, _, before, _),) = events(ward)
    assert (before["pin"], before["ins"], before["ins_index"]) == ("***", "***", "***")


async def test_a_platform_table_is_recorded_for_the_platform(
    db: Database, ward: ServiceDatabase
) -> None:
    """Without a tenant the event belongs to the zero organization; a queue leaves none."""
    as_caller(organization=None)
    person = new_id()

    async with db.begin() as tx:
        await tx.run(patients.ADD_PERSON, id=person, email="a@b.example")
        await tx.run(patients.ADD_MESSAGE, id=new_id(), body="hello")

    (event,) = ward.rows("SELECT organization_id, resource, subject_kind FROM medhub.audit_outbox")
    assert event == {
        "organization_id": ZERO,
        "resource": f"people/{person}",
        "subject_kind": "user",
    }


@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_write_without_context_is_refused(ward: ServiceDatabase, role: str) -> None:
    """Whoever writes without saying who acts gets MH001, and nothing is written."""
    tenant = new_id()
    with psycopg.connect(getattr(ward.urls, role)) as connection:
        connection.execute("SELECT set_config('medhub.organization', %s, true)", (str(tenant),))
        with pytest.raises(psycopg.Error) as raised:
            connection.execute(
                "INSERT INTO patient (organization_id, id, name) "
                "VALUES (%s, gen_random_uuid(), 'Curie')",
                (tenant,),
            )

    assert raised.value.sqlstate == "MH001"
    assert ward.rows("SELECT count(*) AS many FROM patient") == [{"many": 0}]
    assert events(ward) == []


def test_truncate_is_refused_to_the_owner(ward: ServiceDatabase) -> None:
    """TRUNCATE shows no rows to a trigger, so nobody may use it."""
    with ward.owner() as connection, pytest.raises(psycopg.Error) as raised:
        connection.execute("TRUNCATE patient CASCADE")

    assert raised.value.sqlstate == "MH002"


def test_a_large_update_ends_soon(ward: ServiceDatabase) -> None:
    """Old and new rows are joined by hash or merge: 20,000 rows take seconds, not minutes."""
    with ward.owner() as connection, connection.transaction():
        connection.execute(
            'SELECT set_config(\'medhub.context\', \'{"actor":null,"actor_kind":"test",'
            '"method":"m","action":"a","purpose":"p"}\', true)'
        )
        connection.execute("SET LOCAL statement_timeout = '30s'")
        connection.execute(
            "INSERT INTO patient (organization_id, id, name) "
            "SELECT gen_random_uuid(), gen_random_uuid(), n::text FROM generate_series(1, 20000) n"
        )
        connection.execute("UPDATE patient SET name = name || '!'")

    assert ward.rows("SELECT count(*) AS many FROM medhub.audit_outbox") == [{"many": 40000}]


async def test_an_explicit_act_is_recorded_in_the_transaction(
    db: Database, ward: ServiceDatabase
) -> None:
    """What changes no row can be recorded too, and goes when the transaction does."""
    call = as_caller(organization=new_id())

    async with db.begin() as tx:
        await tx.record_act("auth.sessions.create", resource="sessions/1", detail={"aal": 2})
    with pytest.raises(ZeroDivisionError):
        await fail_after_an_act(db)

    (event,) = ward.rows("SELECT * FROM medhub.audit_outbox")
    assert event["kind"] == "act"
    assert event["operation"] == "auth.sessions.create"
    assert event["organization_id"] == call.caller.organization
    assert event["after"] == {"aal": 2}

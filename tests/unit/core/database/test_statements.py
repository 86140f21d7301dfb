"""Statements: the text is made once, and every parameter is accounted for."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import Integer, Text, Uuid, bindparam, insert, select, text, update

from core.database import column, new_metadata, statement, tenant_table
from core.database.encoding import encode

ID = UUID(int=7)
TENANT = UUID(int=1)

bed = tenant_table(
    "bed",
    new_metadata("ward"),
    column("id", Uuid, field="medhub.test.v1.Bed.name", primary_key=True),
    column("label", Text, field="medhub.test.v1.Bed.label"),
    column("revision", Integer, internal="Lock.", server_default="1"),
    subject=None,
)


def test_a_parameter_is_passed_by_name_in_the_order_of_the_text() -> None:
    """The values stand where the text has their numbers."""
    get = statement(select(bed.c.label).where(bed.c.id == bindparam("id"), bed.c.revision > 3))

    assert b"$1::UUID" in get.sql
    assert get.arguments({"id": ID}, None) == [ID, 3]


def test_the_tenant_is_filled_in() -> None:
    """An insert takes its organization from the transaction, or from its caller."""
    add = statement(insert(bed))

    assert add.arguments({"id": ID, "label": "A"}, TENANT) == [TENANT, ID, "A"]
    assert add.names == ("organization_id", "id", "label")


def test_a_tenants_statement_needs_a_tenant() -> None:
    """Nothing is written for no organization."""
    with pytest.raises(LookupError):
        statement(insert(bed)).arguments({"id": ID, "label": "A"}, None)


@pytest.mark.parametrize("given", [{}, {"id": ID}, {"id": ID, "label": "A", "bale": "B"}])
def test_wrong_parameters_are_a_fault(given: dict[str, object]) -> None:
    """A missing or an unknown name is found before anything is sent."""
    with pytest.raises(TypeError):
        statement(insert(bed)).arguments(given, TENANT)


def test_a_fixed_value_cannot_be_given() -> None:
    """What the author wrote as a literal stays what it is."""
    raise_ = statement(update(bed).where(bed.c.id == bindparam("key")).values(revision=5))

    assert raise_.arguments({"key": ID}, None) == [5, ID]
    with pytest.raises(TypeError):
        raise_.arguments({"key": ID, "revision": 6}, None)


def test_a_list_without_fixed_text_is_refused() -> None:
    """`IN (…)` grows with its values, so it cannot be made once."""
    with pytest.raises(TypeError):
        statement(select(bed.c.id).where(bed.c.id.in_([ID])))


def test_a_statement_shows_no_values() -> None:
    """Its text may stand in a log."""
    assert repr(statement(text("SELECT  1"))) == "<Statement SELECT 1>"


def test_values_travel_as_the_protocol_wants_them() -> None:
    """Text for what has a text form, bytes for UUIDs and bytes, nothing for nothing."""
    values = [
        None,
        "é",
        True,
        3,
        1.5,
        Decimal("1.50"),
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, tzinfo=UTC),
        ["a", None, 'q"\\', ID],
        Jsonb({"a": 1}),
        ID,
        b"\x00",
    ]

    assert encode(values, [False] * 10 + [True] * 2) == [
        None,
        "é".encode(),
        b"t",
        b"3",
        b"1.5",
        b"1.50",
        b"2026-01-02",
        b"2026-01-02T03:00:00+00:00",
        b'{"a",NULL,"q\\"\\\\","%s"}' % str(ID).encode(),
        b'{"a": 1}',
        ID.bytes,
        b"\x00",
    ]


@pytest.mark.parametrize(("value", "raw"), [("text", True), (object(), False)])
def test_a_value_without_a_form_is_a_fault(value: object, raw: bool) -> None:
    """Nothing is guessed."""
    with pytest.raises(TypeError):
        encode([value], [raw])

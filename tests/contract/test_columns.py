"""Every column names the field it holds, and every table its scope."""

from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor_pool import Default
from sqlalchemy import Column, Table

from core.contract import everything

ROOT = Path(__file__).parents[2]
SERVICES = sorted(p.parent.parent.name for p in ROOT.glob("*/storage/tables*"))
TABLES = [
    (service, table)
    for service in SERVICES
    for table in import_module(f"{service}.storage.tables").metadata.sorted_tables
]
COLUMNS = [(service, column) for service, table in TABLES for column in table.columns]
# Tables that belong to no single organization. A new one is a deliberate act; each says why.
GOLDEN = ROOT / "tests/contract/tables_without_tenant.txt"


def _name(value: object) -> str:
    if isinstance(value, tuple) and isinstance(value[1], Table):
        return f"{value[0]}.{value[1].name}"
    if isinstance(value, tuple):
        return f"{value[0]}.{value[1].table.name}.{value[1].name}"
    return ""


@pytest.mark.parametrize("column", COLUMNS, ids=_name)
def test_a_column_names_its_field_or_why_it_has_none(column: tuple[str, Column[object]]) -> None:
    """Capture, export and erasure follow the field; what no field holds has a reason."""
    service, it = column
    everything()

    field = it.info.get("field")

    if it.name == "organization_id" and not field:
        return
    assert field or it.info.get("internal")
    if field:
        message, _, name = field.rpartition(".")
        assert name in Default().FindMessageTypeByName(message).fields_by_name
        assert message.split(".")[1] in (service, "event", "subject")


@pytest.mark.parametrize("table", TABLES, ids=_name)
def test_a_table_of_tenants_begins_its_keys_with_the_tenant(table: tuple[str, Table]) -> None:
    """A reference cannot cross tenants, and the data could be sharded by tenants."""
    _, it = table

    if it.info["scope"] == "tenant":
        assert next(iter(it.primary_key.columns)).name == "organization_id"
        for key in it.foreign_key_constraints:
            if key.referred_table.info["scope"] == "tenant":
                assert key.column_keys[0] == "organization_id"


def test_tables_without_a_tenant_are_the_listed_ones() -> None:
    """Nothing else escapes row-level security."""
    found = sorted(
        f"{service}.{table.name} {table.info['scope'].value}: {table.info['reason']}"
        for service, table in TABLES
        if table.info["scope"] != "tenant"
    )

    assert found == GOLDEN.read_text().splitlines()

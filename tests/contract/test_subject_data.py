"""Every service answers for every table that holds what is about persons."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor_pool import Default
from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint

from core.contract import everything
from core.contract.fields import data_of
from core.crypto.organization_keys import OrganizationKeys
from core.database.secure import is_restrictable
from core.database.tables import ERASED, RESTRICTED, TENANT_COLUMN
from core.subject.grounds import GROUNDS
from core.subject.holdings import Holdings
from core.subject.person import KINDS_ASKED, KINDS_ERASED
from core.subject.plans import erasables_of
from core.subject.reach import check, class_of_column, condition, holds_persons, persons_of
from medhub.options.v1 import data_pb2 as options

ROOT = Path(__file__).parents[2]
SERVICES = sorted(p.parent.parent.name for p in ROOT.glob("*/storage/tables*"))
everything()


def _metadata(service: str) -> MetaData:
    found: MetaData = import_module(f"{service}.storage.tables").metadata
    return found


TABLES = [
    pytest.param(table, id=f"{service}.{table.name}")
    for service in SERVICES
    for table in _metadata(service).sorted_tables
    if holds_persons(table)
]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_about_persons_is_reached_from_one(table: Table) -> None:
    """What is held of a person can be found from the person, or the table says why nobody is."""
    reached = [kind for kind in KINDS_ASKED if condition(table, kind)]

    assert bool(reached) != bool(table.info["reach"].nobody)


@pytest.mark.parametrize("table", TABLES)
def test_an_index_leads_from_a_person_to_the_rows(table: Table) -> None:
    """Of one person is asked as much as of a table of one row, whatever it holds of others."""
    through = table.info["reach"].through
    asked = {*persons_of(table), *([through] if through else [])}

    assert asked <= {_first_of(found) for found in _found_by(table)}


def _found_by(table: Table) -> Iterator[list[str]]:
    """The columns of each key and index of a table, behind the tenant's."""
    for index in table.indexes:
        yield [column.name for column in index.columns]
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            yield [column.name for column in constraint.columns]


def _first_of(columns: list[str]) -> str:
    return next((name for name in columns if name != TENANT_COLUMN), "")


COLUMNS = [
    pytest.param(column, id=f"{service}.{column.table.name}.{column.name}")
    for service in SERVICES
    for table in _metadata(service).sorted_tables
    for column in table.columns
    if class_of_column(column) in (options.DATA_CLASS_PERSONAL, options.DATA_CLASS_HEALTH)
]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_personal_column_says_what_erasure_does_to_it(column: Column[object]) -> None:
    """No field is erased, or kept, by anything but its annotation."""
    message, _, name = column.info["field"].rpartition(".")
    field = Default().FindMessageTypeByName(message).fields_by_name[name]

    assert data_of(field).erasure in (options.ERASURE_SHRED, options.ERASURE_KEEP_LEGAL)


@pytest.mark.parametrize("service", SERVICES)
def test_a_plan_covers_what_is_found(service: str) -> None:
    """Every table in which somebody is found has a decision, and articles where it is kept."""
    made: Holdings = _holdings(service)()

    for kind in KINDS_ERASED:
        erased = {one.table.name: one.retention for one in erasables_of(made, kind)}

        assert erased.keys() == {holding.table.name for holding in made.of(kind)}
        assert set(erased.values()) <= {"", *GROUNDS}


def test_a_restriction_hides_every_row_about_a_patient_but_their_own_requests() -> None:
    """What is not hidden is the record of what the person has asked for."""
    shown = {
        f"{service}.{table.name}"
        for service in SERVICES
        for table in _metadata(service).sorted_tables
        if table.info.get("subject") and table.info["subject_kind"] == "patient"
        if not is_restrictable(table)
    }

    lists = {f"{service}.{name}" for service in SERVICES for name in (RESTRICTED, ERASED)}
    requests = {"access_request", "erasure_request", "restriction"}
    assert shown == lists | {f"compliance.{name}" for name in requests}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_keeps_its_tables_reachable(service: str) -> None:
    """A new table without a way from a person to its rows stops the server, and this build."""
    check(_metadata(service), KINDS_ASKED)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_opens_what_it_has_sealed(service: str) -> None:
    """Everything that is shown and sealed has something that opens it."""
    made: Holdings = _holdings(service)()

    held = {holding.table.name for kind in KINDS_ASKED for holding in made.of(kind)}

    assert made.service == service
    assert held == {t.name for t in _metadata(service).sorted_tables if _is_reached(t)}


def _is_reached(table: Table) -> bool:
    return any(condition(table, kind) for kind in KINDS_ASKED)


def _holdings(service: str) -> Callable[[], Holdings]:
    """How the service declares what it holds; the keys are of nobody, for nothing is opened."""
    for place in ("storage", "servicers"):
        if (ROOT / service / place / "subject_data.py").exists():
            module = import_module(f"{service}.{place}.subject_data")
            keys = OrganizationKeys(_any_table(service), _NoKeys())
            takes = module.holdings.__code__.co_argcount
            return lambda: module.holdings(*[keys][:takes])
    raise AssertionError(f"{service} does not say what it holds of persons")


def _any_table(service: str) -> Table:
    usual: Table = import_module("clinical.storage.tables").organization_key
    return _metadata(service).tables.get("organization_key", usual)


class _NoKeys:
    def wrap(self, key: bytes, associated: bytes) -> bytes:
        raise NotImplementedError

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        raise NotImplementedError

"""Every service knows which rows of every table go with an organization that leaves."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Column, Text

from core.contract import everything
from core.crypto.organization_keys import OrganizationKeys
from core.database import column, new_metadata, platform_table
from core.database.tables import TENANT_COLUMN, Scope
from core.offboarding.belongings import Belongings, Undeclared
from hub.places import ORDER
from hub.services import Service
from tests.support.clinics import KeyInMemory

ROOT = Path(__file__).parents[2]
everything()


def _belongings(service: str) -> Belongings:
    place = "servicers" if service == "compliance" else "storage"
    made: Callable[..., Belongings] = import_module(
        f"{service}.{place}.organization_data"
    ).belongings
    keys = KeyInMemory()
    match service:
        case "clinical":
            table = import_module("clinical.storage.tables").organization_key
            return made(OrganizationKeys(table, keys))
        case "compliance":
            return made(keys)
        case _:
            return made()


@pytest.mark.parametrize("service", Service)
def test_every_table_of_tenants_is_handed_over(service: str) -> None:
    """And what is sealed in it is opened, or withheld with a reason: nothing goes unseen."""
    made = _belongings(service)

    tables = {one.table.name for one in made.tables()}

    tenants = {t.name for t in made.metadata.sorted_tables if t.info["scope"] is Scope.TENANT}
    assert made.service == service
    assert tenants <= tables
    assert tables == made.metadata.tables.keys() - made.apart.keys()
    assert set(made.keys) <= tables


@pytest.mark.parametrize("service", Service)
def test_a_row_names_its_organization_or_is_left(service: str) -> None:
    """A table of the platform with a column for an organization goes with it."""
    made = _belongings(service)

    naming = {
        table.name for table in made.metadata.sorted_tables
        if TENANT_COLUMN in table.columns and table.info["scope"] is not Scope.TENANT
    }  # fmt: skip

    assert naming <= made.belongs.keys()


@pytest.mark.parametrize("service", Service)
def test_no_secret_is_handed_over(service: str) -> None:
    """Hashes, seeds and wrapped keys open something; the columns that hold them say so."""
    for one in _belongings(service).tables():
        secret = {c.name for c in one.table.columns if _opens_something(c)}

        assert not secret & one.shown.told, one.table.name


def _opens_something(it: Column[object]) -> bool:
    return bool(it.info.get("internal") and it.info["secret"])


def test_a_table_that_nobody_has_decided_about_is_refused() -> None:
    """The build fails, and so does the command."""
    metadata = new_metadata("ward")
    platform_table(
        "board", metadata, column("id", Text, internal="It.", primary_key=True), reason="Shared."
    )

    with pytest.raises(Undeclared):
        Belongings("ward", metadata)
    with pytest.raises(Undeclared):
        Belongings("ward", metadata, belongs={"board": "true"}, apart={"board": "Shared."})


def test_the_trail_is_last() -> None:
    """While any service has records on their way, there is a trail to take them."""
    assert sorted(ORDER) == sorted(Service)
    assert ORDER[-1] is Service.COMPLIANCE

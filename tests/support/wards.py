"""The ward: a small service of the tests' own, with its database."""

from collections.abc import AsyncIterator, Callable

import pytest

from core.database import Database
from core.database.migrations import migrate
from tests.support.postgres import ServiceDatabase

PACKAGE = "tests.support.ward"


def migrate_ward(service: str, owner_url: str) -> None:
    """Migrate the ward, whose code stands among the tests."""
    migrate(service, owner_url, package=PACKAGE)


@pytest.fixture
def ward(database: Callable[..., ServiceDatabase]) -> ServiceDatabase:
    """A fresh database of the ward."""
    return database("ward", migrate_ward)


@pytest.fixture
async def db(ward: ServiceDatabase) -> AsyncIterator[Database]:
    """The ward's database as its server has it."""
    async with ward.open() as opened:
        yield opened

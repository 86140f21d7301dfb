"""Analytics over a fresh database, its servicers called as functions."""

from collections.abc import AsyncIterator, Callable

import pytest

from analytics.domain.metrics import METRICS
from analytics.servicers.facts import Facts
from analytics.servicers.metrics import Metrics
from analytics.storage.store import Store
from core.database import Database
from tests.support.postgres import ServiceDatabase


@pytest.fixture
def analytics(database: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    """A fresh database of analytics."""
    return database("analytics")


@pytest.fixture
async def db(analytics: ServiceDatabase) -> AsyncIterator[Database]:
    """The database as the server has it."""
    async with analytics.open() as opened:
        yield opened


@pytest.fixture
def store(db: Database) -> Store:
    """Transactions on it."""
    return Store(db)


@pytest.fixture
def intake(store: Store) -> Facts:
    """Where facts come in."""
    return Facts(store)


@pytest.fixture
def metrics(store: Store) -> Metrics:
    """Where figures are asked for."""
    return Metrics(store, METRICS)

"""The analytics server, as `python -m analytics` runs it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from analytics.server import build
from tests.support.postgres import ServiceDatabase
from tests.support.servers import Served, serving


@pytest.fixture
def analytics(database: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    """A fresh database of analytics."""
    return database("analytics")


@pytest.fixture
async def served(analytics: ServiceDatabase, tmp_path: Path) -> AsyncIterator[Served]:
    """The server, its own relays sending to itself: there is no trail beside it."""
    async with serving("analytics", build, analytics, tmp_path, "analytics.facts.ingest") as made:
        yield made

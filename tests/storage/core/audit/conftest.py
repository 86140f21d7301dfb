"""A service with an outbox (the ward), and compliance on a port to relay to."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.audit import keyring
from tests.support.postgres import ServiceDatabase
from tests.support.trails import Trail, trail


@pytest.fixture
def compliance(database: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    """A fresh database of compliance."""
    return database("compliance")


@pytest.fixture
async def served(compliance: ServiceDatabase, tmp_path: Path) -> AsyncIterator[Trail]:
    """Compliance, ready to take events."""
    async with compliance.open() as opened, trail(opened, keyring(tmp_path)) as running:
        yield running

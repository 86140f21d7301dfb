"""The compliance server, as `python -m compliance` runs it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from compliance.server import build
from tests.support.postgres import ServiceDatabase
from tests.support.servers import Served, serving


@pytest.fixture
def compliance(database: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    """A fresh database of compliance."""
    return database("compliance")


@pytest.fixture
async def served(compliance: ServiceDatabase, tmp_path: Path) -> AsyncIterator[Served]:
    """The server, its own relay sending to itself."""
    rights = ("compliance.events.append", "compliance.keys.provision")
    async with serving("compliance", build, compliance, tmp_path, *rights) as running:
        yield running

"""A server of probes, with the ward's database behind its access recorder."""

from collections.abc import AsyncIterator

import pytest

from core.database import Database
from core.database.access import AccessRecorder
from tests.support.probe_server import Served, serving
from tests.support.wards import db, ward

__all__ = ["db", "recorder", "served", "ward"]


@pytest.fixture
async def recorder(db: Database) -> AsyncIterator[AccessRecorder]:
    """An open recorder on the ward's database."""
    opened = AccessRecorder(db)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def served(recorder: AccessRecorder) -> AsyncIterator[Served]:
    """A running server of probes."""
    async with serving(recorder) as running:
        yield running

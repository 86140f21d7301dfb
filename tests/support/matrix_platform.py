"""The prepared platform of the matrix, one for each test file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.matrix import permissions
from tests.support.matrix_trail import keep
from tests.support.matrix_wire import Seam
from tests.support.matrix_world import World, prepare
from tests.support.platform import Detour, running_platform
from tests.support.postgres import Server, ServiceDatabase, fresh_databases


@asynccontextmanager
async def prepared(
    postgres: Server,
    home: Path,
    lacking: frozenset[str] | None = None,
    detour: Detour | None = None,
) -> AsyncIterator[World]:
    """Both organizations on the real servers, which a test may weaken one method at a time.

    `lacking` are the permissions that some account lacks; all of them when nothing is said.
    """
    with fresh_databases(postgres) as make, Seam.installed() as seam:

        def kept(service: str) -> ServiceDatabase:
            database = make(service)
            keep(database)
            return database

        async with running_platform(kept, home, detour=detour) as platform:
            yield await prepare(platform, seam, permissions() if lacking is None else lacking)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The world of a test file."""
    async with prepared(postgres, tmp_path_factory.mktemp("matrix")) as made:
        yield made

"""One running edge for all tests of this folder that do not disturb it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.edges import Front, front


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """An edge for development, in front of servers that answer what they are told."""
    async with front(tmp_path_factory.mktemp("edge"), loopback_origins=True) as running:
        yield running


@pytest.fixture
def edge(shared_edge: Front) -> Iterator[Front]:
    """The shared edge, with nothing told to its servers yet."""
    shared_edge.backend.forget()
    yield shared_edge
    shared_edge.backend.forget()

"""What tests of real processes share."""

import asyncio
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.postgres import Cluster, embedded_bin, server_account


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return unused_port()


def unused_port() -> int:
    """Another one each time, where a test needs several."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def cluster(free_port: int) -> Iterator[Cluster]:
    """A new cluster, not started; not in pytest's folder, which each run closes to others again."""
    with tempfile.TemporaryDirectory(prefix="medhub-") as folder:
        place = Path(folder) / "postgres"
        made = Cluster(place, free_port, "a password", embedded_bin(), server_account())
        made.create()
        yield made


async def eventually(true: Callable[[], bool], *, within: float = 60.0) -> None:
    """Wait, for a bounded time in seconds, until something that others do has come true."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)

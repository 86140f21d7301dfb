"""What tests of real processes share."""

import asyncio
import socket
import time
from collections.abc import Callable

import pytest


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def eventually(true: Callable[[], bool], *, within: float = 10.0) -> None:
    """Wait, for a bounded time in seconds, until something that others do has come true."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)

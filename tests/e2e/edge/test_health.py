"""`/health/` tells whether every service can be used."""

import asyncio
from pathlib import Path

import pytest

from tests.support.edges import SERVICES, Front, Reply, front

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def becomes(running: Front, status: int) -> Reply:
    """Asks until the health has this status; fails after five seconds."""
    async with asyncio.timeout(60):
        while True:
            reply = await running.call("GET", "/health/")
            if reply.status == status:
                return reply
            await asyncio.sleep(0.05)


async def test_health_needs_every_service(tmp_path: Path) -> None:
    """A service that does not serve, or is gone, makes the edge unhealthy until it is back."""
    async with front(tmp_path) as running:
        for service in SERVICES:
            await running.backend.say(service, serving=False)
            refused = await becomes(running, 503)
            assert refused.json["details"][0]["reason"] == "UNAVAILABLE"
            await running.backend.say(service, serving=True)
            await becomes(running, 200)

        await running.backend.servers["auth"].stop(None)
        await becomes(running, 503)
        await running.backend.start("auth", running.backend.ports["auth"])
        await becomes(running, 200)


async def test_a_server_that_does_not_serve_still_says_why_itself(tmp_path: Path) -> None:
    """With no better server, calls go to the one that answers NOT_SERVING: it knows the reason."""
    async with front(tmp_path) as running:
        await running.backend.say("clinical", serving=False)
        await becomes(running, 503)

        reply = await running.call("GET", "/clinical/v1/patients")

    assert reply.status == 200

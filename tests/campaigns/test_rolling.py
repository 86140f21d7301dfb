"""Whole services are replaced while they are used, and no call fails."""

import asyncio
import math
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from core.contract import everything
from core.rpc.channel import Channels, ServiceKey
from core.truth import State
from core.truth.follower import Follower
from hub.services import Service
from tests.support.campaign import SEED, WHOLE, told
from tests.support.fleet import Fleet, fleet
from tests.support.fleet_load import FleetLoad, calling

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.campaign,
    pytest.mark.timeout(600),
]
# Processes of each instance that takes over.
WORKERS = 2
# Callers are at work for so long before a replacement, and after the last one.
AROUND_SECONDS = 1.0
# Beyond this a server refuses even reads; a follower that reconnects never comes near it.
LONGEST_LAG = 10.0


def services() -> list[str]:
    """All of them in a campaign; else one, drawn by a seed that a failure shows."""
    chosen = list(Service) if WHOLE else [random.Random(SEED).choice(list(Service))]
    return [f"{service}-{SEED}" for service in chosen]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with fleet(tmp_path_factory.mktemp("rolling")) as made:
        yield made


class Watching:
    """Follows auth as every server does, and notes how old its truth ever was."""

    def __init__(self, running: Fleet) -> None:
        key = ServiceKey.read(running.layout.of("clinical").service_key())
        targets = {str(service): running.target(service) for service in Service}
        self._channels = Channels(targets, key, everything())
        self._state = State()
        self._follower = Follower(self._state, self._channels.to("auth"))
        self.longest = 0.0

    async def run(self) -> None:
        """Follow until cancelled."""
        loop = asyncio.get_running_loop()
        self._follower.start()
        try:
            while math.isinf(self._state.proven_at):  # noqa: ASYNC110 - the first proof
                await asyncio.sleep(0.05)
            while True:
                self.longest = max(self.longest, loop.time() - self._state.proven_at)
                await asyncio.sleep(0.1)
        finally:
            await self._follower.stop()
            await self._channels.close()


@pytest.mark.parametrize("drawn", services())
async def test_no_call_fails_while_a_service_is_replaced(running: Fleet, drawn: str) -> None:
    """Twice, so that both addresses are left and taken up; by channel and by REST, not one call of
    the service or of one that follows it fails, and nobody is logged out.
    """
    service = Service(drawn.partition("-")[0])
    used = tuple({service: None, Service.CLINICAL: None})
    watching = Watching(running)
    watch = asyncio.create_task(watching.run())

    async with calling(running, used) as load:
        await _replace_twice(running, service, load)

    watch.cancel()
    await asyncio.wait({watch})
    assert load.failed == [], f"seed {SEED}"
    assert watching.longest < LONGEST_LAG, f"seed {SEED}"
    told(f"{sum(load.answered.values())} calls while {service} was replaced")


async def _replace_twice(running: Fleet, service: Service, load: FleetLoad) -> None:
    for _ in range(2):
        before = load.answered.copy()
        await asyncio.sleep(AROUND_SECONDS)
        await running.replace(service, WORKERS)
        await asyncio.sleep(AROUND_SECONDS)
        idle = [name for name in load.answered if load.answered[name] == before[name]]
        assert idle == [], f"seed {SEED}: nobody used them"

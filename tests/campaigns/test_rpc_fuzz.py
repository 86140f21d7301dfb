"""Every RPC, under messages that nobody should send, by callers of every kind.

Calls are made from the descriptors and from the requests that the matrix knows to be right, so a
new method is found by itself. Whatever is sent: an answer, or a refusal of the contract.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from core.contract import everything
from medhub.compliance.v1 import audit_service_pb2 as audit
from tests.support.campaign import SEED, rounds, told
from tests.support.ears import Ears, heard_of, listening, metrics_of
from tests.support.fuzz_calls import Sent, judged, prepared, sent
from tests.support.fuzz_ground import LACKING, Case, Ground
from tests.support.fuzz_values import CANARY
from tests.support.matrix_platform import prepared as platform_prepared
from tests.support.matrix_trail import waiting
from tests.support.matrix_world import World
from tests.support.platform import Platform
from tests.support.postgres import Server

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.campaign,
    pytest.mark.timeout(1800),
]
SECONDS, WHOLE_SECONDS = 35.0, 240.0
AT_ONCE = 12
# Tokens live for five minutes, and calls wear an organization out: they delete what is its own.
ROUNDS_OF_A_WORLD = 40
CATCH_UP_SECONDS = 120.0


@pytest.fixture(scope="module")
def ears() -> Iterator[Ears]:
    """Listening from before the servers start."""
    with listening() as heard:
        yield heard


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    ears: Ears, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The prepared platform, overheard."""
    home = tmp_path_factory.mktemp("fuzz")
    async with platform_prepared(postgres, home, LACKING) as made:
        yield made


@dataclass
class Search:
    """A search over its ground, overheard."""

    ground: Ground
    ears: Ears

    async def tried(self, call: Sent) -> list[str]:
        """Send a call, and learn from the answer what to say in later ones."""
        outcome = await sent(self.ground.world, call)
        if outcome.ok:
            method = everything().methods[f"/{call.case.policy.name}"]
            self.ground.learn(call.case, method, outcome.response)
        return judged(self.ground.world, call, outcome)

    async def smallest(self, call: Sent, faults: list[str]) -> str:
        """The call with as few changes as it still fails with, and how it fails."""
        least = call
        for change in (-1, *range(call.case.changes)):
            without = least.case.without | {change}
            fewer = await prepared(self.ground, replace(least.case, without=without))
            found = await self.tried(fewer)
            if found:
                least, faults = fewer, found
        return f"seed {SEED}, case {call.case.number}: {least}: {faults}"

    def overheard(self) -> list[str]:
        """What was written down that should not be: a canary, or an error that nobody caught."""
        places = [self.ears.take(), *metrics_of(self.ground.world.seam)]
        faults = [f"{word} is in a log or a metric" for word in heard_of((CANARY,), places)]
        faults += self.ears.errors
        self.ears.errors.clear()
        return faults


async def test_whatever_is_sent_is_answered_or_refused_by_the_contract(
    world: World, ears: Ears
) -> None:
    """No UNKNOWN, INTERNAL or DATA_LOSS, nothing of others, nothing overheard, all alive after."""
    search = Search(Ground(world), ears)

    searched = 0
    for number in rounds(SECONDS, WHOLE_SECONDS):
        if number and number % ROUNDS_OF_A_WORLD == 0:
            await search.ground.renew()
        cases = [Case(SEED, number * AT_ONCE + n) for n in range(AT_ONCE)]
        calls = [await prepared(search.ground, case) for case in cases]
        found = await asyncio.gather(*map(search.tried, calls))
        searched += len(calls)
        overheard = search.overheard()

        for call, faults in zip(calls, found, strict=True):
            if faults:
                pytest.fail(f"{await search.smallest(call, faults)} {overheard}")
        assert overheard == [], f"seed {SEED}: {[str(call) for call in calls]}"

    told(f"{searched} calls")
    await _assert_well(search)


async def _assert_well(search: Search) -> None:
    """Every server serves, every relay has delivered, and the trail of new people is whole."""
    platform = search.ground.world.platform
    async with asyncio.timeout(CATCH_UP_SECONDS):
        # A server that is short of time may say for a moment that it is not ready.
        for service in platform.servers:
            while not await _serves(platform, service):  # noqa: ASYNC110 - a server is asked
                await asyncio.sleep(0.2)
    async with asyncio.timeout(CATCH_UP_SECONDS):
        while any(map(waiting, platform.databases.values())):  # noqa: ASYNC110 - relays are tasks
            await asyncio.sleep(0.2)
    await search.ground.renew()
    complete = await search.ground.world.alpha.do(
        "medhub.compliance.v1.AuditService/CheckCompleteness", audit.CheckCompletenessRequest()
    )
    assert all(not list(source.missing) for source in complete.sources), f"seed {SEED}"


async def _serves(platform: Platform, service: str) -> bool:
    stub: Any = health_pb2_grpc.HealthStub(platform.channel(service))
    health = await stub.Check(health_pb2.HealthCheckRequest(), timeout=20)
    return bool(health.status == health_pb2.HealthCheckResponse.SERVING)

"""The REST edge, under requests that nobody should send, before the real servers.

Requests are made from the contract's HTTP bindings and from the requests that the matrix knows to
be right. Whatever is sent: an answer of the contract as JSON, or a refusal of its one shape.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from core.contract import everything
from core.contract.reasons import HTTP_STATUS
from edge.bindings import Operation, operations
from edge.routes import HEALTH_PATHS
from tests.support.campaign import SEED, rounds, told
from tests.support.edges import Front, Reply, before
from tests.support.fuzz_ground import LACKING, Case, Ground, address_of, leaked, note, tokens_of
from tests.support.fuzz_json import Http, mutated, request_of
from tests.support.fuzz_values import CANARY
from tests.support.matrix_platform import prepared as platform_prepared
from tests.support.matrix_world import World
from tests.support.postgres import Server

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.campaign,
    pytest.mark.timeout(1800),
]
SECONDS, WHOLE_SECONDS = 35.0, 300.0
AT_ONCE = 12
ROUNDS_OF_A_WORLD = 60
# What the edge answers by itself, besides the statuses of the contract's reasons.
OWN_STATUSES = frozenset({405, 408, 413, 414, 415, 426, 431})
STATUSES = frozenset(HTTP_STATUS.values()) - {499, 500} | OWN_STATUSES | {200}
_BUSY = frozenset({503, 504})
BUSY_SECONDS, PATIENCE = 1.0, 4
WELL_SECONDS = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The prepared platform."""
    home = tmp_path_factory.mktemp("fuzz")
    async with platform_prepared(postgres, home, LACKING) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A real Envoy before it."""
    async with before(world.platform.ports, tmp_path_factory.mktemp("edge")) as running:
        yield running


@dataclass
class Search:
    """A search over its ground, through the edge."""

    ground: Ground
    edge: Front
    bound: dict[str, Operation]

    async def request(self, case: Case) -> Http:
        """The request of a case: a right one, changed."""
        ask = await self.ground.ask(case)
        binding = case.chance("binding").choice(self.bound[case.policy.method].bindings)
        http = request_of(binding, ask.request)
        tokens = tokens_of(self.ground.world, case, ask.token)
        sent = [("authorization", f"Bearer {token}") for token in tokens]
        sent.append(("x-forwarded-for", address_of(case)))
        http = replace(http, headers=(*http.headers, *sent))
        for change in range(case.changes):
            if change not in case.without:
                http = mutated(case.chance(change), http, self.ground.words)
        return http

    async def tried(self, case: Case, http: Http) -> list[str]:
        """Send a request, patiently, and judge what comes back."""
        note(self.ground.world, case, http.encoded())
        reply = await self._sent(http)
        for _ in range(PATIENCE):
            if reply and (reply.status not in _BUSY or _hurried(http)):
                break
            await asyncio.sleep(BUSY_SECONDS)
            reply = await self._sent(http)
        return judged(self.ground.world, case, http, reply) if reply else ["no answer"]

    async def _sent(self, http: Http) -> Reply | None:
        try:
            return await self.edge.send(http.encoded())
        except TimeoutError:
            return None

    async def smallest(self, case: Case, http: Http, faults: list[str]) -> str:
        """The request with as few changes as it still fails with, and how it fails."""
        least = case
        for change in range(case.changes):
            fewer = replace(least, without=least.without | {change})
            other = await self.request(fewer)
            found = await self.tried(fewer, other)
            if found:
                least, http, faults = fewer, other, found
        return f"seed {SEED}, case {case.number}: {case.policy} by {case.caller}: {http}: {faults}"


def judged(world: World, case: Case, http: Http, reply: Reply) -> list[str]:
    """The faults of a reply, whatever was asked."""
    if reply.status not in STATUSES:
        return [f"{reply.status} {reply.body[:200]!r}"]
    if not reply.body and (http.verb == "HEAD" or reply.status == 400 or _preflight(http)):
        return []
    if not reply.body and http.path in HEALTH_PATHS and reply.status in {200, 503}:
        # Whoever asks for the health of the edge reads its status alone.
        return []
    if reply.headers.get("content-type", "").partition(";")[0] != "application/json":
        is_grpc = reply.headers.get("content-type", "").startswith("application/grpc")
        return [] if is_grpc and _grpc(http) else [f"{reply.headers} {reply.body[:200]!r}"]
    try:
        told = json.loads(reply.body)
    except ValueError:
        return [f"no JSON: {reply.status} {reply.body[:200]!r}"]
    if reply.status == 200:
        leaks = leaked(world, case, http.encoded(), reply.body)
        return [f"it tells of the other organization: {word}" for word in sorted(leaks)]
    if reply.status == 504 and _hurried(http) and told.get("details") == []:
        # gRPC's runtime itself has kept the deadline; it knows no details.
        return []
    faults = [] if _is_status(told, reply.status) else [f"another shape: {reply.body[:400]!r}"]
    if CANARY.casefold() in f"{reply.body!r}{reply.headers}".casefold():
        faults.append(f"it repeats what was sent: {reply.body[:400]!r}")
    return faults


def _is_status(told: Any, status: int) -> bool:
    """A google.rpc.Status with a reason of the contract that this HTTP status stands for."""
    if not isinstance(told, dict) or set(told) != {"code", "message", "details"}:
        return False
    [info, *_] = told["details"] or [{}]
    reason = everything().reasons.get(info.get("reason"))
    fits = status in OWN_STATUSES or HTTP_STATUS.get(told["code"]) == status
    return bool(reason and reason.code == told["code"] and fits and info["domain"] == "medhub")


def _hurried(http: Http) -> bool:
    """It gives the call no time, so that it runs out of it is right."""
    return any(name == "grpc-timeout" for name, _ in http.headers)


def _grpc(http: Http) -> bool:
    return any(n == "content-type" and v.startswith("application/grpc") for n, v in http.headers)


def _preflight(http: Http) -> bool:
    return http.verb == "OPTIONS"


async def test_whatever_is_sent_is_answered_or_refused_in_one_shape(
    world: World, edge: Front
) -> None:
    """A status of the contract, JSON of one shape, nothing of others, Envoy alive after."""
    bound = {operation.method.name: operation for operation in operations(everything())}
    search = Search(Ground(world), edge, bound)
    methods = tuple(sorted(bound))

    searched = 0
    for number in rounds(SECONDS, WHOLE_SECONDS):
        if number and number % ROUNDS_OF_A_WORLD == 0:
            await search.ground.renew()
        cases = [Case(SEED, number * AT_ONCE + n, methods=methods) for n in range(AT_ONCE)]
        requests = [await search.request(case) for case in cases]
        found = await asyncio.gather(*map(search.tried, cases, requests))
        searched += len(cases)
        for case, http, faults in zip(cases, requests, found, strict=True):
            if faults:
                pytest.fail(await search.smallest(case, http, faults))

    told(f"{searched} requests")
    assert edge.process.returncode is None, f"seed {SEED}"
    async with asyncio.timeout(WELL_SECONDS):
        # A server that is short of time may say for a moment that it is not ready.
        while (await edge.call("GET", "/health/")).status != 200:  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.2)

"""AuthStateService over a real server: who may follow, and how fast the truth arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from core.contract import everything
from core.rpc.channel import Channels, ServiceKey
from core.truth import State, Truth
from core.truth.follower import Follower, resolving
from core.truth.hops import HOP_KEPT_SECONDS
from core.truth.refusals import Unauthenticated
from medhub.auth.v1 import auth_service_pb2, auth_state_service_pb2_grpc
from medhub.auth.v1 import auth_state_service_pb2 as wire
from tests.support.auth_server import AuthServer, enrol, told, until

EMAIL = "zoe@parc.test"


@pytest.fixture
async def channels(server: AuthServer) -> AsyncIterator[Channels]:
    """Channels of another server of the platform, with an account of its own."""
    await enrol(server.store, server.home / "other.key.json")
    made = Channels(
        {"auth": server.target},
        ServiceKey.read(server.home / "other.key.json"),
        everything(),
    )
    yield made
    await made.close()


@pytest.fixture
async def truth(channels: Channels) -> AsyncIterator[Truth]:
    """That server's truth: streamed, with a hop for what it sees first."""
    state, channel = State(), channels.to("auth")
    follower = Follower(state, channel)
    follower.start()
    await until(lambda: state.proven_at > float("-inf"))
    yield Truth(state, resolving(channel))
    await follower.stop()


async def test_another_server_knows_the_caller(server: AuthServer, truth: Truth) -> None:
    """No hop for somebody who has just joined: the stream has told it."""
    user = await server.member(EMAIL, "doctor")
    token = (await server.log_in(EMAIL)).access_token

    first = await truth.caller_of(token, bound=2.0)
    for _ in range(20):
        assert await truth.caller_of(token, bound=2.0) == first

    assert (first.subject, first.roles) == (user, ("doctor",))
    assert "clinical.patients.read" in first.permissions
    assert truth.hops == 0


async def test_a_principal_seen_first_costs_one_hop(server: AuthServer, truth: Truth) -> None:
    """However many calls ask at once, and none afterwards; asked each time, it is one each."""
    await server.member(EMAIL, "doctor")
    token = (await server.log_in(EMAIL)).access_token
    await truth.caller_of(token, bound=2.0)
    truth.state.memberships.clear()
    truth.state.version += 1

    callers = await asyncio.gather(*(truth.caller_of(token, bound=2.0) for _ in range(100)))

    assert {caller.roles for caller in callers} == {("doctor",)}
    assert truth.hops == 1


async def test_a_log_out_is_known_elsewhere_at_once(server: AuthServer, truth: Truth) -> None:
    """Well within the bound of a write, without a hop."""
    await server.member(EMAIL, "doctor")
    token = (await server.log_in(EMAIL)).access_token
    await truth.caller_of(token, bound=2.0)

    answer = await server.call("AuthService/Logout", auth_service_pb2.LogoutRequest(), token)
    began = asyncio.get_running_loop().time()
    await until(lambda: truth.state.revision >= answer.auth_revision)
    took = asyncio.get_running_loop().time() - began

    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=2.0)
    assert took < 0.5
    assert truth.hops == 0


async def test_only_servers_may_follow(server: AuthServer) -> None:
    """Not a user, whatever they are in their organization, and not a stranger."""
    await server.member(EMAIL, "administrator")
    token = (await server.log_in(EMAIL)).access_token

    assert await _watch(server, token) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    assert await _watch(server, "") == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    assert await server.refused(
        "AuthStateService/ResolvePrincipal",
        wire.ResolvePrincipalRequest(access_token=token),
        token,
    ) == ("PERMISSION_DENIED", "PERMISSION_DENIED")


async def test_each_reason_of_the_stream(server: AuthServer, channels: Channels) -> None:
    """A revision that was never issued, and a token that holds no more."""
    own = await channels.token.get()

    assert await _watch(server, own, from_revision=10**9) == (
        "OUT_OF_RANGE",
        "REVISION_OUT_OF_RANGE",
    )
    assert await server.refused(
        "AuthStateService/ResolvePrincipal",
        wire.ResolvePrincipalRequest(access_token="a.b.c"),
        own,
    ) == ("UNAUTHENTICATED", "TOKEN_INVALID")


async def test_a_checkpoint_comes_each_second_even_unasked(
    server: AuthServer, channels: Channels
) -> None:
    """Snapshot first, then proofs; a probe is answered by its number."""
    stub: Any = auth_state_service_pb2_grpc.AuthStateServiceStub(channels.to("auth"))
    stream = stub.Watch()
    await stream.write(wire.WatchRequest(from_revision=0, probe=41))

    seen = [await asyncio.wait_for(stream.read(), 60) for _ in range(4)]
    stream.cancel()

    assert seen[0].snapshot.last
    probes = [each.checkpoint.probe for each in seen[1:]]
    assert 41 in probes
    assert 0 in probes


async def _watch(server: AuthServer, token: str, from_revision: int = 0) -> tuple[str, str]:
    stub: Any = auth_state_service_pb2_grpc.AuthStateServiceStub(server.channel)
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    stream = stub.Watch(metadata=metadata, timeout=10.0)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await _first(stream, from_revision)
    return told(refusal.value)


async def _first(stream: Any, from_revision: int) -> None:
    with suppress(asyncio.InvalidStateError):  # It was refused before the first message.
        await stream.write(wire.WatchRequest(from_revision=from_revision))
    async for _ in stream:
        return


async def test_past_the_bound_auth_says_what_the_roles_give(
    server: AuthServer, truth: Truth
) -> None:
    """A role that this server has heard of with more permissions gives what auth says now."""
    user = await server.member(EMAIL, "nurse")
    token = (await server.log_in(EMAIL)).access_token
    given = (await truth.caller_of(token, bound=10.0)).permissions
    # As though the stream had been cut before the built-in role lost what it gives no more.
    truth.state.revision -= 1
    truth.state.roles["", "nurse"] = given | {"auth.memberships.create"}
    truth.state.version += 1
    truth.state.proven_at -= 3600.0

    for bound in (10.0, 2.0, 0.0):
        caller = await truth.caller_of(token, bound=bound)
        assert (caller.subject, caller.permissions) == (user, given)


async def test_a_server_that_does_not_understand_asks_and_says_so(server: AuthServer) -> None:
    """Health says NOT_SERVING; whoever calls all the same is judged by the database's word."""
    await server.member(EMAIL, "doctor")
    token = (await server.log_in(EMAIL)).access_token
    truth = server.server._steps.truth
    check = server.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    mine = auth_service_pb2.ListMyOrganizationsRequest()

    truth.state.misunderstood()
    hops = truth.hops
    await server.call("AuthService/ListMyOrganizations", mine, token)
    await until(lambda: not server.server.serving)

    assert truth.hops == hops + 1
    answer = await check(health_pb2.HealthCheckRequest(), timeout=60)
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    await server.call("AuthService/Logout", auth_service_pb2.LogoutRequest(), token)
    await asyncio.sleep(HOP_KEPT_SECONDS)
    assert await server.refused("AuthService/ListMyOrganizations", mine, token) == (
        "UNAUTHENTICATED",
        "UNAUTHENTICATED",
    )

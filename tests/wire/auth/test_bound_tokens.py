"""Tokens of servers in production: bound to their certificate, which is replaced at any time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest

from core.contract import everything
from core.crypto.certificates import TlsFiles
from core.rpc import channel as channel_module
from core.rpc.channel import Channels, ServiceKey
from core.truth.follower import Follower
from core.truth.state import State
from medhub.auth.v1 import auth_service_pb2 as wire
from medhub.auth.v1 import auth_state_service_pb2 as state
from medhub.auth.v1 import auth_state_service_pb2_grpc
from tests.support.auth_server import AuthServer, enrol, running_auth, until
from tests.support.certificates import Authority, channel_with, put, settings_of, thumbprint
from tests.support.postgres import ServiceDatabase


@dataclass
class Guarded:
    """Auth behind certificates, and another server of the platform with one of its own."""

    server: AuthServer
    authority: Authority
    files: TlsFiles
    channels: Channels

    async def resolve(self, token: str) -> Any:
        """Ask auth about a token, as a server does."""
        stub: Any = auth_state_service_pb2_grpc.AuthStateServiceStub(self.channels.to("auth"))
        return await stub.ResolvePrincipal(state.ResolvePrincipalRequest(access_token=token))


@pytest.fixture
async def guarded(
    database: Callable[[str], ServiceDatabase], tmp_path: Path
) -> AsyncIterator[Guarded]:
    """Both run."""
    authority = Authority()
    own = authority.files(tmp_path / "auth", "spiffe://medhub/auth")
    files = authority.files(tmp_path / "clinical", "spiffe://medhub/clinical")
    client = authority.pair("spiffe://medhub/tests")
    async with running_auth(
        database("auth"),
        tmp_path,
        lambda target: channel_with(target, client),
        **settings_of(own),
    ) as server:
        await enrol(server.store, tmp_path / "clinical.key.json")
        key = ServiceKey.read(tmp_path / "clinical.key.json")
        channels = Channels({"auth": server.target}, key, everything(), files)
        yield Guarded(server, authority, files, channels)
        await channels.close()


def _bound_to(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    return str(claims["cnf"]["x5t#S256"])


async def test_a_servers_token_is_good_with_its_certificate_alone(guarded: Guarded) -> None:
    """The server itself gets in with it; whoever has stolen it does not."""
    token = await guarded.channels.token.get()
    answer = await guarded.resolve(token)
    thiefs = guarded.authority.pair("spiffe://medhub/thief")

    async with channel_with(guarded.server.target, thiefs) as channel:
        stub: Any = auth_state_service_pb2_grpc.AuthStateServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.ResolvePrincipal(
                state.ResolvePrincipalRequest(access_token=token),
                metadata=(("authorization", f"Bearer {token}"),),
            )

    assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert answer.roles == ["service"]
    assert _bound_to(token) == thumbprint(guarded.files.read())


async def test_a_token_on_behalf_is_bound_to_the_server_that_shows_it(guarded: Guarded) -> None:
    """Not to whoever it acts for, whose own token is bound to nothing."""
    await guarded.server.member("nurse@parc.test", "nurse")
    shown = (await guarded.server.log_in("nurse@parc.test")).access_token
    request = wire.ExchangeTokenRequest(subject_token=shown, audience="clinical")
    go: Any = guarded.channels.to("auth").unary_unary(
        "/medhub.auth.v1.AuthService/ExchangeToken",
        request_serializer=wire.ExchangeTokenRequest.SerializeToString,
        response_deserializer=wire.ExchangeTokenResponse.FromString,
    )

    answer = await go(request)

    assert _bound_to(answer.access_token) == thumbprint(guarded.files.read())
    assert "cnf" not in jwt.decode(shown, options={"verify_signature": False})


async def test_no_call_fails_while_a_certificate_is_replaced(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls go on, at first with the old one and its token, then with the new one and its."""
    monkeypatch.setattr(channel_module, "LOOK_SECONDS", 0.05)
    await guarded.channels.close()
    guarded.channels = Channels(
        {"auth": guarded.server.target},
        ServiceKey.read(guarded.server.home / "clinical.key.json"),
        everything(),
        guarded.files,
    )
    done, calls = asyncio.Event(), 0

    async def work() -> None:
        nonlocal calls
        while not done.is_set():
            await guarded.resolve(await guarded.channels.token.get())
            calls += 1

    working = [asyncio.create_task(work()) for _ in range(4)]
    for _ in range(3):
        following = guarded.authority.pair("spiffe://medhub/clinical")
        put(guarded.files, following)
        await until(lambda pem=following: _newest(guarded) == thumbprint(pem))  # type: ignore[misc]
        so_far = calls
        await until(lambda so_far=so_far: calls > so_far + 8)  # type: ignore[misc]
    done.set()
    await asyncio.gather(*working)


def _newest(guarded: Guarded) -> str:
    token = guarded.channels.token._token
    return _bound_to(token) if token else ""


async def _replace(guarded: Guarded) -> None:
    put(guarded.files, guarded.authority.pair("spiffe://medhub/clinical"))
    assert guarded.channels._watched is not None
    assert guarded.channels._watched.changed()
    assert await guarded.channels.replace()


async def test_a_stream_goes_on_over_the_certificate_that_it_began_with(guarded: Guarded) -> None:
    """Nothing is closed under it; once it has ended, the channels that it was the last on are."""
    await guarded.channels.token.get()
    stub: Any = auth_state_service_pb2_grpc.AuthStateServiceStub(guarded.channels.to("auth"))
    stream = stub.Watch()
    await stream.write(state.WatchRequest(probe=1))
    await _probe_seen(stream, 1)

    await _replace(guarded)
    await stream.write(state.WatchRequest(probe=2))
    await _probe_seen(stream, 2)

    [leaving] = guarded.channels._leaving
    assert not leaving.done()
    stream.cancel()
    await until(lambda: not guarded.channels._leaving)


async def _probe_seen(stream: Any, probe: int) -> None:
    async with asyncio.timeout(60):
        while (await stream.read()).checkpoint.probe != probe:
            pass


async def test_whoever_follows_goes_on_when_a_channel_is_closed_all_the_same(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancelled call is not the end of the task: over the next channel the stream begins anew."""
    monkeypatch.setattr(channel_module, "LEAVE_SECONDS", 0.1)
    followed = State()
    follower = Follower(followed, guarded.channels.to("auth"))
    follower.start()
    await until(lambda: followed.proven_at > float("-inf"))

    await _replace(guarded)
    await until(lambda: not guarded.channels._leaving)
    proven_at = followed.proven_at
    await until(lambda: followed.proven_at > proven_at)

    await follower.stop()


async def test_a_certificate_that_auth_does_not_know_replaces_nothing(guarded: Guarded) -> None:
    """The server goes on with the one that is good."""
    token = await guarded.channels.token.get()
    stranger = Authority("Another").pair("spiffe://medhub/clinical")
    put(guarded.files, stranger)
    assert guarded.channels._watched is not None
    assert guarded.channels._watched.changed()

    replaced = await guarded.channels.replace()

    assert not replaced
    assert await guarded.channels.token.get() == token
    assert (await guarded.resolve(token)).roles == ["service"]

"""The keys that tokens are signed with: shown to all, followed by new ones, and withdrawn."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from auth import operation, signing
from core import clock
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from medhub.auth.v1 import auth_service_pb2 as wire
from medhub.auth.v1 import key_service_pb2 as keys
from medhub.auth.v1 import session_service_pb2 as sessions
from tests.support.auth_server import AuthServer, server, until

__all__ = ["server"]


def _keyring(server: AuthServer) -> Keyring:
    return Keyring.open(server.home / "auth.keyring", KeyFile(server.home / "auth.keyring-key"))


async def _shown(server: AuthServer) -> dict[str, Any]:
    answer = await server.call("KeyService/GetKeySet", keys.GetKeySetRequest())
    return {key.kid: key for key in answer.keys}


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def test_anybody_can_verify_a_token_by_the_keys(server: AuthServer) -> None:
    """A library that knows nothing of medhub takes the key as it is."""
    await server.member("a@parc.test", "nurse")
    token = (await server.log_in("a@parc.test")).access_token

    shown = (await _shown(server))[_kid(token)]

    assert (shown.kty, shown.crv, shown.use, shown.alg) == ("OKP", "Ed25519", "sig", "EdDSA")
    raw = base64.urlsafe_b64decode(shown.x + "=" * (-len(shown.x) % 4))
    claims = jwt.decode(
        token, Ed25519PublicKey.from_public_bytes(raw), algorithms=["EdDSA"], audience="medhub"
    )
    assert claims["iss"] == "medhub"
    as_json = {"kty": shown.kty, "crv": shown.crv, "x": shown.x, "kid": shown.kid}
    assert jwt.PyJWK(as_json, algorithm="EdDSA").key.public_bytes_raw() == raw


async def test_no_call_fails_while_keys_are_rotated(
    server: AuthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log-ins, renewals and calls go on; tokens of both keys are good, before and after."""
    monkeypatch.setattr(signing, "PUBLISHED_BEFORE", timedelta(seconds=1))
    await server.member("a@parc.test", "nurse")
    first = await server.log_in("a@parc.test")
    kids: list[str] = []
    done = asyncio.Event()

    async def work() -> None:
        held = first if not kids else await server.log_in("a@parc.test")
        refresh, access = held.refresh_token, held.access_token
        while not done.is_set():
            kids.append(_kid(access))
            await server.call("SessionService/ListSessions", sessions.ListSessionsRequest(), access)
            renewed = await server.call(
                "AuthService/RefreshToken", wire.RefreshTokenRequest(refresh_token=refresh)
            )
            refresh, access = renewed.refresh_token, renewed.access_token

    working = [asyncio.create_task(work())]
    await until(lambda: bool(kids))
    working += [asyncio.create_task(work()) for _ in range(3)]
    for _ in range(3):
        kid = await signing.rotate(server.store, _keyring(server))
        await until(lambda kid=kid: kid in kids)  # type: ignore[misc]
    done.set()
    await asyncio.gather(*working)

    assert len(set(kids)) == 4
    await server.call(
        "SessionService/ListSessions", sessions.ListSessionsRequest(), first.access_token
    )


async def test_a_key_is_followed_once_when_it_is_old(server: AuthServer) -> None:
    """Whoever finds it too old at the same moment, and nobody before that."""
    keyring = _keyring(server)
    young = await signing.rotate_older_than(server.store, keyring, timedelta(days=90))

    made = await asyncio.gather(
        *(signing.rotate_older_than(server.store, keyring, timedelta(0)) for _ in range(4))
    )

    assert young is None
    assert len([kid for kid in made if kid]) == 1
    assert len(await _shown(server)) == 2


async def test_a_compromised_key_is_refused_and_replaced(server: AuthServer) -> None:
    """Its tokens are dead at once, sessions go on, and a new key signs within moments."""
    await server.member("a@parc.test", "nurse")
    made = await server.log_in("a@parc.test")
    stolen = _kid(made.access_token)

    await operation.revoke_key(server.store, _keyring(server), stolen)

    await until(lambda: stolen not in _verifying(server))
    request = sessions.ListSessionsRequest()
    refused = await server.refused("SessionService/ListSessions", request, made.access_token)
    assert refused == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    validate = wire.ValidateTokenRequest(token=made.access_token)
    assert (await server.refused("AuthService/ValidateToken", validate))[1] == "TOKEN_INVALID"
    assert stolen not in await _shown(server)
    renewed = await _renewed(server, made.refresh_token)
    assert _kid(renewed) != stolen
    await server.call("SessionService/ListSessions", request, renewed)
    with pytest.raises(operation.NoSuchRow):
        await operation.revoke_key(server.store, _keyring(server), stolen)


def _verifying(server: AuthServer) -> set[str]:
    state = server.server._steps.truth.state
    return {kid for kid, key in state.keys.items() if key.verifies(clock.now())}


async def _renewed(server: AuthServer, refresh_token: str) -> str:
    """The next access token, asked for again while no key signs, as the refusal says."""
    request = wire.RefreshTokenRequest(refresh_token=refresh_token)
    for _ in range(100):
        try:
            return str((await server.call("AuthService/RefreshToken", request)).access_token)
        except grpc.aio.AioRpcError as refusal:
            if refusal.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            await asyncio.sleep(0.2)
    raise TimeoutError

"""Channels to other services: one a target, for the life of the process, made only here.

Each carries the service's own token, or one on behalf of the caller in progress, gives every call
a deadline, and retries UNAVAILABLE for methods that may be repeated. C-core does the retrying
(gRFC A6), with throttling.
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast
from uuid import uuid4

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import tasks
from core.contract import Contract
from core.crypto.certificates import Pem, TlsFiles, Watched
from core.crypto.private_files import PrivateFile, UnsafeFile
from core.errors import Unavailable
from core.rpc.carrying import DEFAULT_DEADLINE, InProgress, Interceptors, carrying
from core.rpc.delegation import Delegation
from core.rpc.health import OPEN
from core.rpc.lasting import Lasting
from core.rpc.limits import KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS, MAX_MESSAGE_BYTES
from core.rpc.tls import channel_credentials
from core.starting import CannotStart
from core.truth.proof import AUDIENCE
from medhub.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from medhub.options.v1 import policy_pb2 as options

# An assertion is used at once; it need not live longer than a slow hop.
ASSERTION_SECONDS = 60
# A service token is renewed when this much of its life is left, in seconds.
RENEW_BEFORE = 60.0
RETRY_ATTEMPTS = 3
# When auth could not renew a token that is still good, it is asked again after this long.
RENEW_PAUSE = 1.0
# A certificate is replaced hours or days before its end; it is looked for this often.
LOOK_SECONDS = 10.0
# Calls over the channels of the certificate before are left to end. The longest is a stream, which
# is cut when its token runs out, after five minutes; a little more for a server that is slow.
LEAVE_SECONDS = 400.0
_log = logging.getLogger("medhub.channels")


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A service account's name and the private key that proves it."""

    account: str
    private_key: Ed25519PrivateKey

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a key file: JSON with `account` and `private_key` (base64 of 32 bytes).

        Raises CannotStart for one that is missing, open to others or something else.
        """
        try:
            content = json.loads(PrivateFile(path).read())
            raw = base64.b64decode(content["private_key"])
            return cls(content["account"], Ed25519PrivateKey.from_private_bytes(raw))
        except (OSError, UnsafeFile) as fault:
            raise CannotStart(f"the key file of the service account: {path}: {fault}") from fault
        except (ValueError, TypeError, KeyError) as fault:
            raise CannotStart(f"{path} is no key file of a service account") from fault

    def assertion(self) -> str:
        """A fresh assertion (RFC 7523) that the bearer is this service account."""
        now = int(time.time())
        claims = {
            "iss": self.account,
            "sub": self.account,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        return jwt.encode(claims, self.private_key, algorithm="EdDSA")


class ServiceToken:
    """The access token of a service account, renewed before it runs out; one renewal at a time."""

    def __init__(self, key: ServiceKey, auth: grpc.aio.Channel) -> None:
        self._key = key
        self._stub: Any = auth_service_pb2_grpc.AuthServiceStub(auth)
        self._token = ""
        self._renew_at = 0.0
        self._expires_at = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """A token that is good for a while. Raises Unavailable when auth cannot give one."""
        if time.time() < self._renew_at:
            return self._token
        async with self._lock:
            if time.time() >= self._renew_at:
                await self._renew()
        return self._token

    def refused(self, token: str) -> None:
        """Note that a server took the token for dead: its key or its account was revoked."""
        if token == self._token:
            self._renew_at = self._expires_at = 0.0

    async def _renew(self) -> None:
        request = auth_service_pb2.IssueServiceTokenRequest(assertion=self._key.assertion())
        try:
            answer = await self._stub.IssueServiceToken(request, timeout=DEFAULT_DEADLINE)
        except grpc.aio.AioRpcError:
            if time.time() < self._expires_at:
                self._renew_at = time.time() + RENEW_PAUSE
                return
            raise Unavailable(retry_after=1.0) from None
        self._token = answer.access_token
        self._expires_at = answer.expire_time.seconds
        life = self._expires_at - time.time()
        self._renew_at = time.time() + max(life - RENEW_BEFORE, life / 2)


class _Generation:
    """The channels of one certificate, or of none, and the token that was got over them."""

    def __init__(
        self,
        targets: Mapping[str, str],
        key: ServiceKey,
        open_: Callable[[str, Interceptors], grpc.aio.Channel],
    ) -> None:
        self._targets = targets
        self._open = open_
        self._calls = InProgress()
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._for_callers: dict[str, grpc.aio.Channel] = {}
        self._plain = open_(targets["auth"], ())
        self.token = ServiceToken(key, self._plain)

    def to(self, service: str) -> grpc.aio.Channel:
        if service not in self._channels:
            self._channels[service] = self._open(
                self._targets[service], carrying(self.token, self._calls)
            )
        return self._channels[service]

    def for_caller(self, service: str) -> grpc.aio.Channel:
        if service not in self._for_callers:
            tokens = Delegation(service, self.to("auth"))
            self._for_callers[service] = self._open(
                self._targets[service], carrying(tokens, self._calls)
            )
        return self._for_callers[service]

    async def leave(self) -> None:
        """Close all of them once the calls over them have ended.

        A channel that is closed under a call cancels it, for which no caller is prepared.
        """
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._calls.none()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close all of them at once."""
        channels = (*self._channels.values(), *self._for_callers.values(), self._plain)
        await asyncio.gather(*(channel.close() for channel in channels))


class Channels:
    """The channels of one process, by the name of the service."""

    def __init__(
        self,
        targets: Mapping[str, str],
        key: ServiceKey,
        contract: Contract,
        tls: TlsFiles | None = None,
    ) -> None:
        """`contract` says which methods may be repeated; `targets` are addresses by service.

        With `tls` both sides prove themselves. Raises CannotStart when those files cannot be
        used.
        """
        self._targets = targets
        self._key = key
        self._contract = contract
        self._tls = tls
        self._watched = Watched(tls) if tls is not None else None
        self._now = self._generation()
        self._leaving: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        if self._watched is not None:
            self._following = asyncio.get_running_loop().create_task(self._follow(self._watched))

    @property
    def token(self) -> ServiceToken:
        """This service's own token."""
        return self._now.token

    def to(self, service: str) -> grpc.aio.Channel:
        """The channel to a service, carrying this service's token."""
        if self._watched is None:
            return self._now.to(service)
        return cast("grpc.aio.Channel", Lasting(lambda: self._now.to(service)))

    def for_caller(self, service: str) -> grpc.aio.Channel:
        """The channel to a service on behalf of whoever makes the call in progress.

        It carries a token that auth gives for both: the other server lets through what the caller
        and this service may do, and its trail names both. A call raises Unauthenticated when the
        caller's token is dead by now, Unavailable when auth cannot be asked, and NobodyToActFor
        when no call of somebody known is in progress.
        """
        if self._watched is None:
            return self._now.for_caller(service)
        return cast("grpc.aio.Channel", Lasting(lambda: self._now.for_caller(service)))

    async def close(self) -> None:
        """Close all of them."""
        await tasks.end(self._following)
        for leaving in list(self._leaving):
            await tasks.end(leaving)
        await self._now.close()

    async def replace(self) -> bool:
        """Go over to the certificate in the files: calls that begin from now on show it.

        The token is bound to the certificate, so one is got first. False: it could not be got,
        and everything stays as it was.
        """
        following = self._generation()
        try:
            await following.token.get()
        except Unavailable:
            await following.close()
            return False
        before, self._now = self._now, following
        leaving = asyncio.get_running_loop().create_task(before.leave())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        return True

    async def _follow(self, watched: Watched) -> None:
        due = False
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            due = watched.changed() or due
            if due and await self.replace():
                _log.info("the channels show the new certificate")
                due = False

    def _generation(self) -> _Generation:
        pem = None if self._watched is None else self._watched.pem
        name = "" if self._tls is None else self._tls.server_name

        def open_(target: str, interceptors: Interceptors) -> grpc.aio.Channel:
            return open_channel(target, self._contract, interceptors, pem, name)

        return _Generation(self._targets, self._key, open_)


def open_channel(
    target: str,
    contract: Contract,
    interceptors: Interceptors = (),
    pem: Pem | None = None,
    server_name: str = "",
) -> grpc.aio.Channel:
    """A channel as every one of the platform is; with `pem` both sides prove themselves.

    `server_name` is the name in the server's certificate, where it is not that of the target.
    """
    settings = [
        ("grpc.service_config", json.dumps(service_config(target, contract))),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        # A peer that comes back is found within a second, not after the default two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        # Names are looked up anew as soon as a server has gone, not half a minute later.
        ("grpc.dns_min_time_between_resolutions_ms", 1000),
    ]
    if pem is None:
        return grpc.aio.insecure_channel(target, settings, interceptors=interceptors)
    if server_name:
        settings.append(("grpc.ssl_target_name_override", server_name))
    credentials = channel_credentials(pem)
    return grpc.aio.secure_channel(target, credentials, settings, interceptors=interceptors)


def service_config(target: str, contract: Contract) -> dict[str, object]:
    """How gRPC treats calls to a target, by itself: which servers it uses, what it repeats."""
    return {**_methods(contract), **(_spread() if _names_servers(target) else {})}


def _names_servers(target: str) -> bool:
    """Whether a target names servers, not one address that may stand for several."""
    return target.startswith(("dns:", "ipv4:", "ipv6:"))


def _spread() -> dict[str, object]:
    """Use all servers that are open; one that drains is left before it stops."""
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": OPEN},
    }


def _methods(contract: Contract) -> dict[str, object]:
    repeatable = [
        {"service": m.service, "method": m.name.rpartition("/")[2]}
        for m in contract.methods.values()
        if m.policy.idempotency != options.IDEMPOTENCY_UNSPECIFIED and not m.streaming
    ]
    return {
        "methodConfig": [{
            "name": repeatable,
            "retryPolicy": {
                "maxAttempts": RETRY_ATTEMPTS,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                # A server that stops cancels, unseen, what comes while it says so. A caller who
                # gives up is never repeated, so here CANCELLED is always the server's.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }],
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }  # fmt: skip

"""A real server on a real port, with every step around its servicers, and tokens to call it with.

Auth itself is stood in for by an authority that signs tokens and tells the server's state what
is true, by the very messages of the auth stream; asked about a token, it says the same. It never
lags and always answers, so tests of delay and outage belong to auth's own.
"""

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.rpc import error_details_pb2, status_pb2
from pydantic import SecretBytes, SecretStr

from core import clock
from core.crypto.keyring import Keyring
from core.crypto.unlocking import Passphrase
from core.ids import new_id
from core.rpc.endings import TrueEndings
from core.service import Build, Core, start
from core.settings import CoreSettings
from core.truth import Claims, Resolved, Truth
from core.truth.proof import ALGORITHM, NotProven, sign
from medhub.auth.v1 import auth_service_pb2
from medhub.auth.v1 import auth_state_pb2 as wire
from tests.support.postgres import PAGE_KEY, ServiceDatabase

PHRASE = Passphrase("of the tests", cost=2)
_PROVE_EVERY = 0.2  # seconds; a tenth of what a write tolerates
_KEY_ID = "of-the-tests"


class Authority:
    """Signs tokens and keeps one server's state true to them."""

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()
        self._core: Core | None = None
        self._issued: dict[str, Claims] = {}

    async def truth(self, core: Core) -> Truth:
        """The truth of the server: known from the start, proven all the time."""
        self._core = core
        key = wire.KeyChanged(
            kid=_KEY_ID,
            algorithm=ALGORITHM,
            public_key=self._private.public_key().public_bytes_raw(),
            state=wire.KEY_STATE_ACTIVE,
        )
        events = [wire.StateEvent(key_changed=key)]
        core.state.apply_snapshot(wire.Snapshot(revision=1, events=events, last=True))
        proving = asyncio.create_task(self._prove())
        core.parts.push_async_callback(_ended, proving)
        return Truth(core.state, self._resolve)

    def token(
        self,
        *permissions: str,
        organization: UUID | None = None,
        subject: UUID | None = None,
        kind: str = "user",
        service: str = "",
    ) -> str:
        """A token of somebody who holds these permissions in the organization (None: in none).

        `service` is the registered name of a server of the platform.
        """
        subject = subject or new_id()
        self._tell(
            wire.StateEvent(
                role_changed=wire.RoleChanged(role=str(subject), permissions=permissions)
            ),
            wire.StateEvent(
                membership_changed=wire.MembershipChanged(
                    subject_id=str(subject),
                    organization_id=str(organization or ""),
                    roles=[str(subject)],
                )
            ),
        )
        now = clock.now().replace(microsecond=0)
        claims = Claims(
            subject=subject,
            kind="service" if service else kind,
            service=service,
            revision=self._state.revision,
            issued_at=now,
            expires_at=now + timedelta(minutes=5),
            token_id=str(new_id()),
            organization=organization,
            session=None if service or kind != "user" else new_id(),
            assurance=2,
            authenticated_at=now,
        )
        token = sign(claims, self._private.private_bytes_raw(), _KEY_ID)
        self._issued[token] = claims
        return token

    async def _resolve(self, token: str) -> Resolved:
        """Whom a token stands for, asked by methods that ask each time."""
        if token not in self._issued:
            raise NotProven
        claims = self._issued[token]
        roles = (str(claims.subject),)
        given = self._state.permissions(claims.organization, roles)
        return Resolved(claims.subject, claims.organization, roles, self._state.revision, given)

    @property
    def _state(self) -> Any:
        assert self._core is not None, "the server has not started"
        return self._core.state

    def _tell(self, *events: wire.StateEvent) -> None:
        revision = self._state.revision
        told = wire.Delta(previous_revision=revision, revision=revision + 1, events=events)
        assert self._state.apply_delta(told)

    async def _prove(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._state.prove(self._state.revision, loop.time())
            await asyncio.sleep(_PROVE_EVERY)


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: the channel of a client, and the authority that admits its callers."""

    channel: grpc.aio.Channel
    authority: Authority
    target: str


@asynccontextmanager
async def serving(
    service: str,
    build: Build,
    database: ServiceDatabase,
    folder: Path,
    *relay_permissions: str,
) -> AsyncIterator[Served]:
    """Serve for the length of a block. The server's own relay gets a token with these permissions,
    and sends to the server itself.
    """
    authority = Authority()
    async with AsyncExitStack() as parts:
        issuer = await _issuer(authority, service, relay_permissions)
        parts.push_async_callback(issuer.stop, 0)
        target = f"127.0.0.1:{_free_port()}"
        settings = _settings(database, folder, target, f"127.0.0.1:{issuer.port}")
        await start(service, settings, build, authority.truth, parts)
        channel = grpc.aio.insecure_channel(target, interceptors=(TrueEndings(),))
        parts.push_async_callback(channel.close)
        yield Served(channel, authority, target)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call with this token."""
    return (("authorization", f"Bearer {token}"),)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason for which a call was refused."""
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(details).details:
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def _settings(
    database: ServiceDatabase, folder: Path, target: str, auth_target: str
) -> CoreSettings:
    keyring, key = folder / "keyring.json", folder / "service.json"
    Keyring.create(keyring, PHRASE)
    private = base64.b64encode(os.urandom(32)).decode()
    key.write_text(json.dumps({"account": f"serviceAccounts/{new_id()}", "private_key": private}))
    key.chmod(0o600)
    return CoreSettings(
        listen=target,
        database_app_url=SecretStr(database.urls.app),
        database_relay_url=SecretStr(database.urls.relay),
        auth_target=auth_target,
        compliance_target=target,
        subject_targets={database.service: target},
        analytics_target=target,
        keyring_path=keyring,
        keyring_passphrase=SecretStr(PHRASE.text),
        service_key_path=key,
        database_page_key=SecretBytes(PAGE_KEY),
        drain_seconds=0.0,
    )


@dataclass(slots=True)
class _Issuer:
    server: grpc.aio.Server
    port: int

    async def stop(self, grace: float) -> None:
        await self.server.stop(grace)


async def _issuer(authority: Authority, service: str, permissions: tuple[str, ...]) -> _Issuer:
    """Gives the server its own token, as auth does for a service account."""

    account = new_id()

    async def issue(request: Any, context: Any) -> auth_service_pb2.IssueServiceTokenResponse:
        answer = auth_service_pb2.IssueServiceTokenResponse(
            access_token=authority.token(*permissions, subject=account, service=service)
        )
        answer.expire_time.FromDatetime(clock.now() + timedelta(minutes=5))
        return answer

    method = grpc.unary_unary_rpc_method_handler(
        issue,
        auth_service_pb2.IssueServiceTokenRequest.FromString,
        auth_service_pb2.IssueServiceTokenResponse.SerializeToString,
    )
    server = grpc.aio.server()
    handlers = grpc.method_handlers_generic_handler(
        "medhub.auth.v1.AuthService", {"IssueServiceToken": method}
    )
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return _Issuer(server, port)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

"""The auth server as `python -m auth` runs it, on a real socket, for tests of the wire."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from auth import bootstrap
from auth.domain.messages import Message, Template
from auth.formats import key_files
from auth.server import Auth
from auth.settings import MessageSettings
from auth.storage.store import Store
from core.contract import everything
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.ids import name_of
from core.rpc.server import Server
from core.service import start
from core.settings import CoreSettings
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.mails import kept_messages
from tests.support.postgres import PAGE_KEY, ServiceDatabase

KEPT_MESSAGES = MessageSettings(mail="outbox", sms="outbox")
PASSWORD = "bright-kestrel-orbit-41"
READY_SECONDS = 90.0
HOST = "127.0.0.1"


@dataclass
class AuthServer:
    """A running server, its database, and a client's channel to it."""

    server: Server
    database: ServiceDatabase
    store: Store
    channel: grpc.aio.Channel
    target: str
    organization: UUID
    home: Path
    keyring: Keyring

    async def call(self, method: str, request: Any, token: str = "", **headers: str) -> Any:
        """Call `AuthService/Login`; types come from the contract."""
        return await self._going(method, request, token, **headers)

    async def change(self, method: str, request: Any, token: str) -> tuple[Any, int]:
        """The answer of a call, and the revision that its metadata tell; 0: none."""
        going = self._going(method, request, token)
        answer = await going
        return answer, int(dict(await going.initial_metadata()).get("x-medhub-auth-revision", 0))

    def _going(self, method: str, request: Any, token: str, **headers: str) -> Any:
        known: Any = everything().methods[f"/medhub.auth.v1.{method}"]
        go: Any = self.channel.unary_unary(
            known.path,
            request_serializer=known.request.SerializeToString,
            response_deserializer=known.response.FromString,
        )
        metadata = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if token:
            metadata.append(("authorization", f"Bearer {token}"))
        return go(request, metadata=metadata, timeout=15.0)

    async def refused(
        self, method: str, request: Any, token: str = "", **headers: str
    ) -> tuple[str, str]:
        """The code and the reason of a call that is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await self.call(method, request, token, **headers)
        return told(refusal.value)

    async def log_in(self, email: str, password: str = PASSWORD) -> wire.LoginResponse:
        """A new session."""
        request = wire.LoginRequest(email=email, password=password)
        answer: wire.LoginResponse = await self.call("AuthService/Login", request)
        return answer

    async def messages(self, to: str, template: Template) -> list[Message]:
        """What was sent to an address about something, the oldest first."""
        kept = await kept_messages(self.store, self.keyring)
        return [each for each in kept if (each.to, each.template) == (to, template)]

    async def member(self, email: str, *roles: str) -> UUID:
        """Somebody of the organization who can log in with PASSWORD."""
        return await bootstrap.user(self.store, self.organization, email, "M", PASSWORD, roles)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for READY_SECONDS at most."""
    for _ in range(int(READY_SECONDS / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def told(error: grpc.aio.AioRpcError) -> tuple[str, str]:
    """Code and reason of a refusal."""
    details = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    status = status_pb2.Status.FromString(details)
    assert any(detail.Unpack(info) for detail in status.details)
    assert info.domain == "medhub"
    return error.code().name, info.reason


@pytest.fixture
async def server(
    database: Callable[[str], ServiceDatabase], tmp_path: Path
) -> AsyncIterator[AuthServer]:
    """The server, ready, with one organization and the account of its own relay."""
    async with running_auth(database("auth"), tmp_path) as running:
        yield running


@asynccontextmanager
async def running_auth(
    service: ServiceDatabase,
    tmp_path: Path,
    open_channel: Callable[[str], grpc.aio.Channel] = grpc.aio.insecure_channel,
    **more: Any,
) -> AsyncIterator[AuthServer]:
    """The same, with other settings, and a client's channel that suits them."""
    target = f"{HOST}:{free_port()}"
    async with AsyncExitStack() as parts:
        opened = await parts.enter_async_context(service.open())
        store = Store(opened)
        await enrol(store, tmp_path / "auth.key.json")
        auth = Auth(KEPT_MESSAGES)
        settings = _settings(service, target, tmp_path, **more)
        running = await start("auth", settings, auth.build, auth.make_truth, parts)
        await until(lambda: running.serving)
        channel = open_channel(target)
        parts.push_async_callback(channel.close)
        organization = await bootstrap.organization(store, "Clinique du Parc", test=True)
        keyring = Keyring.open(settings.keyring_path, KeyFile(tmp_path / "auth.keyring-key"))
        yield AuthServer(running, service, store, channel, target, organization, tmp_path, keyring)


async def enrol(store: Store, path: Path) -> key_files.KeyFile:
    """A server of the platform, and the key file that proves it."""
    key = key_files.read_or_create(path)
    name = path.name.partition(".")[0]
    account = await bootstrap.service_account(store, None, name, key.public_key, ["service"])
    known = key.of(name_of("serviceAccounts", account))
    key_files.write(path, known)
    return known


def _settings(service: ServiceDatabase, target: str, home: Path, **more: Any) -> CoreSettings:
    unlock = KeyFile.create(home / "auth.keyring-key")
    Keyring.create(home / "auth.keyring", unlock)
    return CoreSettings.model_validate({
        "listen": target,
        "database_app_url": service.urls.app,
        "database_relay_url": service.urls.relay,
        "database_page_key": base64.b64encode(PAGE_KEY).decode(),
        "auth_target": target,
        # Nobody: the relays keep what they cannot send.
        "compliance_target": f"{HOST}:1",
        "analytics_target": f"{HOST}:1",
        "keyring_path": home / "auth.keyring",
        "keyring_key_path": unlock.path,
        "service_key_path": home / "auth.key.json",
        "reflection": "open",
        "pool_size": 4,
        "drain_seconds": 0.0,
        **more,
    })  # fmt: skip


def free_port() -> int:
    """A port of the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])

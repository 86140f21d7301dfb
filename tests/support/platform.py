"""The platform for wire tests: the real servers in one process, on real databases and sockets.

Two organizations with people of several roles; tokens by real log-in.
"""

import base64
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest

from auth import bootstrap
from auth.server import Auth
from auth.settings import FoundingSettings, MessageSettings
from auth.storage.store import Store as AuthStore
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.rpc.endings import TrueEndings
from core.rpc.server import Server
from core.service import Build, MakeTruth, start, streamed_truth
from core.settings import CoreSettings
from hub.enrolment import enrol
from hub.services import Service
from medhub.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from tests.support.postgres import ServiceDatabase
from tests.support.processes import eventually

HOST = "127.0.0.1"
PASSWORD = "sept-tortues-lisent-dehors"
SERVICES = tuple(service.value for service in Service)
# A server is ready within this many seconds, on a machine that runs other tests besides.
READY_SECONDS = 90.0
MakeDatabase = Callable[[str], ServiceDatabase]
# From auth's port to where each service is told that auth is.
Detour = Callable[[int], AbstractAsyncContextManager[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who can log in."""

    email: str
    user: UUID


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization of the test, with a member for each role."""

    organization: UUID
    members: dict[str, Member]


@dataclass
class Platform:
    """What runs, and how a test reaches it."""

    home: Path
    databases: dict[str, ServiceDatabase]
    ports: dict[str, int]
    stores: AuthStore
    servers: dict[str, Server] = field(default_factory=dict)
    channels: dict[str, grpc.aio.Channel] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    settings: dict[str, CoreSettings] = field(default_factory=dict)
    running: dict[str, AsyncExitStack] = field(default_factory=dict)
    # Where a service looks for auth, when that is not where auth is.
    auth_for: dict[str, str] = field(default_factory=dict)

    def target(self, service: str) -> str:
        """The address of a service."""
        return f"{HOST}:{self.ports[service]}"

    def channel(self, service: str) -> grpc.aio.Channel:
        """A channel to a service, kept; it brings nothing to a call, and loses no refusal."""
        if service not in self.channels:
            self.channels[service] = grpc.aio.insecure_channel(
                self.target(service), interceptors=(TrueEndings(),)
            )
        return self.channels[service]

    async def start(self, service: str, build: Build | None = None) -> None:
        """Start a server, in the place where it ran before."""
        usual, truth = _made_by(service)
        parts = self.running[service] = AsyncExitStack()
        if service not in self.settings:
            self.settings[service] = _settings(self, service)
        self.servers[service] = await start(
            service, self.settings[service], build or usual, truth, parts
        )

    async def ready(self) -> None:
        """Return when every server serves."""
        servers = self.servers.values()
        await eventually(lambda: all(s.serving for s in servers), within=READY_SECONDS)

    async def stop(self, service: str) -> None:
        """Stop a server, as an operator does."""
        await self.running.pop(service).aclose()

    async def call(
        self, method: str, request: Any, *, token: str = "", response: Any = None, **more: Any
    ) -> Any:
        """Call `medhub.clinical.v1.PatientService/GetPatient`; the response type is looked up."""
        from core.contract import everything

        known = everything().methods[f"/{method}"]
        service = method.split(".")[1]
        go: Any = self.channel(service).unary_unary(
            known.path,
            request_serializer=known.request.SerializeToString,
            response_deserializer=known.response.FromString,
        )
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        return await go(request, metadata=metadata, timeout=60.0, **more)

    async def login(self, email: str, *, again: bool = False) -> str:
        """An access token of somebody, kept for the test's time."""
        if email not in self.tokens or again:
            stub: Any = auth_service_pb2_grpc.AuthServiceStub(self.channel("auth"))
            request = auth_service_pb2.LoginRequest(email=email, password=PASSWORD)
            self.tokens[email] = (await stub.Login(request, timeout=60.0)).access_token
        return self.tokens[email]

    async def tenant(self, name: str, roles: dict[str, list[str]], *, test: bool = True) -> Tenant:
        """An organization with one member for each entry: a word for the address, and roles."""
        organization = await bootstrap.organization(self.stores, name, test)
        members = {}
        for word, held in roles.items():
            email = f"{word}@{name}.example"
            user = await bootstrap.user(
                self.stores, organization, email, word.title(), PASSWORD, held
            )
            members[word] = Member(email, user)
        return Tenant(organization, members)


@asynccontextmanager
async def running_platform(
    make: MakeDatabase,
    home: Path,
    builds: dict[str, Build] | None = None,
    detour: Detour | None = None,
) -> AsyncIterator[Platform]:
    """All services, ready. `builds` replaces how a service is built; `detour` stands between auth
    and those who ask it.
    """
    databases = {service: make(service) for service in SERVICES}
    ports = {service: _free_port() for service in SERVICES}
    async with AsyncExitStack() as parts:
        database = await parts.enter_async_context(databases["auth"].open())
        platform = Platform(home, databases, ports, AuthStore(database))
        if detour is not None:
            platform.auth_for = await parts.enter_async_context(detour(ports["auth"]))
        for service in SERVICES:
            await enrol(platform.stores, service, home / f"{service}.service-key.json")
        for service in SERVICES:
            await platform.start(service, (builds or {}).get(service))
        try:
            await platform.ready()
            yield platform
        finally:
            for channel in platform.channels.values():
                await channel.close()
            for service in reversed(list(platform.running)):
                await platform.stop(service)


@pytest.fixture
async def platform(database: MakeDatabase, tmp_path: Path) -> AsyncIterator[Platform]:
    """A platform of the test's own."""
    async with running_platform(database, tmp_path) as started:
        yield started


def _made_by(service: str) -> tuple[Build, MakeTruth]:
    """How a service is built, and where it has its truth from."""
    if service == "auth":
        auth = Auth(
            MessageSettings(mail="outbox", sms="outbox"),
            founding=FoundingSettings(open_founding=True),
        )
        return auth.build, auth.make_truth
    return import_module(f"{service}.server").build, streamed_truth


def _settings(platform: Platform, service: str) -> CoreSettings:
    home, urls = platform.home, platform.databases[service].urls
    unlock = KeyFile.create(home / f"{service}.keyring-key")
    Keyring.create(home / f"{service}.keyring", unlock)
    return CoreSettings.model_validate({
        "listen": platform.target(service),
        "database_app_url": urls.app,
        "database_relay_url": urls.relay,
        "database_page_key": base64.b64encode(os.urandom(32)).decode(),
        "auth_target": platform.auth_for.get(service) or platform.target("auth"),
        "compliance_target": platform.target("compliance"),
        "subject_targets": {each: platform.target(each) for each in SERVICES},
        "analytics_target": platform.target("analytics"),
        "keyring_path": home / f"{service}.keyring",
        "keyring_key_path": unlock.path,
        "service_key_path": home / f"{service}.service-key.json",
        "reflection": "open",
        "pool_size": 6,
        "drain_seconds": 0.0,
    })  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port

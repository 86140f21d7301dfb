"""`python -m auth` as a process: it comes up from an empty database, and drains when told."""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from auth import bootstrap
from auth.storage.store import Store
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from medhub.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from tests.support.auth_server import HOST, PASSWORD, enrol, free_port
from tests.support.postgres import PAGE_KEY, ServiceDatabase


def environment(service: ServiceDatabase, target: str, home: Path) -> dict[str, str]:
    """What the process is told."""
    unlock = KeyFile.create(home / "auth.keyring-key")
    Keyring.create(home / "auth.keyring", unlock)
    told = {
        "LISTEN": target,
        "DATABASE_APP_URL": service.urls.app,
        "DATABASE_RELAY_URL": service.urls.relay,
        "DATABASE_PAGE_KEY": base64.b64encode(PAGE_KEY).decode(),
        "AUTH_TARGET": target,
        "COMPLIANCE_TARGET": f"{HOST}:1",
        "ANALYTICS_TARGET": f"{HOST}:1",
        "KEYRING_PATH": str(home / "auth.keyring"),
        "KEYRING_KEY_PATH": str(unlock.path),
        "SERVICE_KEY_PATH": str(home / "auth.key.json"),
        "DRAIN_SECONDS": "0",
    }
    return {**os.environ, **{f"MEDHUB_AUTH_{name}": text for name, text in told.items()}}


async def serving(channel: grpc.aio.Channel) -> None:
    """Return once the process says that it serves."""
    stub = health_pb2_grpc.HealthStub(channel)
    async with asyncio.timeout(60):
        request = health_pb2.HealthCheckRequest()
        async for answer in stub.Watch(request, wait_for_ready=True):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return


async def test_it_serves_and_stops(
    database: Callable[[str], ServiceDatabase], tmp_path: Path
) -> None:
    """Ready, a log-in, then a SIGTERM: it ends by itself, and well."""
    service, target = database("auth"), f"{HOST}:{free_port()}"
    async with service.open() as opened:
        store = Store(opened)
        await enrol(store, tmp_path / "auth.key.json")
        organization = await bootstrap.organization(store, "Alpha", test=True)
        await bootstrap.user(store, organization, "a@alpha.test", "A", PASSWORD, ["doctor"])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "auth", env=environment(service, target, tmp_path),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with grpc.aio.insecure_channel(target) as channel:
            await serving(channel)
            request = auth_service_pb2.LoginRequest(email="a@alpha.test", password=PASSWORD)
            made = await auth_service_pb2_grpc.AuthServiceStub(channel).Login(request, timeout=60)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 60)
    finally:
        if process.returncode is None:
            process.kill()

    assert made.access_token
    assert code == 0

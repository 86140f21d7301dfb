"""A service as containers run it: provisioned, migrated, and served from files of settings."""

import os
import subprocess
from pathlib import Path

import grpc
import psycopg
import pytest

from hub.child import ChildSpec
from hub.postgres import Cluster
from hub.readiness import GrpcServing
from hub.supervisor import Supervisor
from medhub.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from tests.support.processes import unused_port
from tests.support.whole import COMMAND_SECONDS, MEDHUB

pytestmark = pytest.mark.timeout(300)
EMAIL, PASSWORD = "chef@hopital.example", "un mot de passe assez long 42"


def _settings(*files: Path) -> dict[str, str]:
    """What files of settings say, read as an orchestrator does."""
    lines = (line for file in files for line in file.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines)


def _run(environment: dict[str, str], *arguments: str) -> str:
    """Run a command of medhub; what it printed."""
    ran = subprocess.run(
        [str(MEDHUB), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        env={**os.environ, **environment},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def _operator_of(cluster: Cluster) -> str:
    """The URL of a role that may create databases and roles, and no more."""
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE ops LOGIN CREATEDB CREATEROLE PASSWORD 'ops'")
    return f"postgresql://ops:ops@127.0.0.1:{cluster.port}/postgres"


async def test_auth_is_served_from_what_was_provisioned(tmp_path: Path, cluster: Cluster) -> None:
    """Each command may be repeated; the first administrator logs in."""
    port = unused_port()
    secrets, password = tmp_path / "secrets", tmp_path / "password"
    password.write_text(PASSWORD)
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        await supervisor.start(cluster.child())
        admin = {"MEDHUB_POSTGRES_URL": _operator_of(cluster)}

        provisioning = ("provision", "--into", str(secrets), "auth")
        made, again = (_run(admin, *provisioning).split() for _ in range(2))
        _run(_settings(secrets / "auth.migrate.env"), "migrate", "auth")
        own = _settings(secrets / "auth.env")
        key = str(secrets / "auth.service-key.json")
        _run(own, "auth", "bootstrap-service-account", "--key", key, "--role", "service")
        _run(
            own, "auth", "bootstrap-organization", "--display-name", "H", "--admin-email", EMAIL,
            "--admin-name", "Chef", "--password-file", str(password),
        )  # fmt: skip
        served = await supervisor.start(_auth(own, port))

        assert made == again == [str(secrets / name) for name in ("auth.env", "auth.migrate.env")]
        assert {one.stat().st_mode & 0o777 for one in secrets.iterdir()} == {0o600}
        assert "OWNER" not in "".join(own)
        assert served.is_alive
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            asked = auth_service_pb2.LoginRequest(email=EMAIL, password=PASSWORD)
            answer = await auth_service_pb2_grpc.AuthServiceStub(channel).Login(asked)
        assert answer.access_token


def _auth(own: dict[str, str], port: int) -> ChildSpec:
    """The server, of which the other services are away."""
    away = "127.0.0.1:9"
    told = {"LISTEN": f"127.0.0.1:{port}", "AUTH_TARGET": f"127.0.0.1:{port}"}
    told |= {"COMPLIANCE_TARGET": away, "ANALYTICS_TARGET": away, "DRAIN_SECONDS": "0"}
    return ChildSpec(
        name="auth",
        argv=(str(MEDHUB), "serve", "auth"),
        env={**own, **{f"MEDHUB_AUTH_{name}": text for name, text in told.items()}},
        ready=GrpcServing(f"127.0.0.1:{port}"),
    )

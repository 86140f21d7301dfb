"""A whole platform as a user has it: `medhub up --demo` in a folder of the test's own."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from hub import run_file
from hub.data_dir import DataDir
from hub.layout import Layout
from hub.run_file import Running
from hub.services import Service

MEDHUB = Path(sys.executable).with_name("medhub")
# Bringing everything up takes some ten seconds on two idle cores.
UP_SECONDS = 180.0
COMMAND_SECONDS = 180.0
# Blocks of ports: below the default one, and below those that the kernel gives away.
_LOWEST_PORT, _PORTS, _WORKERS, _CHECKOUTS = 12_000, 20, 4, 75


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back by HTTP."""

    status: int
    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Whole:
    """A platform that is up."""

    data_dir: Path
    running: Running

    def medhub(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of medhub against it."""
        return medhub(*arguments, data_dir=self.data_dir)

    def password(self, email: str) -> str:
        """The password of a user of the demonstration."""
        users = (u for o in self.running.organizations for u in o["users"])
        return next(u["password"] for u in users if u["email"] == email)

    def token(self, email: str) -> str:
        """An access token, by the HTTP call that existing backends make."""
        body = {"email": email, "password": self.password(email)}
        answer = self.http("POST", "/auth/login", body)
        assert answer.status == 200, answer.body
        return str(answer.json()["access_token"])

    def http(
        self, verb: str, path: str, body: object = None, *, token: str = "", **headers: str
    ) -> Answer:
        """Call the edge. `body` is sent as JSON, or as it is when it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        asked = {k.replace("_", "-"): v for k, v in headers.items()}
        if data is not None:
            asked.setdefault("content-type", "application/json")
        if token:
            asked["authorization"] = f"Bearer {token}"
        request = urllib.request.Request(  # noqa: S310 - the edge of the test
            self.running.http + path, data=data, headers=asked, method=verb
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), dict(error.headers))


def medhub(*arguments: str, data_dir: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of medhub on a data directory."""
    return subprocess.run(
        [str(MEDHUB), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        env={**os.environ, "MEDHUB_DATA_DIR": str(data_dir)},
    )


@contextmanager
def up(data_dir: Path, arguments: Sequence[str] = ("--demo",)) -> Iterator[Whole]:
    """Bring a platform up, and down again."""
    ports = ("--port-base", str(port_base()))
    started = medhub("up", "--detach", *ports, *arguments, data_dir=data_dir)
    assert started.returncode == 0, started.stdout + started.stderr
    running = run_file.read(data_dir / "run.json")
    assert running is not None
    try:
        yield Whole(data_dir, running)
    finally:
        stopped = medhub("down", data_dir=data_dir)
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr


def port_base() -> int:
    """The block of ports of this checkout's worker: two platforms that start at once would find the
    same ports free.
    """
    checkout = zlib.crc32(__file__.encode()) % _CHECKOUTS
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    return _LOWEST_PORT + (checkout * _WORKERS + worker) * _PORTS


def tables_with(data_dir: Path, word: str) -> set[str]:
    """The tables, of any service, with a row in which a word stands in clear."""
    layout = Layout.found(DataDir.at(data_dir))
    cluster = layout.cluster()
    assert cluster is not None
    found = set()
    for service in Service:
        with psycopg.connect(cluster.url(layout.database_name(service))) as connection:
            tables = connection.execute(
                "SELECT schemaname, tablename FROM pg_tables"
                " WHERE schemaname IN ('public', 'medhub')"
            ).fetchall()
            for schema, table in tables:
                asked = f"SELECT 1 FROM {schema}.{table} t WHERE t::text LIKE %s LIMIT 1"
                if connection.execute(asked, (f"%{word}%",)).fetchone():
                    found.add(f"{service}.{table}")
    return found

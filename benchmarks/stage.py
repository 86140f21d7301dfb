"""The platform under measurement: `medhub up --demo` on ports and in a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import psycopg
from grpc_health.v1 import health_pb2, health_pb2_grpc
from psycopg.conninfo import make_conninfo

from benchmarks.processes import command_of, cpu_below, cpu_of, own_cpu, tree_of
from benchmarks.run import ROOT
from hub import run_file
from hub.data_dir import DataDir
from hub.demo.calls import Clients, Session
from hub.layout import Layout
from hub.ports import Port, is_free
from hub.services import Service

DOCTOR = "docteur@saint-luc.example"
ADMINISTRATOR = "admin@saint-luc.example"
# What to look for in the command lines of the platform's processes.
_COMMANDS: dict[str, str] = {
    **{service: f" -m {service}" for service in Service},
    "gateway": " -m clinical.gateway",
    "envoy": "--disable-hot-restart",
    "postgres": "postgres -D",
}
_START_SECONDS = 180.0
# A relaunched server serves within this many seconds; the supervisor may pause before it.
_READY_SECONDS = 60.0
# All that was acknowledged is processed and in the trail within this many seconds.
_SETTLE_SECONDS = 240.0
_LOOK_EVERY = 0.05
_LOOK_SECONDS = 2.0


class Stage:
    """A running platform, and what a measurement needs of it."""

    def __init__(self, data: DataDir) -> None:
        running = run_file.read(data.run_file)
        if running is None:
            raise RuntimeError("the platform does not run")
        self.running = running
        self.layout = Layout.found(data)
        self.clients = Clients(running)
        self._channels: dict[str, grpc.Channel] = {}
        self._databases: dict[str, psycopg.Connection[Any]] = {}

    def close(self) -> None:
        """Close what was opened to it."""
        self.clients.close()
        for channel in self._channels.values():
            channel.close()
        for database in self._databases.values():
            database.close()

    def channel(self, service: str) -> grpc.Channel:
        """A channel to a service, kept."""
        if service not in self._channels:
            self._channels[service] = grpc.insecure_channel(self.running.grpc[service])
        return self._channels[service]

    def session(self, email: str = DOCTOR) -> Session:
        """A fresh log-in: a token lives five minutes."""
        return self.clients.login(email)

    def pid(self, part: str) -> int:
        """The process of a part. Raises LookupError when it does not run."""
        wanted = _COMMANDS[part]
        for pid in tree_of(self.running.pid):
            command = f"{command_of(pid)} "
            if f"{wanted} " in command:
                return pid
        raise LookupError(f"{part} does not run")

    def cpu(self, part: str) -> Callable[[], float]:
        """Reads the CPU seconds of a part's process, and of what PostgreSQL starts."""
        pid = self.pid(part)
        return (lambda: cpu_below(pid)) if part == "postgres" else own_cpu(pid)

    def backends(self, role: str) -> Callable[[], float]:
        """Reads the CPU seconds of PostgreSQL's processes that serve a role now."""
        title = f": {role} "
        postgres = self.pid("postgres")

        def read() -> float:
            serving = (pid for pid in tree_of(postgres) if title in command_of(pid))
            return sum(cpu_of(pid).own for pid in serving)

        return read

    def relaunch(self, part: str) -> None:
        """End a part's process; return when the supervisor's new one serves."""
        before = self.pid(part)
        os.kill(before, signal.SIGTERM)
        until = time.monotonic() + _READY_SECONDS
        while not self._has_returned(part, before):
            if time.monotonic() > until:
                raise TimeoutError(f"{part} did not come back")
            time.sleep(_LOOK_EVERY)

    def _has_returned(self, part: str, before: int) -> bool:
        try:
            return self.pid(part) != before and self._is_ready(part)
        except LookupError:
            return False

    def _is_ready(self, part: str) -> bool:
        if part in self.running.grpc:
            return _serves(self.running.grpc[part])
        if part == "envoy":
            return _answers(f"{self.running.http}/health/")
        return _accepts(self.running.mllp_host, self.running.mllp_port)

    @contextmanager
    def paused(self, part: str) -> Iterator[None]:
        """Stop a part's process for a while, so that what it does can be measured apart."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def rows(self, service: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What is in a service's database, as the administrator sees it."""
        if service not in self._databases:
            url = make_conninfo(self.layout.admin_url(), dbname=f"medhub_{service}")
            self._databases[service] = psycopg.connect(url, autocommit=True)
        return self._databases[service].execute(sql, values).fetchall()

    def settle(self) -> float:
        """Wait until all is processed and in the trail; seconds that it took."""
        began = time.monotonic()
        while any(self.owes(service) for service in Service):
            if time.monotonic() - began > _SETTLE_SECONDS:
                raise TimeoutError("the platform does not come to rest")
            time.sleep(_LOOK_EVERY)
        return time.monotonic() - began

    def owes(self, service: str) -> bool:
        """Whether something of a service is not yet processed, in the trail or in analytics."""
        own = ["hl7_work"] if service == "clinical" else []
        queues = ["medhub.audit_outbox", "medhub.fact_outbox", *own]
        found = (self.rows(service, f"SELECT EXISTS (SELECT FROM {queue})") for queue in queues)
        return any(rows[0][0] for rows in found)

    @property
    def postgres_version(self) -> str:
        """As PostgreSQL tells it."""
        return str(self.rows("clinical", "SHOW server_version")[0][0])


@contextmanager
def stage(running: Path | None) -> Iterator[Stage]:
    """The platform that runs on a data directory; without one, a new one for this run alone."""
    if running is None:
        with _new_stage() as made:
            yield made
    else:
        made = Stage(DataDir.at(running))
        yield made
        made.close()


@contextmanager
def _new_stage() -> Iterator[Stage]:
    """Start a platform in a temporary folder; stop and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="medhub-bench-"))
    data = DataDir.at(folder / "data")
    hub = [sys.executable, "-m", "hub"]
    told = ["--data-dir", str(data.root)]
    up = [*hub, "up", "--demo", "--detach", *told, "--port-base", str(_free_block())]
    try:
        subprocess.run(up, cwd=ROOT, stdout=sys.stderr, timeout=_START_SECONDS, check=True)
        made = Stage(data)
        yield made
        made.close()
    finally:
        subprocess.run([*hub, "down", *told], cwd=ROOT, stdout=sys.stderr, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _free_block() -> int:
    """The base of as many free ports in a row as a platform has parts."""
    for base in range(22_000, 30_000, 50):
        if all(is_free(base + step) for step, _ in enumerate(Port)):
            return base
    raise RuntimeError("no free block of ports")


def _serves(target: str) -> bool:
    """Whether the health service of a gRPC server says so."""
    with grpc.insecure_channel(target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=_LOOK_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _answers(url: str) -> bool:
    """Whether GET answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=_LOOK_SECONDS) as answer:  # noqa: S310 - our edge
            return bool(answer.status == 200)
    except OSError:
        return False


def _accepts(host: str, port: int) -> bool:
    """Whether somebody accepts connections."""
    try:
        socket.create_connection((host, port), timeout=_LOOK_SECONDS).close()
    except OSError:
        return False
    return True

"""What `medhub doctor` looks at. Each look answers with findings and never raises."""

import json
import os
import shutil
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg

from hub import run_file
from hub.data_dir import DataDir
from hub.layout import POSTGRES_URL
from hub.ports import DEFAULT_BASE, HOST, Port, is_free
from hub.postgres import OLDEST_MAJOR, PostgresUnusable, embedded_bin
from hub.readiness import GrpcServing, HttpOk, TcpOpen
from hub.run_file import Running
from hub.services import Service

# Below this PostgreSQL stops at its next checkpoint; a demo takes a few hundred MB.
_LEAST_FREE_BYTES = 1024**3
# The relay polls every quarter of a second: a minute behind means that it does not get through.
_MOST_LAG_SECONDS = 60.0


class State(StrEnum):
    """How serious a finding is; only FAILED makes the command fail."""

    GOOD = "ok"
    NOTED = "note"
    FAILED = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, how it is, and what to do when it is not well."""

    state: State
    what: str
    hint: str = ""


async def examine(data: DataDir) -> AsyncIterator[Finding]:
    """All findings, as they come."""
    for finding in (*machine(data), *files(data), *postgres(data)):
        yield finding
    running = run_file.read(data.run_file)
    if data.supervisor_pid() is None or running is None:
        yield Finding(State.NOTED, "medhub does not run here", "medhub up --demo")
        for finding in ports():
            yield finding
        return
    async for finding in platform(data, running):
        yield finding
    for finding in relays(data):
        yield finding


def machine(data: DataDir) -> Iterator[Finding]:
    """Python, the environment, the disk."""
    version = ".".join(map(str, sys.version_info[:3]))
    new_enough = sys.version_info >= (3, 11)
    state = State.GOOD if new_enough else State.FAILED
    yield Finding(state, f"Python {version}", "" if new_enough else "3.11 is the oldest")
    yield environment()
    place = data.root if data.root.exists() else Path.cwd()
    free = shutil.disk_usage(place).free
    enough = free >= _LEAST_FREE_BYTES
    yield Finding(
        State.GOOD if enough else State.FAILED,
        f"{free / 1024**3:.1f} GiB free at {place}",
        "" if enough else "free some space, or choose another --data-dir",
    )


def environment() -> Finding:
    """Whether the environment was made from the lock that is here."""
    stamp = Path(sys.prefix) / "medhub.stamp"
    bootstrap = Path(__file__).parent.parent / "dev.py"
    if not stamp.is_file() or not bootstrap.is_file():
        return Finding(State.NOTED, f"the environment {sys.prefix} was not made by dev.py")
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("medhub_dev", bootstrap)
    if spec is None or spec.loader is None:
        return Finding(State.NOTED, f"{bootstrap} cannot be read")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    fresh = stamp.read_text() == module.fingerprint()
    return Finding(
        State.GOOD if fresh else State.FAILED,
        "the environment is the lock's" if fresh else "the environment is older than the lock",
        "" if fresh else "python3 dev.py setup",
    )


def files(data: DataDir) -> Iterator[Finding]:
    """Secrets and the run file must be closed to everyone else."""
    if not data.root.exists():
        yield Finding(State.NOTED, f"{data.root} does not exist yet")
        return
    if not os.access(data.root, os.W_OK):
        yield Finding(State.FAILED, f"{data.root} cannot be written", "check who owns it")
    private = [data.secrets, data.run_file]
    private += list(data.secrets.iterdir()) if data.secrets.exists() else []
    opened = [path for path in private if path.exists() and _is_open(path)]
    for path in opened:
        yield Finding(State.FAILED, f"{path} is open to others", f"chmod go= {path}")
    if not opened:
        yield Finding(State.GOOD, f"{data.root} keeps its secrets to its owner")


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def postgres(data: DataDir) -> Iterator[Finding]:
    """The PostgreSQL that would be used, or is."""
    if url := os.environ.get(POSTGRES_URL):
        yield _outside_postgres(url)
        return
    try:
        programs = embedded_bin()
    except PostgresUnusable as refusal:
        yield Finding(State.FAILED, str(refusal))
        return
    found = (programs / "postgres").is_file()
    yield Finding(
        State.GOOD if found else State.FAILED,
        f"PostgreSQL programs in {programs}" if found else f"no PostgreSQL in {programs}",
        "" if found else "python3 dev.py setup, or set MEDHUB_POSTGRES_BIN",
    )
    kept = data.postgres / "data" / "PG_VERSION"
    if os.access(kept, os.R_OK):
        yield Finding(State.GOOD, f"data of PostgreSQL {kept.read_text().strip()}")


def _outside_postgres(url: str) -> Finding:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            major = connection.info.server_version // 10_000
    except psycopg.Error:
        return Finding(State.FAILED, f"{POSTGRES_URL} does not connect", "check the URL")
    if major < OLDEST_MAJOR:
        return Finding(State.FAILED, f"PostgreSQL {major}", f"{OLDEST_MAJOR} is the oldest")
    return Finding(State.GOOD, f"PostgreSQL {major} by {POSTGRES_URL}")


def ports() -> Iterator[Finding]:
    """Whether the default ports are free; `up` moves aside when they are not."""
    taken = [DEFAULT_BASE + step for step in range(len(Port)) if not is_free(DEFAULT_BASE + step)]
    if taken:
        yield Finding(State.NOTED, f"ports in use: {taken}", "others will be used")
    else:
        yield Finding(
            State.GOOD, f"ports {DEFAULT_BASE} to {DEFAULT_BASE + len(Port) - 1} are free"
        )


async def platform(data: DataDir, running: Running) -> AsyncIterator[Finding]:
    """The health of each part of the running platform."""
    for service, target in running.grpc.items():
        yield _health(data, service, await GrpcServing(target).is_ready())
    if data.gateway_key.exists():
        gateway = TcpOpen(running.mllp_host, running.mllp_port)
        yield _health(data, "gateway", await gateway.is_ready())
    host, _, port = running.http.removeprefix("http://").rpartition(":")
    yield _health(data, "envoy", await HttpOk(host, int(port), "/health/").is_ready())


def _health(data: DataDir, name: str, well: bool) -> Finding:
    if well:
        return Finding(State.GOOD, f"{name} serves")
    return Finding(State.FAILED, f"{name} does not serve", f"see {data.logs / name}.log")


def relays(data: DataDir) -> Iterator[Finding]:
    """How far the queues of each service are behind, as its metrics say."""
    try:
        listening = json.loads(data.ports.read_text())
    except FileNotFoundError:
        return
    for service in Service:
        yield from _relay_lags(f"http://{HOST}:{listening[f'{service}-metrics']}/metrics", service)


def _relay_lags(metrics_url: str, service: str) -> Iterator[Finding]:
    try:
        with urllib.request.urlopen(metrics_url, timeout=2) as answer:  # noqa: S310 - loopback.
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        yield Finding(State.NOTED, f"{service}: metrics cannot be reached")
        return
    yield _behind(f"{service}: audit", _value(text, "medhub_relay_lag_seconds"), "compliance")
    waiting = _value(text, "medhub_facts_waiting")
    figures = f"{service}: figures ({waiting:.0f} facts wait)"
    yield _behind(figures, _value(text, "medhub_facts_lag_seconds"), "analytics")


def _behind(what: str, lag: float, receiver: str) -> Finding:
    if lag > _MOST_LAG_SECONDS:
        return Finding(State.FAILED, f"{what}, {lag:.0f} s behind", f"see {receiver}")
    return Finding(State.GOOD, f"{what}, {lag:.1f} s behind")


def _value(text: str, metric: str) -> float:
    """The value of a gauge in what Prometheus would read; 0 when it is not there."""
    values = [line.split()[-1] for line in text.splitlines() if line.startswith(metric)]
    return max((float(value) for value in values), default=0.0)

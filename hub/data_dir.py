"""Where a platform started by `medhub up` keeps its files, and who may start one there."""

import fcntl
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

DEFAULT = Path(".medhub")


class AlreadyRunning(Exception):
    """Another process runs a platform on this data directory."""

    def __init__(self, pid: int | None, root: Path) -> None:
        who = f"process {pid}" if pid else "another process"
        down = f"medhub down --data-dir {shlex.quote(str(root))}"
        super().__init__(f"medhub already runs here ({who}); stop it with: {down}")
        self.pid = pid


class NoDataDir(Exception):
    """The directories cannot be made there."""


@dataclass(frozen=True, slots=True)
class DataDir:
    """One directory, one platform. Its path is absolute, so children may change directory."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> "DataDir":
        """The data directory at `path`; nothing is created."""
        return cls(path.expanduser().resolve())

    @property
    def run_file(self) -> Path:
        """Addresses of the running platform; there only while it runs."""
        return self.root / "run.json"

    @property
    def ports(self) -> Path:
        """Which part listens where, for `medhub doctor`."""
        return self.root / "ports.json"

    @property
    def lock(self) -> Path:
        """Held by the running supervisor; holds its process id."""
        return self.root / "lock"

    @property
    def demo(self) -> Path:
        """Who can log in to the demonstration; written by its loader."""
        return self.secrets / "demo.json"

    @property
    def gateway(self) -> Path:
        """The HL7 endpoint that the MLLP gateway feeds; there once one has been opened."""
        return self.root / "gateway-endpoint"

    @property
    def gateway_key(self) -> Path:
        """The key file of the MLLP gateway's account; without one there is no gateway."""
        return self.secrets / "gateway.service-key.json"

    @property
    def destroyed_keys(self) -> Path:
        """Which keys were destroyed; a restore needs it to keep them so."""
        return self.root / "destroyed-keys.jsonl"

    @property
    def unproven(self) -> Path:
        """There while a backup has been put back and not proved yet: nothing may serve from it."""
        return self.root / "restore-not-proved"

    @property
    def logs(self) -> Path:
        """One file a child, rotated."""
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        """Passwords, keys and keyrings, made once."""
        return self.root / "secrets"

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL's own directory."""
        return self.root / "postgres"

    @property
    def edge(self) -> Path:
        """What the edge is started from: Envoy's configuration."""
        return self.root / "edge"

    def create(self) -> None:
        """Make the directories; only the owner may read what is in them. Raises NoDataDir."""
        try:
            for folder in (self.root, self.logs, self.secrets, self.edge):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.logs, self.secrets, self.edge):
                folder.chmod(0o700)
        except OSError as fault:
            why = f"{self.root} cannot be a data directory: {fault.strerror}: {fault.filename}"
            raise NoDataDir(why) from fault

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the directory for this process; the kernel lets go when it ends, however it ends.

        Raises AlreadyRunning when another process holds it.
        """
        with self.lock.open("a+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(_pid_in(lock), self.root) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def supervisor_pid(self) -> int | None:
        """The process that runs a platform here, or None when none does."""
        if not self.lock.exists():
            return None
        with self.lock.open("r", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _pid_in(lock)
        return None


def _pid_in(lock: IO[str]) -> int | None:
    lock.seek(0)
    text = lock.read().strip()
    return int(text) if text.isdigit() else None

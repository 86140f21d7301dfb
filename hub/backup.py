"""Taking a backup of a small site: the embedded PostgreSQL and the secrets, in one sealed file.

One base backup holds the databases of all services at one moment. Dumps taken one after the other
would not do: the numbers that a service gives its events would contradict the trail.
"""

import os
import subprocess
import tarfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pyrage

from core.crypto.private_files import PrivateFile, UnsafeFile
from hub import archive
from hub.archive import Recipient
from hub.layout import Layout
from hub.ports import HOST
from hub.postgres import SUPERUSER, Cluster

SECRETS = "secrets"
DATA = "postgres/data"
# Files of the data directory itself that say what a platform is, and not only where it runs.
PLATFORM = "platform"


class BackupFailed(Exception):
    """No backup was made; the text says why."""


def recipient_of(key: Path) -> Recipient:
    """Whom a backup is sealed to: the key in a file, made when there is none.

    Only the public part is used. The file is what opens the backup: it belongs on another machine.
    """
    if not key.exists():
        identity = pyrage.x25519.Identity.generate()
        PrivateFile(key).create(f"{identity}\n".encode())
    return identity_in(key).to_public()


def identity_in(key: Path) -> archive.Identity:
    """The key in a file, as age-keygen or medhub made it. Raises OSError or BackupFailed."""
    try:
        lines = PrivateFile(key).read().decode("ascii", "replace").splitlines()
    except UnsafeFile as unsafe:
        raise BackupFailed(f"{key} {unsafe}") from None
    stated = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        [one] = stated
        return pyrage.x25519.Identity.from_str(one)
    except (ValueError, pyrage.IdentityError):
        raise BackupFailed(f"{key} holds no age key") from None


def make(layout: Layout, target: Path, recipient: Recipient) -> None:
    """Write the backup of a running cluster. Raises BackupFailed."""
    cluster = layout.cluster()
    if cluster is None:
        raise BackupFailed("PostgreSQL is not the embedded one: back it up with its own tools")
    with archive.written(target, recipient) as writer:
        writer.json(archive.MANIFEST, manifest(cluster))
        for path in sorted(layout.data.secrets.iterdir()):
            writer.file(f"{SECRETS}/{path.name}", path)
        if layout.data.gateway.exists():
            writer.file(f"{PLATFORM}/{layout.data.gateway.name}", layout.data.gateway)
        _add_cluster(cluster, writer)


def manifest(cluster: Cluster) -> dict[str, str]:
    """What a backup says of itself."""
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "medhub": version("medhub"),
        "postgres_major": str(cluster.major_version()),
    }


def _add_cluster(cluster: Cluster, writer: archive.Writer) -> None:
    """All of it, with the log (WAL) that makes the copy of one moment, through a pipe."""
    command = [
        str(cluster.bin / "pg_basebackup"), "--pgdata=-", "--format=tar", "--wal-method=fetch",
        "--checkpoint=fast", f"--host={HOST}", f"--port={cluster.port}", f"--username={SUPERUSER}",
        "--no-password",
    ]  # fmt: skip
    env = {**os.environ, "PGPASSWORD": cluster.password}
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None and running.stderr is not None  # noqa: PT018, S101 - asked for
        whole = False
        try:
            writer.tree(DATA, running.stdout)
            # A tar may end before its file does.
            while running.stdout.read(65536):
                pass
            whole = True
        except tarfile.ReadError:
            pass  # The program has ended too early, and says why.
        finally:
            running.stdout.close()
            said = running.stderr.read().decode("utf-8", "replace").strip()
    if running.returncode or not whole:
        raise BackupFailed(f"pg_basebackup failed: {said}")

"""Whether a database takes writes, asked as the app role."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.database import Database, room
from core.database.capture import roles_of
from tests.support.postgres import Server, ServiceDatabase
from tests.support.wards import db, ward

__all__ = ["db", "ward"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is a proof of its own."""
    monkeypatch.setattr(room, "PROVE_EVERY", 0.0)
    monkeypatch.setattr(room, "PROVE_AGAIN", 0.0)


async def _becomes(db: Database, *, there: bool) -> None:
    """Wait, generously, until the database says so."""
    async with asyncio.timeout(60):
        while await db.room.is_there() is not there:  # noqa: ASYNC110 - a look at a database
            await asyncio.sleep(0.05)


async def test_a_database_with_room_takes_writes(db: Database) -> None:
    """The first look waits for its proof."""
    assert await db.room.is_there()


@pytest.mark.parametrize("trouble", ["default_transaction_read_only", "temp_file_limit"])
async def test_a_database_that_takes_no_writes_is_found_out(
    ward: ServiceDatabase, db: Database, trouble: str
) -> None:
    """A read-only one, and one without room for a file; afterwards it is well again."""
    assert await db.room.is_there()

    ward.tell_app(f"SET {trouble} = {'on' if trouble.startswith('default') else 0}")
    await _becomes(db, there=False)

    ward.tell_app(f"RESET {trouble}")
    await _becomes(db, there=True)


@pytest.fixture
def tiny_disk(postgres: Server) -> Iterator[Path]:
    """A disk of 16 MiB that the server can use."""
    if os.geteuid() != 0 or postgres.data is None:
        pytest.skip("only root can mount a tiny disk, and only before a server of this machine")
    at = postgres.home / f"tiny_{os.getpid()}"
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(at)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        at.rmdir()
        pytest.skip("nothing can be mounted here")
    space = at / "space"
    space.mkdir()
    owner = postgres.data.stat()
    os.chown(space, owner.st_uid, owner.st_gid)
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)
    at.rmdir()


async def test_a_full_disk_is_found_out_though_a_small_write_commits(
    tiny_disk: Path, ward: ServiceDatabase, db: Database, postgres: Server
) -> None:
    """Files of the server go to a disk that is then filled, and emptied again."""
    tiny = tiny_disk.name
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE TABLESPACE {tiny} LOCATION '{tiny_disk}/space'")
        admin.execute(f"GRANT CREATE ON TABLESPACE {tiny} TO {roles_of('ward').app}")
    ward.tell_app(f"SET temp_tablespaces = {tiny}")
    await _becomes(db, there=True)

    filled = tiny_disk / "filled"
    with pytest.raises(OSError, match="No space left"):
        filled.write_bytes(bytes(17 * 1024 * 1024))
    await _becomes(db, there=False)
    assert await db.healthy()

    filled.unlink()
    await _becomes(db, there=True)
    ward.tell_app("RESET temp_tablespaces")
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"DROP TABLESPACE {tiny}")

"""Putting a backup back, and proving it before anything serves.

In order: unpack beside the place, check PostgreSQL's own digests of its files, move in, start the
cluster alone, migrate, erase and destroy again what was erased and destroyed since the backup was
made, and verify the whole audit log of every organization. A person who was forgotten stays so.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import UUID

import psycopg

from auth.operation import begin_history
from auth.storage.store import Store as AuthStore
from compliance.storage.store import Store
from core import clock, identity
from core.identity import Call, Caller, Kind
from hub import archive
from hub.audit_stored import StoredReader
from hub.audit_verify import TrustStore, verify
from hub.backup import DATA, PLATFORM, SECRETS
from hub.data_dir import DataDir
from hub.destroyed_keys import Destroyed, DestroyedKey
from hub.destroyed_organizations import DestroyedOrganization
from hub.erased_rows import ErasedRows
from hub.layout import Layout
from hub.offboarding.destroy import redo_destroyed
from hub.places import place_of
from hub.postgres import Cluster
from hub.redoing import redo
from hub.services import Service
from hub.supervisor import Report, Supervisor


class RestoreFailed(Exception):
    """Nothing serves from the backup; the text says why."""


def place(layout: Layout, source: Path, key: archive.Identity) -> None:
    """Unpack a backup into an empty data directory. Raises RestoreFailed or archive.Unusable."""
    data = layout.data
    cluster = _embedded(layout)
    with _draft(data.root) as draft:
        archive.unpack(source, key, draft, _only(cluster.major_version()))
        _check(cluster, draft / DATA)
        # What was made here on the way gives place to what the cluster knows.
        shutil.rmtree(data.secrets)
        (draft / SECRETS).rename(data.secrets)
        with suppress(FileNotFoundError):
            (draft / PLATFORM / data.gateway.name).rename(data.gateway)
        cluster.take_in(draft / DATA)


def begin(data: DataDir) -> None:
    """From here on nothing serves from a directory until a backup in it is proved.

    One in which a restore has failed before anything was put there may be used again. Raises
    RestoreFailed for one that holds a platform.
    """
    begun = data.unproven.exists()
    if data.postgres.exists() or (any(data.secrets.iterdir()) and not begun):
        raise RestoreFailed(f"{data.root} holds a platform already: move it away, or name another")
    data.unproven.touch()


def _check(cluster: Cluster, data: Path) -> None:
    """PostgreSQL's own digests of what it gave, and its log without a gap."""
    command = [str(cluster.bin / "pg_verifybackup"), "--quiet", str(data)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RestoreFailed(f"the files of PostgreSQL are damaged: {answer.stderr.strip()}")


async def prove(layout: Layout, destroyed: Iterable[Destroyed], report: Report) -> None:
    """Start the cluster alone, repeat destructions, verify every log. Raises RestoreFailed."""
    gone = [one for one in destroyed if isinstance(one, DestroyedOrganization)]
    left = {one.organization for one in gone}
    others = [one for one in destroyed if one.organization not in left]
    keys = [one for one in others if isinstance(one, DestroyedKey)]
    erased = [one for one in others if isinstance(one, ErasedRows)]
    async with Supervisor(layout.data.logs, report) as supervisor:
        await supervisor.start(_embedded(layout).child())
        await supervisor.run_once(layout.migration())
        async with place_of(layout, Service.AUTH).database() as database:
            # What another server holds of the auth state is of a time that is undone.
            await begin_history(AuthStore(database))
        erasures, rows = await redo(layout, erased)
        report(f"erasures done since the backup, and now again: {erasures}, of {rows} rows")
        again_left = await asyncio.to_thread(redo_destroyed, layout, gone)
        report(f"organizations destroyed since the backup, and now again: {again_left}")
        async with compliance_store(layout) as store:
            again = [key for key in keys if await _destroy(store, key)]
            report(f"other keys destroyed since the backup, and now again: {len(again)}")
            bad = [name for name in _organizations(layout) if not await _holds(store, name, report)]
    if bad:
        raise RestoreFailed("an audit log does not hold; see above")
    layout.data.unproven.unlink()


def _embedded(layout: Layout) -> Cluster:
    cluster = layout.cluster()
    if cluster is None:
        raise RestoreFailed("PostgreSQL is not the embedded one: restore it with its own tools")
    return cluster


@contextmanager
def _draft(root: Path) -> Iterator[Path]:
    draft = root / f".restore.{os.getpid()}"
    draft.mkdir(mode=0o700)
    try:
        yield draft
    finally:
        shutil.rmtree(draft)


def _only(major: int) -> Callable[[dict[str, str]], None]:
    """Accepts a backup of this major version of PostgreSQL, whose files no other one reads."""

    def accept(manifest: dict[str, str]) -> None:
        if manifest["postgres_major"] != str(major):
            raise RestoreFailed(
                f"the backup is of PostgreSQL {manifest['postgres_major']} and this is {major}:"
                " set MEDHUB_POSTGRES_BIN to that release"
            )

    return accept


@asynccontextmanager
async def compliance_store(layout: Layout) -> AsyncIterator[Store]:
    """Compliance's rows, as its own role sees them, and its keyring."""
    place = place_of(layout, Service.COMPLIANCE)
    async with place.database() as database:
        yield Store(database, place.keyring)


async def _destroy(store: Store, key: DestroyedKey) -> bool:
    """Destroy a key again; False where it is gone already."""
    identity.enter(
        Call(
            method="compliance.server/Restore",
            caller=Caller(kind=Kind.SERVICE, organization=key.organization),
            action="compliance.keys.destroy",
            purpose="operation",
        )
    )
    async with store.begin() as tx:
        if key.subject_key is not None:
            return await tx.keys.destroy_again(key.subject_key, at=clock.now())
        return await tx.keys.destroy_month_key(key.retention_class, key.month, at=clock.now())


def _organizations(layout: Layout) -> list[UUID]:
    """Every organization that has a log."""
    url = _embedded(layout).url(layout.database_name(Service.COMPLIANCE))
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT organization_id FROM audit_log")]


async def _holds(store: Store, organization: UUID, report: Report) -> bool:
    """Verify a log whole, against itself: what was trusted elsewhere is younger than a backup."""
    reader = StoredReader(store, organization, asyncio.get_running_loop())
    with tempfile.TemporaryDirectory() as nowhere:
        trust = TrustStore(Path(nowhere))
        found = await asyncio.to_thread(verify, reader, organization, trust)
    size = found.stated.size if found.stated else 0
    report(f"audit log of {organization}: {'holds' if found.holds else 'BROKEN'}, {size} events")
    return found.holds

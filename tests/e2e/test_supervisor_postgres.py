"""The embedded PostgreSQL under the supervisor."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from hub.postgres import Cluster, PostgresUnusable
from hub.supervisor import Supervisor
from tests.support.processes import eventually


def count(cluster: Cluster) -> int:
    with psycopg.connect(cluster.url()) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
        return int(row[0]) if row else 0


async def test_a_second_start_keeps_the_data(tmp_path: Path, cluster: Cluster) -> None:
    """What was committed before a stop is there after the next start."""
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        await supervisor.start(cluster.child())
        with psycopg.connect(cluster.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 3)")

    cluster.create()
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        await supervisor.start(cluster.child())
        assert count(cluster) == 3


async def test_a_killed_postmaster_heals_with_its_data(tmp_path: Path, cluster: Cluster) -> None:
    """kill -9 of the postmaster loses nothing that was committed."""
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        child = await supervisor.start(cluster.child())
        with psycopg.connect(cluster.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 3)")
        before = child.pid

        os.kill(before, signal.SIGKILL)
        await eventually(lambda: child.pid != before)
        while not await child.spec.ready.is_ready():
            pass

        assert count(cluster) == 3


async def test_a_lock_left_by_a_crash_does_not_stop_a_start(
    tmp_path: Path, cluster: Cluster
) -> None:
    """A lock file that names a live process which is no PostgreSQL is removed."""
    lock = cluster.data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{cluster.data}\n")

    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        child = await supervisor.start(cluster.child())

        assert int(lock.read_text().split()[0]) == child.pid


async def test_nobody_enters_without_the_password(tmp_path: Path, cluster: Cluster) -> None:
    """Loopback is shared by all users of a machine: it opens nothing by itself."""
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        await supervisor.start(cluster.child())

        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(cluster.url().replace("a%20password", "another"))


def test_data_of_another_release_is_refused(cluster: Cluster) -> None:
    """The message names both releases; the data is left alone."""
    (cluster.data / "PG_VERSION").write_text("12\n")

    with pytest.raises(PostgresUnusable, match="PostgreSQL 12's"):
        cluster.create()

"""One platform per data directory."""

import os
from pathlib import Path

import pytest

from hub.data_dir import AlreadyRunning, DataDir


def test_a_second_platform_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    """Two supervisors on one PostgreSQL directory would be the end of it."""
    data = DataDir.at(tmp_path)

    with (
        data.claimed(),
        pytest.raises(AlreadyRunning, match=str(os.getpid())),
        DataDir.at(tmp_path).claimed(),
    ):
        pass


def test_the_running_process_is_known_only_while_it_runs(tmp_path: Path) -> None:
    """A number left in the lock file by a process that is gone means nothing."""
    data = DataDir.at(tmp_path)

    with data.claimed():
        during = data.supervisor_pid()

    assert during == os.getpid()
    assert data.supervisor_pid() is None
    assert data.lock.exists()


def test_only_the_owner_may_look_into_secrets_and_logs(tmp_path: Path) -> None:
    """The root itself may be passed through: the embedded PostgreSQL may run as someone else."""
    data = DataDir.at(tmp_path / "new")

    data.create()

    modes = {path.name: path.stat().st_mode & 0o077 for path in (data.secrets, data.logs)}
    assert modes == {"secrets": 0, "logs": 0}

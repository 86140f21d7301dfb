"""`medhub down`: stop the platform that runs on a data directory."""

import os
import signal
import sys
import time
from contextlib import suppress

import typer

from hub.commands.options import DEFAULT_DATA_DIR, DataDirOption
from hub.data_dir import DataDir

# The sum of what the children may take to stop, and then some.
_STOP_SECONDS = 150.0
# The supervisor lets go of the directory before it ends, and whoever moves or unmounts it next must
# not find it there. One that its parent never collects is no reason to wait for ever.
_END_SECONDS = 10.0
_POLL_SECONDS = 0.05


def down(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Stop what `up` started here, in good order, and wait until it has stopped."""
    data = DataDir.at(data_dir)
    pid = data.supervisor_pid()
    if pid is None:
        print("medhub does not run here")
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while data.supervisor_pid() is not None:
        if time.monotonic() > deadline:
            print(f"medhub: process {pid} did not stop in {_STOP_SECONDS:.0f} s", file=sys.stderr)
            raise typer.Exit(1)
        time.sleep(_POLL_SECONDS)
    _wait_for_end(pid)
    print("medhub has stopped")


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + _END_SECONDS
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(_POLL_SECONDS)

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
        time.sleep(0.05)
    print("medhub has stopped")

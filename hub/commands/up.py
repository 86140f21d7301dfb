"""`medhub up`: the whole platform on this machine."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from hub import run_file
from hub.child import NotPrepared
from hub.commands.options import DEFAULT_DATA_DIR, DataDirOption, refuse
from hub.data_dir import AlreadyRunning, DataDir, NoDataDir
from hub.ports import PortTaken, allocate
from hub.supervisor import StartFailed
from hub.welcome import welcome

_TAIL_EVERY = 0.1
# Set for a platform in the background: whoever started it greets, so that no password is logged.
BACKGROUND = "MEDHUB_IN_BACKGROUND"


def up(
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    port_base: Annotated[
        int | None,
        typer.Option(min=1024, max=65000, help="The first of the block of ports to use."),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Load the demonstration.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is up.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Channelz and debug logs.")] = False,
) -> None:
    """Start everything here: PostgreSQL, the servers, the MLLP gateway, Envoy."""
    data = DataDir.at(data_dir)
    try:
        data.create()
        if data.unproven.exists():
            raise NotPrepared(f"{data.root} holds a backup that was not proved: restore it anew")
        if detach:
            _in_background(data)
        else:
            _here(data, port_base, debug=debug, demo=demo)
    except (AlreadyRunning, NoDataDir, PortTaken, NotPrepared, StartFailed) as refusal:
        refuse(refusal)


def _here(data: DataDir, port_base: int | None, *, debug: bool, demo: bool) -> None:
    from hub.layout import Layout
    from hub.platform import run

    with data.claimed():
        layout = Layout.on(data, allocate(port_base), debug=debug)
        greet = _say if BACKGROUND not in os.environ else _keep_to_oneself
        asyncio.run(run(layout, _say, demo=demo, greet=greet))


def _in_background(data: DataDir) -> None:
    """Start the same command in a session of its own; follow what it prints until it is up."""
    if pid := data.supervisor_pid():
        raise AlreadyRunning(pid, data.root)
    arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
    log = data.logs / "up.log"
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "hub", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, BACKGROUND: "yes"},
        )
    if code := _follow(supervisor, log, data.run_file):
        raise typer.Exit(code)


def _follow(supervisor: "subprocess.Popen[bytes]", log: Path, run_json: Path) -> int:
    """Print the log as it grows. The exit code: 0 once the platform of this process is up."""
    with log.open("r", encoding="utf-8", errors="replace") as lines:
        while True:
            running = run_file.read(run_json)
            ended = supervisor.poll()
            print(lines.read(), end="", flush=True)
            if ended is not None:
                return ended or 1
            if running and running.pid == supervisor.pid:
                print(welcome(running), flush=True)
                return 0
            time.sleep(_TAIL_EVERY)


def _keep_to_oneself(_: str) -> None:
    """The log is no place for passwords."""


def _say(line: str) -> None:
    print(line, flush=True)

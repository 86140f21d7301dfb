"""Runs the parts of a measurement as processes of their own, so that each has a CPU account."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.ports import HOST

ROOT = Path(__file__).parents[1]
# No single run takes longer; one that hangs must not hang the whole.
_LONGEST_RUN = 300.0
_STOP_SECONDS = 10.0
# Connections that wait while a server starts: more than a load opens.
_BACKLOG = 256


class WorthlessRun(Exception):
    """Some answers were not what was to be measured."""


def run_module(
    module: str, told: object, *arguments: str, env: Mapping[str, str] | None = None
) -> Any:
    """Run `python -m module`, hand it JSON, and return the JSON that it writes."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        input=json.dumps(told).encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        timeout=_LONGEST_RUN,
        check=True,
    )
    return json.loads(done.stdout)


@contextmanager
def serving(
    module: str, *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """Run a server that prints its port first; its process id and port, until the block ends."""
    with _running([sys.executable, "-m", module, *arguments], env, out=subprocess.PIPE) as process:
        assert process.stdout is not None
        with process.stdout as printed:
            line = printed.readline()
            if not line:
                raise RuntimeError(f"{module} ended with {process.wait()} before it served")
            yield process.pid, int(line)


@contextmanager
def listening(
    command: Callable[[int], Sequence[str]], env: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Run a server on a socket that it inherits: `command` is made from its number.

    Its process id and port, until the block ends. A connection made before it serves waits.
    """
    with socket.create_server((HOST, 0), backlog=_BACKLOG) as held:
        port, number = held.getsockname()[1], held.fileno()
        process = _running(command(number), env, inherited=[number])
        with process as running:
            # The server's alone from here on: when it ends, nobody is left waiting.
            held.close()
            yield running.pid, port


@contextmanager
def _running(
    command: Sequence[str],
    env: Mapping[str, str] | None,
    *,
    out: int | None = None,
    inherited: Sequence[int] = (),
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process until the block ends, and not for long after."""
    process = subprocess.Popen(
        command,
        stdout=out,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        pass_fds=inherited,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

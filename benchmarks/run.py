"""Runs the parts of a measurement as processes of their own, so that each has a CPU account."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# No single run takes longer; one that hangs must not hang the whole.
_LONGEST_RUN = 300.0
_STOP_SECONDS = 10.0


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
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{module} ended with {process.wait()} before it served")
        yield process.pid, int(line)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

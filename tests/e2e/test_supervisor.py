"""The supervisor over real processes: order, healing, stopping, dying."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.child import Child, ChildSpec
from hub.readiness import TcpOpen
from hub.supervisor import StartFailed, Supervisor
from tests.support.processes import eventually

SLEEPER = "import time; time.sleep(600)"
LATE_SERVER = """
import socket, sys, time
time.sleep(0.3)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()
"""
# Notes its orderly end in a file, so that the order of several ends can be read.
POLITE = """
import pathlib, signal, sys, time
def leave(*_):
    with pathlib.Path(sys.argv[1]).open("a") as file:
        file.write(sys.argv[2] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("here", flush=True)
time.sleep(600)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
SUPERVISED_SLEEPER = """
import asyncio, sys
from hub.child import ChildSpec
from hub.supervisor import Supervisor

async def main():
    spec = ChildSpec("sleeper", (sys.executable, "-c", "import time; time.sleep(600)"))
    async with Supervisor(None, lambda line: None) as supervisor:
        child = await supervisor.start(spec)
        print(child.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def program(name: str, code: str, *arguments: str) -> ChildSpec:
    return ChildSpec(name, (sys.executable, "-c", code, *arguments), stop_within=5.0)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def until_it_spoke(child: Child) -> None:
    await eventually(lambda: child.log is not None and "here" in child.log.tail(1))


async def test_a_child_that_is_killed_starts_again(tmp_path: Path) -> None:
    """kill -9 of a child heals without anyone's help."""
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        child = await supervisor.start(program("sleeper", SLEEPER))
        before = child.pid

        os.kill(before, signal.SIGKILL)

        await eventually(lambda: child.pid != before and child.is_alive)
        assert not is_alive(before)


async def test_a_child_that_keeps_crashing_waits_longer_each_time(tmp_path: Path) -> None:
    """The pause between starts grows, so a broken child does not take the machine."""
    reports: list[str] = []
    async with Supervisor(tmp_path, reports.append) as supervisor:
        await supervisor.start(
            program("crasher", "import time; time.sleep(0.2); raise SystemExit(3)")
        )

        await asyncio.sleep(2.5)

    crashes = [line for line in reports if "exit code 3" in line]
    assert 2 <= len(crashes) <= 5


async def test_start_returns_when_the_child_is_ready(tmp_path: Path, free_port: int) -> None:
    """The next child is started only when this one can be reached."""
    spec = ChildSpec(
        "server",
        (sys.executable, "-c", LATE_SERVER, str(free_port)),
        ready=TcpOpen("127.0.0.1", free_port),
    )

    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        before = await spec.ready.is_ready()
        await supervisor.start(spec)
        after = await spec.ready.is_ready()

    assert (before, after) == (False, True)


async def test_a_child_that_ends_while_starting_fails_with_its_last_words(tmp_path: Path) -> None:
    """The reader is told what the child said, not only that it failed."""
    spec = ChildSpec(
        "broken",
        (sys.executable, "-c", "raise SystemExit('no database url')"),
        ready=TcpOpen("127.0.0.1", 1),
    )

    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        with pytest.raises(StartFailed, match=r"(?s)broken ended.*no database url"):
            await supervisor.start(spec)


async def test_children_stop_last_first(tmp_path: Path) -> None:
    """What others need is stopped after them, and each may end in good order."""
    notes = tmp_path / "notes"
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        for name in ("database", "server", "edge"):
            child = await supervisor.start(program(name, POLITE, str(notes), name))
            await until_it_spoke(child)

    assert notes.read_text().split() == ["edge", "server", "database"]


async def test_a_child_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    """Stopping ends, whatever a child does."""
    spec = ChildSpec("stubborn", (sys.executable, "-c", STUBBORN), stop_within=0.5)
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        child = await supervisor.start(spec)
        await asyncio.sleep(0.3)
        began = time.monotonic()

    assert time.monotonic() - began < 5
    assert not is_alive(child.pid)


async def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """kill -9 of the supervisor leaves nothing behind that would hold a port."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent has died")
    supervisor = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs in this loop.
        [sys.executable, "-c", SUPERVISED_SLEEPER], stdout=subprocess.PIPE, cwd=tmp_path
    )
    with supervisor:
        assert supervisor.stdout
        child = int(supervisor.stdout.readline())

        supervisor.kill()

    await eventually(lambda: not is_alive(child))


async def test_sigterm_stops_the_children_in_good_order(tmp_path: Path) -> None:
    """Ctrl-C and `medhub down` are the same orderly end."""
    notes = tmp_path / "notes"
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        child = await supervisor.start(program("server", POLITE, str(notes), "server"))
        await until_it_spoke(child)
        asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)

        await supervisor.until_asked_to_stop(asyncio.sleep(0))

    assert notes.read_text() == "server\n"


async def test_being_asked_to_stop_ends_a_start_that_hangs(tmp_path: Path) -> None:
    """Ctrl-C works at any moment, not only when all is up."""
    spec = ChildSpec(
        "never", (sys.executable, "-c", SLEEPER), ready=TcpOpen("127.0.0.1", 1), stop_within=2.0
    )
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        asyncio.get_running_loop().call_later(0.3, supervisor.ask_to_stop)

        await supervisor.until_asked_to_stop(supervisor.start_together(spec))

        child = supervisor.children[0]

    assert not is_alive(child.pid)

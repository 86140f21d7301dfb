"""`medhub demo`: the platform's story, told against the running platform."""

import subprocess
import sys

import grpc
import typer

from hub import run_file
from hub.commands.options import DEFAULT_DATA_DIR, DataDirOption
from hub.data_dir import DataDir


def demo(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Tell the story: messages, the chart, refusals, a bill, figures, the trail, the package."""
    data = DataDir.at(data_dir)
    running = run_file.read(data.run_file)
    started = running is None
    if started:
        print("no platform runs here; starting one", flush=True)
        _medhub("up", "--demo", "--detach", "--data-dir", str(data.root))
        running = run_file.read(data.run_file)
    try:
        if running is None or not running.organizations:
            print("medhub: the platform runs without its demo; use: medhub up --demo")
            raise typer.Exit(1)
        _tell(running)
    finally:
        if started:
            _medhub("down", "--data-dir", str(data.root))


def _tell(running: run_file.Running) -> None:
    from hub.demo.calls import Clients, refusal_of
    from hub.demo.story import StepFailed, Story

    clients = Clients(running)
    try:
        Story(running, clients, print).tell()
    except StepFailed as failed:
        print(f"\nmedhub: the story went wrong: {failed}", file=sys.stderr)
        raise typer.Exit(1) from None
    except grpc.RpcError as error:
        print(f"\nmedhub: a call was refused: {refusal_of(error)}", file=sys.stderr)
        raise typer.Exit(1) from None
    finally:
        clients.close()
    print("\nAll of it went as it must.")


def _medhub(*arguments: str) -> None:
    ended = subprocess.run([sys.executable, "-m", "hub", *arguments], check=False)
    if ended.returncode:
        raise typer.Exit(ended.returncode)

"""`medhub hl7`: HL7 v2 messages from files to an MLLP endpoint."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub import run_file
from hub.commands.options import DEFAULT_DATA_DIR, DataDirOption
from hub.data_dir import DataDir
from hub.hl7_files import NoMessage, messages_in
from hub.hl7_sender import Outcome, Sender

_SHOWN_REFUSALS = 10

app = typer.Typer(help="Send HL7 v2 messages.", no_args_is_help=True)


@app.callback()
def hl7() -> None:
    """Keep `send` a subcommand of its own while it is the only one."""


@app.command()
def send(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE…")],
    host: Annotated[str | None, typer.Option(help="Default: the running platform's.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    window: Annotated[
        int, typer.Option(min=1, max=1000, help="Messages that may wait for their answer.")
    ] = 32,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds without any answer before giving up.")
    ] = 60.0,
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
) -> None:
    """Send the messages of the files over MLLP, in order; fails unless each is accepted."""
    try:
        messages = [message for path in files for message in messages_in(path)]
    except NoMessage as refusal:
        print(f"medhub: {refusal}", file=sys.stderr)
        raise typer.Exit(2) from None
    address = _address(host, port, data_dir)
    began = time.monotonic()
    outcome = _send(messages, address, window, patience)
    if outcome.unconnected:
        host_and_port = f"{address[0]}:{address[1]}"
        print(f"medhub: cannot connect to {host_and_port}: {outcome.unconnected}", file=sys.stderr)
    _report(outcome, len(messages), time.monotonic() - began)
    raise typer.Exit(0 if outcome.is_success else 1)


def _address(host: str | None, port: int | None, data_dir: Path) -> tuple[str, int]:
    if port is not None:
        return host or "127.0.0.1", port
    data = DataDir.at(data_dir)
    running = run_file.read(data.run_file)
    if running is None or data.supervisor_pid() is None:
        print("medhub: no platform runs here: give --host and --port", file=sys.stderr)
        raise typer.Exit(2)
    return host or running.mllp_host, running.mllp_port


def _send(messages: list[bytes], address: tuple[str, int], window: int, patience: float) -> Outcome:
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(messages))
        sender = Sender(
            *address,
            window=window,
            patience=patience,
            answered=lambda: progress.advance(task),
        )
        return asyncio.run(sender.send(messages))


def _report(outcome: Outcome, total: int, seconds: float) -> None:
    """One line to count on, then what to look at. Control ids are no patient's data."""
    answered = total - outcome.unanswered
    print(
        f"{outcome.accepted} of {total} accepted, {len(outcome.refused)} refused,"
        f" {outcome.unanswered} unanswered; {answered / max(seconds, 0.001):.0f} messages/s,"
        f" {outcome.reconnects} reconnects"
    )
    for control_id, code in outcome.refused[:_SHOWN_REFUSALS]:
        print(f"  {control_id.decode('ascii', 'replace')}: {code}")

"""`medhub backup` and `medhub restore`: a small site in one sealed file, and back."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from hub.child import NotPrepared
from hub.commands.options import DEFAULT_DATA_DIR, DataDirOption, refuse
from hub.data_dir import AlreadyRunning, DataDir, NoDataDir
from hub.ports import PortTaken, allocate
from hub.supervisor import StartFailed, Supervisor

KeyOption = Annotated[
    Path,
    typer.Option("--key", help="The age key that opens the backup; keep it on another machine."),
]


def backup(
    target: Annotated[Path, typer.Argument(help="The file to write.")],
    key: KeyOption,
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
) -> None:
    """Write everything of this platform to one file, sealed to a key (made when there is none).

    It may run meanwhile. The list beside it of what was destroyed and erased (destroyed-keys.jsonl)
    is no part of the file: copy it where it survives this machine, for a restore must know the
    newest.
    """
    from hub.backup import BackupFailed, recipient_of

    data = DataDir.at(data_dir)
    try:
        recipient = recipient_of(key)
        asyncio.run(_back_up(data, target, recipient))
    except (AlreadyRunning, BackupFailed, NotPrepared, OSError, StartFailed) as refusal:
        refuse(refusal)
    print(f"{target}: {target.stat().st_size / 1024**2:.1f} MiB, opened by {key}")


async def _back_up(data: DataDir, target: Path, recipient: object) -> None:
    from hub.backup import BackupFailed, make
    from hub.layout import Layout

    if not target.parent.is_dir():
        raise BackupFailed(f"there is no folder {target.parent}")

    if not data.ports.exists():
        raise BackupFailed(f"no platform has run in {data.root}")
    if data.supervisor_pid() is not None:
        await asyncio.to_thread(make, Layout.found(data), target, recipient)
        return
    with data.claimed():
        layout = Layout.on(data, allocate())
        cluster = layout.cluster()
        async with Supervisor(data.logs, _say) as supervisor:
            if cluster is not None:
                await supervisor.start(cluster.child())
            await asyncio.to_thread(make, layout, target, recipient)


def restore(
    source: Annotated[Path, typer.Argument(help="A file that `medhub backup` wrote.")],
    key: KeyOption,
    destroyed_keys: Annotated[
        Path,
        typer.Option(help="The newest destroyed-keys.jsonl of the platform that was lost."),
    ],
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
) -> None:
    """Put a backup into an empty data directory, and prove it; `medhub up` then serves from it.

    What was erased and destroyed since the backup was made is erased and destroyed again, and every
    audit log is verified whole. A backup that does not pass is left where it was put, and says so.
    """
    from hub.archive import Unusable
    from hub.backup import BackupFailed
    from hub.restore import RestoreFailed

    data = DataDir.at(data_dir)
    refusals = (AlreadyRunning, BackupFailed, NoDataDir, NotPrepared, OSError, PortTaken)
    try:
        data.create()
        with data.claimed():
            _restore(data, source, key, destroyed_keys)
    except (*refusals, RestoreFailed, StartFailed, Unusable, ValueError) as refusal:
        refuse(refusal)
    print(f"{data.root} holds the backup; start it with: medhub up --data-dir {data.root}")


def _restore(data: DataDir, source: Path, key: Path, destroyed_keys: Path) -> None:
    from hub import destroyed_keys as lists
    from hub.backup import identity_in
    from hub.layout import Layout
    from hub.restore import RestoreFailed, begin, place, prove

    begin(data)
    if not destroyed_keys.exists():
        raise RestoreFailed(f"{destroyed_keys} is not there; an empty file says that none was")
    destroyed = lists.listed(destroyed_keys)
    layout = Layout.on(data, allocate())
    place(layout, source, identity_in(key))
    lists.keep(data.destroyed_keys, destroyed)
    asyncio.run(prove(layout, destroyed, _say))


def _say(line: str) -> None:
    print(line, flush=True)

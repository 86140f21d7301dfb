"""`medhub doctor`: what is not well here, and what to do about it."""

import asyncio

import typer

from hub.commands.options import DEFAULT_DATA_DIR, DataDirOption
from hub.data_dir import DataDir


def doctor(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Check this machine and the platform that runs here; fails when something is not well."""
    well = asyncio.run(_examine(DataDir.at(data_dir)))
    raise typer.Exit(0 if well else 1)


async def _examine(data: DataDir) -> bool:
    from hub.examination import State, examine

    well = True
    async for finding in examine(data):
        hint = f"  ({finding.hint})" if finding.hint else ""
        print(f"{finding.state:<5} {finding.what}{hint}", flush=True)
        well = well and finding.state is not State.FAILED
    return well

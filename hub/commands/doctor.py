"""`medhub doctor`: what is not well here, and what to do about it."""

import asyncio

import typer

from hub.commands.options import DEFAULT_DATA_DIR, DataDirOption
from hub.data_dir import DataDir
from hub.examination import Finding, State, examine


def doctor(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Check this machine and the platform that runs here; fails when something is not well."""
    failed = asyncio.run(_examine(DataDir.at(data_dir)))
    raise typer.Exit(1 if failed else 0)


async def _examine(data: DataDir) -> bool:
    failed = False
    async for finding in examine(data):
        _print(finding)
        failed = failed or finding.state is State.FAILED
    return failed


def _print(finding: Finding) -> None:
    hint = f"  ({finding.hint})" if finding.hint else ""
    print(f"{finding.state:<5} {finding.what}{hint}", flush=True)

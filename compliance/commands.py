"""`python -m compliance rebind SOURCE`: what only an operator may do."""

import asyncio
import sys
from argparse import ArgumentParser

from compliance.settings import CommandSettings
from compliance.storage.sources import Sources
from core.database import Database
from core.database.context import PLATFORM
from core.identity import Call, Caller, Kind


def run(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    source = _parser().parse_args(arguments).source
    if asyncio.run(_rebind(source)):
        print(f"the next service account that appends as {source} has it from then on")
        return 0
    print(f"refused: no service account appends as {source}", file=sys.stderr)
    return 1


async def rebind(database: Database, source: str) -> bool:
    """Forget which account appends as a source, in the trail of the platform."""
    call = Call(
        method="compliance.server/Rebind",
        caller=Caller(kind=Kind.SERVICE, organization=PLATFORM),
        action="compliance.sources.rebind",
        purpose="operation",
    )
    async with database.begin_as(call) as tx:
        return await Sources(tx).forget(source)


async def _rebind(source: str) -> bool:
    database = Database(CommandSettings.read().database())
    await database.open()
    try:
        return await rebind(database, source)
    finally:
        await database.close()


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m compliance")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("rebind", help="let another service account append as a source")
    command.add_argument("source", help="the name of a service: auth, clinical, …")
    return parser

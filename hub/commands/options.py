"""Options that several commands take, spelled once, and how a command refuses."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hub import data_dir

if TYPE_CHECKING:
    from hub.layout import Layout

_DATA_DIR = "MEDHUB_DATA_DIR"
DataDirOption = Annotated[
    Path,
    typer.Option("--data-dir", envvar=_DATA_DIR, help="Where the platform keeps its files."),
]
DEFAULT_DATA_DIR = data_dir.DEFAULT

# MEDHUB_DATA_DIR is no envvar of this option: it would look as if it had been given.
OperatedOption = Annotated[
    Path | None,
    typer.Option("--data-dir", help=f"Of a platform that `up` runs; else {_DATA_DIR} says."),
]
# Set in a container, where the environment says what else a data directory would.
_DATABASE = "MEDHUB_AUTH_DATABASE_APP_URL"


def operated(data_dir: Path | None, *, database: str = _DATABASE) -> "Layout | None":
    """The platform that `up` runs in a data directory; None where the environment says.

    A directory that was given goes before a database in the environment, as the variable
    `database` names it, and that before MEDHUB_DATA_DIR. Refuses where none runs.
    """
    if data_dir is None and os.environ.get(database):
        return None
    from hub.data_dir import DataDir
    from hub.layout import POSTGRES_URL, Layout

    data = DataDir.at(data_dir or Path(os.environ.get(_DATA_DIR) or DEFAULT_DATA_DIR))
    if not data.ports.exists():
        refuse(f"no platform has run in {data.root}")
    if data.supervisor_pid() is None and not os.environ.get(POSTGRES_URL):
        refuse(f"no platform runs in {data.root}; start it with: medhub up")
    return Layout.found(data)


def refuse_database(fault: BaseException | None, variable: str) -> NoReturn:
    """End the command: say in a line what PostgreSQL, or psycopg before it, does not take.

    What is no connection string psycopg quotes, with whatever password is in it.
    """
    import psycopg

    unread = isinstance(fault, psycopg.ProgrammingError) and fault.sqlstate is None
    # libpq tells each address that it has tried in a line of its own.
    refuse(f"{variable} is no connection string" if unread else " ".join(str(fault).split()))


def refuse(why: object) -> NoReturn:
    """End the command: say in a line why nothing was done."""
    print(f"medhub: {why}", file=sys.stderr)
    raise typer.Exit(1) from None

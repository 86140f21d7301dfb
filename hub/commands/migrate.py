"""`medhub migrate`: bring the databases to the newest revision."""

import os
import sys
from typing import Annotated

import typer

from hub.commands.options import refuse_database
from hub.services import Service


def migrate(
    services: Annotated[
        list[Service] | None, typer.Argument(help="Which services; all when none is named.")
    ] = None,
) -> None:
    """Migrate each service's database as its owner, from MEDHUB_<SERVICE>_DATABASE_OWNER_URL."""
    wanted = services or list(Service)
    urls = {each: os.environ.get(_variable(each)) for each in wanted}
    missing = [each for each, url in urls.items() if not url]
    if missing:
        names = ", ".join(map(_variable, missing))
        print(f"medhub: the owner of the database is unknown: set {names}", file=sys.stderr)
        raise typer.Exit(2)
    import psycopg
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from core.database import migrations

    for service, url in urls.items():
        try:
            migrations.migrate(service, url or "")
        except OperationalError as away:
            refuse_database(away.orig, _variable(service))
        except ProgrammingError as fault:
            # Another one is a fault of the migration, whose place is worth knowing.
            if not isinstance(fault.orig, psycopg.errors.InsufficientPrivilege):
                raise
            refuse_database(fault.orig, _variable(service))
        except psycopg.ProgrammingError as unread:
            refuse_database(unread, _variable(service))
        print(f"{service}: at revision {migrations.head_of(service)}", flush=True)


def _variable(service: Service) -> str:
    return f"MEDHUB_{service.upper()}_DATABASE_OWNER_URL"

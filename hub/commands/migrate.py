"""`medhub migrate`: bring the databases to the newest revision."""

import os
import sys
from typing import Annotated

import typer

from hub.services import Service


def migrate(
    services: Annotated[
        list[Service] | None, typer.Argument(help="Which services; all when none is named.")
    ] = None,
) -> None:
    """Migrate each service's database as its owner, from MEDHUB_<SERVICE>_DATABASE_OWNER_URL."""
    wanted = services or list(Service)
    urls = {each: os.environ.get(f"MEDHUB_{each.upper()}_DATABASE_OWNER_URL") for each in wanted}
    missing = [each for each, url in urls.items() if not url]
    if missing:
        names = ", ".join(f"MEDHUB_{each.upper()}_DATABASE_OWNER_URL" for each in missing)
        print(f"medhub: the owner of the database is unknown: set {names}", file=sys.stderr)
        raise typer.Exit(2)
    from core.database import migrations

    for service, url in urls.items():
        migrations.migrate(service, url or "")
        print(f"{service}: at revision {migrations.head_of(service)}", flush=True)

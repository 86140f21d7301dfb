"""`medhub provision`: databases, roles and secrets of services that run in containers."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.commands.options import refuse, refuse_database
from hub.services import Service


def provision(
    into: Annotated[Path, typer.Option(help="The folder of secrets; made when there is none.")],
    services: Annotated[
        list[Service] | None, typer.Argument(help="Which services; all when none is named.")
    ] = None,
) -> None:
    """Make the databases and roles of services, as the role of MEDHUB_POSTGRES_URL, and secrets.

    It may be repeated with the same folder: what is there stays, and only files of settings (….env)
    are written anew.
    """
    import psycopg

    from core.crypto.keyring import KeyringUnusable
    from hub.layout import POSTGRES_URL
    from hub.provisioning import provision_services
    from hub.service_secrets import KeptElsewhere

    admin = os.environ.get(POSTGRES_URL)
    if not admin:
        words = f"set {POSTGRES_URL} to a role that may create databases and roles"
        print(f"medhub: the server of the databases is unknown: {words}", file=sys.stderr)
        raise typer.Exit(2)
    if into.exists() and not into.is_dir():
        refuse(f"{into} is no folder")
    try:
        for path in provision_services(admin, into, services or list(Service)):
            print(path)
    except psycopg.Error as fault:
        refuse_database(fault, POSTGRES_URL)
    except (OSError, KeyringUnusable, KeptElsewhere) as fault:
        refuse(fault)

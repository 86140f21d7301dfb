"""`medhub auth …`: what only an operator may do with accounts, organizations and keys.

Against a platform that `medhub up` runs, auth's database and keyring are found by the data
directory. Where MEDHUB_AUTH_DATABASE_APP_URL is set, as in a container, the environment says.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.commands.options import OperatedOption, operated
from hub.services import Service

app = typer.Typer(
    help="Administer accounts, organizations and keys of auth, as the platform's operator.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_Email = Annotated[str, typer.Argument(help="The address of an account.")]
_Organization = Annotated[str, typer.Argument(help="organizations/{uuid}")]


@app.command("bootstrap-organization")
def bootstrap_organization(
    display_name: Annotated[str, typer.Option(help="What it is called.")],
    admin_email: Annotated[str, typer.Option(help="The address of its first administrator.")],
    admin_name: Annotated[str, typer.Option(help="The administrator's name.")],
    test: Annotated[bool, typer.Option("--test", help="It holds test identities only.")] = False,
    password_file: Annotated[
        Path | None, typer.Option(help="Else the password is read from standard input.")
    ] = None,
    data_dir: OperatedOption = None,
) -> None:
    """Make an organization and its first administrator; it may be repeated."""
    words = ["--display-name", display_name, *_administrator(admin_email, admin_name)]
    words += ["--test"] if test else []
    words += ["--password-file", str(password_file)] if password_file else []
    _run(data_dir, "bootstrap", "organization", *words)


@app.command("appoint-administrator")
def appoint_administrator(
    organization: _Organization,
    admin_email: Annotated[str, typer.Option(help="The address of its administrator.")],
    admin_name: Annotated[str, typer.Option(help="The administrator's name.")],
    password_file: Annotated[
        Path | None, typer.Option(help="Else the password is read from standard input.")
    ] = None,
    data_dir: OperatedOption = None,
) -> None:
    """Appoint an administrator of an organization that has none left; it may be repeated."""
    words = [organization, *_administrator(admin_email, admin_name)]
    words += ["--password-file", str(password_file)] if password_file else []
    _run(data_dir, "bootstrap", "administrator", *words)


@app.command("bootstrap-service-account")
def bootstrap_service_account(
    key: Annotated[Path, typer.Option(help="The key file; made when there is none.")],
    role: Annotated[list[str], typer.Option(help="A role; may be given several times.")],
    organization: Annotated[str, typer.Option(help="organizations/{uuid}; none: a server.")] = "",
    display_name: Annotated[str, typer.Option(help="Else the name of the key file.")] = "",
    data_dir: OperatedOption = None,
) -> None:
    """Make the account that a key file proves; it may be repeated."""
    words = ["--key", str(key), *(part for each in role for part in ("--role", each))]
    words += ["--organization", organization] if organization else []
    words += ["--display-name", display_name] if display_name else []
    _run(data_dir, "bootstrap", "service-account", *words)


@app.command()
def lock(email: _Email, data_dir: OperatedOption = None) -> None:
    """Shut an account out of all organizations, at once, until it is unlocked."""
    _run(data_dir, "operate", "lock-account", email)


@app.command()
def unlock(email: _Email, data_dir: OperatedOption = None) -> None:
    """Let an account in again, and forget who has guessed at its password."""
    _run(data_dir, "operate", "unlock-account", email)


@app.command()
def revoke(email: _Email, data_dir: OperatedOption = None) -> None:
    """End all sessions of a person, everywhere."""
    _run(data_dir, "operate", "end-sessions", email)


@app.command()
def disable(
    account: Annotated[str, typer.Argument(help="serviceAccounts/{uuid} of a server.")],
    data_dir: OperatedOption = None,
) -> None:
    """Shut the account of one of the platform's servers out, for good."""
    _run(data_dir, "operate", "disable-server", account)


@app.command("release-address")
def release_address(email: _Email, data_dir: OperatedOption = None) -> None:
    """Free an address of which somebody else has made an account."""
    _run(data_dir, "operate", "release-address", email)


@app.command("rotate-keys")
def rotate_keys(data_dir: OperatedOption = None) -> None:
    """Publish a new signing key and retire the others; no call fails."""
    _run(data_dir, "operate", "rotate-keys")


@app.command("revoke-key")
def revoke_key(
    kid: Annotated[str, typer.Argument(help="The id of a signing key.")],
    data_dir: OperatedOption = None,
) -> None:
    """Let a compromised signing key verify nothing any more."""
    _run(data_dir, "operate", "revoke-key", kid)


@app.command("revoke-everything")
def revoke_everything(data_dir: OperatedOption = None) -> None:
    """End all sessions of everybody, and the tokens of programs."""
    _run(data_dir, "operate", "end-everything")


@app.command("begin-history")
def begin_history(data_dir: OperatedOption = None) -> None:
    """Have every server take the auth state anew, after PostgreSQL's own tools restored it."""
    _run(data_dir, "operate", "begin-history")


@app.command("suspend-organization")
def suspend_organization(organization: _Organization, data_dir: OperatedOption = None) -> None:
    """Accept no token for an organization any more."""
    _run(data_dir, "operate", "suspend-organization", organization)


@app.command("reactivate-organization")
def reactivate_organization(organization: _Organization, data_dir: OperatedOption = None) -> None:
    """Let an organization work again."""
    _run(data_dir, "operate", "reactivate-organization", organization)


@app.command()
def outbox(data_dir: OperatedOption = None) -> None:
    """Show messages that have not left: kept for development, waiting, or given up."""
    _run(data_dir, "operate", "outbox")


def _administrator(email: str, name: str) -> list[str]:
    return ["--admin-email", email, "--admin-name", name]


def _run(data_dir: Path | None, *words: str) -> None:
    """Run auth's own command, and end as it ended."""
    layout = operated(data_dir)
    told = layout.environment(Service.AUTH) if layout else {}
    command = [sys.executable, "-m", "auth", *words]
    done = subprocess.run(command, env=os.environ | told, check=False)
    raise typer.Exit(done.returncode)

"""`medhub offboard …`: an organization leaves with everything that is its own.

For whoever operates the platform. Against one that `medhub up` runs, databases and keyrings are
found by the data directory. Where MEDHUB_AUTH_DATABASE_APP_URL is set, as in a container, the
environment says: for each service MEDHUB_<SERVICE>_DATABASE_APP_URL, …_DATABASE_OWNER_URL and
…_KEYRING_PATH with what unlocks it.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias
from uuid import UUID

import typer

from hub.commands.options import OperatedOption, operated, refuse

if TYPE_CHECKING:
    from hub.offboarding.verification import Verified
    from hub.places import Place

    _Work: TypeAlias = Callable[[list[Place], UUID], None]

_FAILURES = 2
"""Exit code of a package that does not hold."""

app = typer.Typer(
    help="Let an organization leave: hand everything over, then destroy it, with receipts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_Organization = Annotated[str, typer.Argument(help="organizations/{uuid}, suspended.")]


@app.command("key")
def make_key(
    file: Annotated[Path, typer.Argument(help="The key file; made when there is none.")],
) -> None:
    """Make the key of whom a package is for, and print its public half (`age1…`).

    The file, which its owner alone can read, opens the package: it stays with them. Of a file
    that is there already the public half is printed, and nothing is changed.
    """
    from hub.backup import BackupFailed, recipient_of

    try:
        public = recipient_of(file)
    except (BackupFailed, OSError) as refusal:
        refuse(refusal)
    _say(str(public))


@app.command()
def export(
    organization: _Organization,
    target: Annotated[Path, typer.Argument(help="The file to write.")],
    recipient: Annotated[
        str,
        typer.Option(help="The public key of whom it is for, `age1…`: nobody else can open it."),
    ],
    data_dir: OperatedOption = None,
) -> None:
    """Write everything that any service holds of an organization to one file, sealed to its key.

    Nothing is destroyed. It may be repeated; the newest one counts.
    """
    import pyrage

    from hub.offboarding.export import export as hand_over

    def work(places: "list[Place]", key: UUID) -> None:
        try:
            to = pyrage.x25519.Recipient.from_str(recipient)
        except pyrage.RecipientError:
            raise ValueError("the recipient is no age public key (age1…)") from None
        asyncio.run(hand_over(places, key, target, to, _say))
        _say(f"{target}: {target.stat().st_size / 1024**2:.1f} MiB")
        _say("its owner verifies it, and tells its digest: medhub offboard verify")

    _with_places(data_dir, organization, work)


@app.command()
def verify(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The package.")],
    key: Annotated[Path, typer.Option(exists=True, help="The age key that opens it.")],
    into: Annotated[
        Path | None, typer.Option(help="An empty or new folder to leave the files in.")
    ] = None,
) -> None:
    """Open a package, verify every file and the whole audit log in it, and print its digest.

    Needs no platform and no network: it is for whom the package was made.
    """
    from hub.archive import Unusable
    from hub.backup import BackupFailed, identity_in
    from hub.offboarding.package import Damaged
    from hub.offboarding.verification import opened

    with tempfile.TemporaryDirectory() as nowhere:
        folder = into or Path(nowhere)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise ValueError(f"{folder} is not empty")
            found = opened(source, identity_in(key), folder)
        except (BackupFailed, Damaged, OSError, Unusable, ValueError) as refusal:
            refuse(refusal)
    for line in _lines_of(found):
        _say(line)
    if not found.log.holds:
        raise typer.Exit(_FAILURES)


@app.command()
def destroy(
    organization: _Organization,
    digest: Annotated[
        str,
        typer.Option(help="Of the package, as its owner was told it when they verified it."),
    ],
    receipts: Annotated[
        Path, typer.Option(help="A folder for the receipts, one for each service.")
    ],
    data_dir: OperatedOption = None,
) -> None:
    """Destroy everything that was handed over, in every service, and leave a receipt of each.

    It cannot be undone. Broken off, it is repeated and goes on. Nothing goes unless the
    organization has been suspended ever since the package was made.
    """
    from hub.offboarding.destroy import destroy as destroy_all

    def work(places: "list[Place]", key: UUID) -> None:
        try:
            told = bytes.fromhex(digest)
        except ValueError:
            raise ValueError("the digest has 64 hexadecimal digits") from None
        destroy_all(places, key, told, receipts, _say)

    _with_places(data_dir, organization, work)


def _with_places(data_dir: Path | None, organization: str, work: "_Work") -> None:
    """Do what is to be done where the services keep their data; refusals are told and not shown."""
    import psycopg

    from core.crypto.keyring import KeyringUnusable
    from core.offboarding.destruction import NotReady
    from hub.places import Unplaced, of_environment, of_layout

    refusals = (NotReady, OSError, Unplaced, KeyringUnusable, ValueError)
    try:
        key = _id_of(organization)
        layout = operated(data_dir)
        work(of_layout(layout) if layout else of_environment(os.environ), key)
    except refusals as refusal:
        refuse(refusal)
    except psycopg.OperationalError:
        refuse("a database cannot be reached")


def _id_of(organization: str) -> UUID:
    """The id in a name; raises ValueError for what is none."""
    from core.errors import InvalidName
    from core.ids import id_from

    try:
        return id_from(organization, "organizations", field="organization")
    except InvalidName:
        raise ValueError("an organization is named organizations/{uuid}") from None


def _lines_of(found: "Verified") -> list[str]:
    manifest = found.manifest
    rows = sum(table["rows"] for table in found.tables)
    state = "holds" if found.log.holds else "BROKEN"
    size = found.log.stated.size if found.log.stated else 0
    return [
        f"organization   {manifest['organization']} ({manifest['display_name']})",
        f"made at        {manifest['made_at']}, suspended at {manifest['suspended_at']}",
        f"contents       {len(found.tables)} tables, {rows} rows; every file is as accounted for",
        f"audit log      {state}, {size} events",
        *(f"receipt key    {key}" for key in manifest["receipt_keys"].values()),
        f"digest         {found.digest.hex()}",
    ]


def _say(line: str) -> None:
    print(line, flush=True)

"""The `medhub` command."""

from importlib.metadata import version
from typing import Annotated

import typer

from hub.commands import (
    audit,
    auth,
    backup,
    demo,
    doctor,
    down,
    hl7,
    migrate,
    offboard,
    policy,
    provision,
    receipt,
    serve,
    up,
)

app = typer.Typer(
    help="The typed, audited, multi-tenant backbone under healthcare software.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with the values of locals would print passwords and patients.
    pretty_exceptions_enable=False,
)
app.command()(up.up)
app.command()(down.down)
app.command()(serve.serve)
app.command()(provision.provision)
app.command()(migrate.migrate)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(policy.policy)
app.command()(receipt.receipt)
app.add_typer(audit.app, name="audit")
app.add_typer(auth.app, name="auth")
app.add_typer(hl7.app, name="hl7")
app.add_typer(offboard.app, name="offboard")


def _tell_version(*, asked: bool) -> None:
    if asked:
        print(f"medhub {version('medhub')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    """The typed, audited, multi-tenant backbone under healthcare software."""


def main() -> None:
    """Run the command that the arguments name."""
    app()


if __name__ == "__main__":
    main()

"""`medhub receipt`: whether a receipt of an erasure is what a service has signed."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def receipt(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="The receipt's note, as it was given."),
    ],
    key: Annotated[
        str, typer.Option(help="The service's public key, as a vkey line, known from elsewhere.")
    ],
) -> None:
    """Verify a receipt of an erasure and print what it says. Needs no platform and no network."""
    from core.subject.receipts import NotVouched, verified

    try:
        print(verified(file.read_bytes(), key), end="")
    except NotVouched as refusal:
        print(f"medhub: {refusal}", file=sys.stderr)
        raise typer.Exit(1) from None

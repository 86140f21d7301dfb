"""`medhub receipt`: whether a receipt is what a service has signed."""

import base64
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer


def receipt(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="The note, or its base64 as JSON has it."),
    ],
    key: Annotated[
        str, typer.Option(help="The service's public key, as a vkey line, known from elsewhere.")
    ],
) -> None:
    """Verify a receipt of an erasure, or of an organization's destruction, and print what it says.

    Needs no platform and no network.
    """
    from core.crypto.signed_notes import NotVouched, verified
    from core.offboarding.receipts import HEADING as OF_ORGANIZATION
    from core.subject.receipts import HEADING as OF_PERSON

    try:
        said = verified(_note_in(file.read_bytes()), key)
        if said.partition("\n")[0] not in (OF_ORGANIZATION, OF_PERSON):
            raise NotVouched("signed, and no receipt")
    except NotVouched as refusal:
        print(f"medhub: {refusal}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(said, end="")


def _note_in(given: bytes) -> bytes:
    """The note; JSON holds its bytes as base64, in which no note could be written."""
    with suppress(ValueError):
        return base64.b64decode(given.strip(), validate=True)
    return given

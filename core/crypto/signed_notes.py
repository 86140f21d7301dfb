"""Signed notes (c2sp.org/signed-note): a text that people read, and a line that proves the signer.

Anybody verifies one with the signer's public key and without medhub.
"""

import base64

from core.crypto.note_keys import NoteSigner, NoteVerifier


class NotVouched(ValueError):
    """A text that is no signed note, or not signed by the key that is said to have signed it."""


def signed(text: str, signer: NoteSigner) -> bytes:
    """The text as a signed note. It ends in a line break, as each of its lines does."""
    signature = base64.b64encode(signer.key_id + signer.sign(text.encode())).decode()
    return f"{text}\n— {signer.name} {signature}\n".encode()


def verified(note: bytes, verifier_key: str) -> str:
    """The text of a note that this key (a C2SP vkey) has signed. Raises NotVouched."""
    verifier = _verifier(verifier_key)
    try:
        text, _, line = note.decode().rpartition("\n\n— ")
        name, _, encoded = line.removesuffix("\n").partition(" ")
        blob = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise NotVouched("not a signed note") from None
    said = f"{text}\n"
    known = name == verifier.name and blob[:4] == verifier.key_id
    if not known or not verifier.verify(said.encode(), blob[4:]):
        raise NotVouched("the note is not signed by this key")
    return said


def _verifier(verifier_key: str) -> NoteVerifier:
    try:
        return NoteVerifier.from_vkey(verifier_key)
    except ValueError:
        raise NotVouched("not a verifier key (a C2SP vkey)") from None

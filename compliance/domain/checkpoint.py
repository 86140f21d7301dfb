"""Checkpoints (c2sp.org/tlog-checkpoint) as signed notes (c2sp.org/signed-note).

A checkpoint states that a log of a given origin has a given size and root. It is a text; whoever
vouches for it adds a line `— <key name> base64(key id | signature)`: the log first, witnesses
after it. Signing itself is the keys' affair (Ed25519), which are handed in.
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from compliance.domain.merkle import HASH_SIZE

MAX_NOTE = 64 * 1024
"""Bytes. A checkpoint takes some hundred bytes, and each signature about a hundred and twenty."""

MAX_SIGNATURES = 100
"""As many as Go's reference implementation reads."""

_KEY_ID_SIZE = 4
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE_LINE = re.compile(r"— (?P<name>[^\s+]+) (?P<blob>[A-Za-z0-9+/]+={0,2})")


class MalformedCheckpoint(ValueError):
    """The bytes are not a signed note, or its text is not a checkpoint's."""


class CheckpointNotVouched(Exception):
    """No known key signed the checkpoint, or a signature under a known key does not hold."""


class Signer(Protocol):
    """A private key under a name."""

    @property
    def name(self) -> str:
        """The key's name."""

    @property
    def key_id(self) -> bytes:
        """The 4 bytes by which a verifier finds its own signature."""

    def sign(self, text: bytes) -> bytes:
        """The signature over a note's text."""


class Verifier(Protocol):
    """A public key under a name."""

    @property
    def name(self) -> str:
        """The key's name."""

    @property
    def key_id(self) -> bytes:
        """The 4 bytes by which it finds its own signature."""

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's over the text."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log. Extension lines are kept as they came and mean nothing to us."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """What is signed. Raises MalformedCheckpoint for lines that could be read otherwise."""
        root = base64.b64encode(self.root).decode()
        lines = (self.origin, str(self.size), root, *self.extensions)
        if len(self.root) != HASH_SIZE or not all(_is_line(line) for line in lines):
            raise MalformedCheckpoint("a checkpoint has a root of 32 bytes and no empty line")
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The checkpoint that a note's text states. Raises MalformedCheckpoint."""
        lines = text.split("\n")
        if len(lines) < 4 or not all(_is_line(line) for line in lines[:-1]) or lines[-1]:
            raise MalformedCheckpoint("a checkpoint has three lines or more")
        origin, size, root, *extensions = lines[:-1]
        if not _SIZE.fullmatch(size):
            raise MalformedCheckpoint("a checkpoint's size is a decimal number")
        return cls(origin, int(size), _decoded(root, HASH_SIZE, HASH_SIZE), tuple(extensions))


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note, not yet verified."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line as it stands in the note."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text, and who says to vouch for it."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note as it is stored, published and hashed."""
        return (self.text + "\n" + "".join(s.line() for s in self.signatures)).encode()

    @classmethod
    def parse(cls, note: bytes) -> "SignedNote":
        """Take a note apart, verifying nothing. Raises MalformedCheckpoint."""
        text, separator, lines = _readable(note).rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise MalformedCheckpoint("a note has an empty line, then signature lines")
        signatures = [_signature(line) for line in lines.removesuffix("\n").split("\n")]
        if len(signatures) > MAX_SIGNATURES:
            raise MalformedCheckpoint("a note has too many signatures")
        return cls(text + "\n", tuple(signatures))

    def signed_by(self, signer: Signer) -> "SignedNote":
        """The note with one signature more. A key signs a note once, its last word counts."""
        signature = Signature(signer.name, signer.key_id, signer.sign(self.text.encode()))
        others = (s for s in self.signatures if not _same_key(s, signer))
        return replace(self, signatures=(*others, signature))

    def vouched_by(self, verifiers: Iterable[Verifier]) -> list[Verifier]:
        """Which of these keys signed the text; lines of unknown keys are passed over.

        Raises CheckpointNotVouched when a line under one of these keys does not hold: an honest
        note never has one.
        """
        vouching: list[Verifier] = []
        for verifier in verifiers:
            lines = [s.signature for s in self.signatures if _same_key(s, verifier)]
            if not all(verifier.verify(self.text.encode(), line) for line in lines):
                raise CheckpointNotVouched(f"the signature of {verifier.name} does not hold")
            vouching += [verifier] if lines else []
        return vouching


def origin_of(log_id: bytes) -> str:
    """A log's origin line. The id is opaque: checkpoints are public, the tenants' names are not."""
    return f"medhub/log/{log_id.hex()}"


def sign(checkpoint: Checkpoint, *signers: Signer) -> bytes:
    """The checkpoint as a signed note. By the format, the log's key is named by the origin."""
    note = SignedNote(checkpoint.text(), ())
    for signer in signers:
        note = note.signed_by(signer)
    return note.encode()


def cosign(note: bytes, *signers: Signer) -> bytes:
    """A signed note with further signatures. Raises MalformedCheckpoint.

    A witness calls this only after it has verified consistency with what it cosigned last.
    """
    signed = SignedNote.parse(note)
    for signer in signers:
        signed = signed.signed_by(signer)
    return signed.encode()


def open_checkpoint(note: bytes, verifiers: Iterable[Verifier]) -> Checkpoint:
    """The checkpoint, vouched for by at least one of the keys.

    Raises MalformedCheckpoint and CheckpointNotVouched.
    """
    signed = SignedNote.parse(note)
    if not signed.vouched_by(verifiers):
        raise CheckpointNotVouched("no known key signed the checkpoint")
    return Checkpoint.parse(signed.text)


def _readable(note: bytes) -> str:
    if len(note) > MAX_NOTE:
        raise MalformedCheckpoint("a note is too long")
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise MalformedCheckpoint("a note is UTF-8") from None
    if any(c < " " and c != "\n" for c in text):
        raise MalformedCheckpoint("a note has no control characters")
    return text


def _signature(line: str) -> Signature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise MalformedCheckpoint("a note ends in signature lines")
    blob = _decoded(match["blob"], _KEY_ID_SIZE + 1, MAX_NOTE)
    return Signature(match["name"], blob[:_KEY_ID_SIZE], blob[_KEY_ID_SIZE:])


def _decoded(text: str, least: int, most: int) -> bytes:
    """The bytes of a canonical base64 text: one value has one spelling."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        raise MalformedCheckpoint("not base64") from None
    if not least <= len(decoded) <= most or base64.b64encode(decoded).decode() != text:
        raise MalformedCheckpoint("base64 of another length, or not canonical")
    return decoded


def _is_line(text: str) -> bool:
    return bool(text) and not any(c < " " for c in text)


def _same_key(signature: Signature, key: Signer | Verifier) -> bool:
    return (signature.name, signature.key_id) == (key.name, key.key_id)

"""Ed25519 keys that sign C2SP signed notes (c2sp.org/signed-note, c2sp.org/tlog-cosignature).

A log signs its checkpoints as plain notes; a witness adds timestamped cosignatures. Both kinds
of key have a name, a 4-byte id derived from name and public key, and a text form, the vkey
(`name+id+key`), which is what is published and what foreign clients take.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PUBLIC_SIZE = 32
_TIME_SIZE = 8


class Algorithm(IntEnum):
    """Signature types of c2sp.org/signed-note."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


class MalformedKey(ValueError):
    """A text that is not a vkey, or one whose id does not match its name and key."""


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key under a name. Says whether a signature blob is this key's over a note's text."""

    name: str
    public: bytes
    algorithm: Algorithm = Algorithm.ED25519
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if len(self.public) != _PUBLIC_SIZE or not is_key_name(self.name):
            raise MalformedKey("a note key has a name without spaces or '+', and 32 bytes")
        named = self.name.encode() + b"\n" + self._typed()
        object.__setattr__(self, "key_id", hashlib.sha256(named).digest()[:4])

    @classmethod
    def from_vkey(cls, vkey: str) -> "NoteVerifier":
        """The key of a vkey text. Raises MalformedKey."""
        try:
            name, _, encoded = vkey.split("+", 2)
            typed = base64.b64decode(encoded, validate=True)
            verifier = cls(name, typed[1:], Algorithm(typed[0]))
        except (ValueError, IndexError):
            raise MalformedKey("a vkey is name+id+base64 of a known algorithm") from None
        if verifier.vkey != vkey:
            raise MalformedKey("a vkey's id does not match its name and key")
        return verifier

    @property
    def vkey(self) -> str:
        """The text to publish: `name+<8 hex digits>+base64(algorithm | public key)`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._typed()).decode()}"

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature`, as it stands in a note after the key id, is ours over `text`."""
        signed = text
        if self.algorithm is Algorithm.COSIGNATURE:
            stamp, signature = signature[:_TIME_SIZE], signature[_TIME_SIZE:]
            signed = _cosigned(text, int.from_bytes(stamp))
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    def _typed(self) -> bytes:
        return bytes([self.algorithm]) + self.public


class NoteSigner:
    """A private key under a name, made from a 32-byte seed that the keyring keeps wrapped."""

    algorithm = Algorithm.ED25519

    def __init__(self, name: str, seed: bytes) -> None:
        """Raises MalformedKey for a bad name, ValueError for a seed that is not 32 bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.verifier = NoteVerifier(name, public, self.algorithm)

    @property
    def name(self) -> str:
        """The name that stands on the signature line."""
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that precede the signature."""
        return self.verifier.key_id

    def sign(self, text: bytes) -> bytes:
        """64 bytes of Ed25519 over the note's text."""
        return self._key.sign(text)


class Cosigner(NoteSigner):
    """A witness's key: states when it saw the checkpoint, beside that it did."""

    algorithm = Algorithm.COSIGNATURE

    def __init__(self, name: str, seed: bytes, seconds: Callable[[], int]) -> None:
        """`seconds` tells the time as whole seconds since 1970, UTC."""
        super().__init__(name, seed)
        self._seconds = seconds

    def sign(self, text: bytes) -> bytes:
        """8 bytes of time, then 64 bytes of Ed25519 over time and text."""
        seconds = self._seconds()
        return seconds.to_bytes(_TIME_SIZE) + self._key.sign(_cosigned(text, seconds))


def is_key_name(name: str) -> bool:
    """Whether a key may be called so: not empty, without white space and without '+'."""
    return bool(name) and "+" not in name and not any(c.isspace() for c in name)


def _cosigned(text: bytes, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n".encode() + text

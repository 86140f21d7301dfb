"""What unlocks a keyring file: a passphrase from the environment, or a separate key file.

The lock, which stands in the keyring in clear, says which of the two and with what parameters.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.crypto.private_files import PrivateFile, UnsafeFile
from core.crypto.seal import KEY_SIZE, derive, new_key

MAX_COST = 2**20
"""One GiB of memory: past it a crafted file, not an operator, asks for the work."""

_BLOCK = 8
_SALT_SIZE = 16


class KeyFileUnusable(Exception):
    """A key file is missing, open to others, or something else. Says which file, and why."""


@dataclass(frozen=True, slots=True)
class Passphrase:
    """Opens a keyring by a text that people or a secret store keep.

    `cost` is scrypt's N for a new keyring; 2^17 with r=8 takes 128 MiB and a fraction of a
    second, once, at start. An existing keyring states its own.
    """

    text: str = field(repr=False)
    cost: int = 2**17


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Opens a keyring by a file of 64 hexadecimal digits, kept apart from it."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "KeyFile":
        """Make a fresh key file, closed to group and others. Raises FileExistsError."""
        PrivateFile(path).create(new_key().hex().encode() + b"\n")
        return cls(path)

    def key(self) -> bytes:
        """The 32 bytes inside. Raises KeyFileUnusable."""
        try:
            text = PrivateFile(self.path).read()
        except (OSError, UnsafeFile) as fault:
            raise KeyFileUnusable(f"{self.path}: {fault}") from fault
        try:
            key = bytes.fromhex(text.decode("ascii").strip())
        except ValueError:
            key = b""
        if len(key) != KEY_SIZE:
            raise KeyFileUnusable(f"{self.path}: a key file holds 64 hexadecimal digits")
        return key


Secret = Passphrase | KeyFile


def secret_of(key_file: Path | None, passphrase: str) -> Secret:
    """What settings say opens the keyring; a passphrase goes first. Raises ValueError."""
    if passphrase:
        return Passphrase(passphrase)
    if key_file is None:
        raise ValueError("the keyring needs KEYRING_KEY_PATH or KEYRING_PASSPHRASE")
    return KeyFile(key_file)


def new_lock(secret: Secret) -> tuple[dict[str, Any], bytes]:
    """The lock for a new keyring, and the key that seals its content."""
    if isinstance(secret, KeyFile):
        lock: dict[str, Any] = {"by": "key_file"}
    else:
        salt = os.urandom(_SALT_SIZE).hex()
        lock = {"by": "passphrase", "kdf": "scrypt", "salt": salt, "cost": secret.cost}
    return lock, content_key_of(lock, secret)


def content_key_of(lock: dict[str, Any], secret: Secret) -> bytes:
    """The key that seals the content under this lock.

    Raises KeyFileUnusable, and ValueError for another kind.
    """
    if lock["by"] == "key_file" and isinstance(secret, KeyFile):
        return derive(secret.key(), "keyring-content")
    if lock["by"] == "passphrase" and isinstance(secret, Passphrase):
        return _stretched(secret.text, bytes.fromhex(lock["salt"]), int(lock["cost"]))
    raise ValueError(f"the keyring is locked by {lock['by']}")


def _stretched(text: str, salt: bytes, cost: int) -> bytes:
    if not text or not 2 <= cost <= MAX_COST:
        raise ValueError("a passphrase is not empty, and its cost is bounded")
    # OpenSSL needs the 128 * r * N bytes and a little room beside them.
    room = 128 * _BLOCK * (cost + 64)
    return hashlib.scrypt(
        text.encode(), salt=salt, n=cost, r=_BLOCK, p=1, maxmem=room, dklen=KEY_SIZE
    )

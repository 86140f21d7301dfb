"""The sealed keyring: a service's key-encryption keys, in a file that is itself sealed.

The file is JSON: how its content is unlocked (a passphrase, stretched by scrypt of RFC 7914, or
a separate key file) and the content, sealed: numbered 256-bit keys. New wraps use the newest
key; older ones still unwrap. The file and the key file must be closed to group and others.

A keyring is read once and kept in memory. When a wrap names a key that is not there, the file
is read again once: another process may have rotated it.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.crypto.private_files import PrivateFile, UnsafeFile
from core.crypto.seal import KEY_SIZE, Unopenable, new_key, open_sealed, seal
from core.crypto.unlocking import KeyFileUnusable, Secret, content_key_of, new_lock

MAX_KEYS = 1000
"""A yearly or even weekly rotation for decades; past this something rotates in a loop."""

_FORMAT = 1
_WRAP_FORMAT = b"\x01"
_CONTENT = b"medhub/keyring/v1"
_WRAP = b"medhub/wrap/v1/"


class KeyringUnusable(Exception):
    """The keyring or its key file cannot be used: missing, open to others, damaged, another's.

    Says which file and why, for the operator; never what is inside.
    """


class KeyProvider(Protocol):
    """Wraps keys under key-encryption keys that it does not give out: a keyring file, or a KMS."""

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """Seal a 32-byte key, bound to what it is for."""

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """The key inside. Raises Unopenable when it is not one of ours for this purpose."""


@dataclass(frozen=True, slots=True, repr=False)
class _Opened:
    lock: dict[str, Any]
    content_key: bytes
    keys: dict[int, bytes]


class Keyring:
    """An opened keyring file. Make one with `Keyring.open` or `Keyring.create`."""

    def __init__(self, file: PrivateFile, secret: Secret, opened: _Opened) -> None:
        self._file = file
        self._secret = secret
        self._opened = opened

    @classmethod
    def open(cls, path: Path, secret: Secret) -> "Keyring":
        """Read a keyring. Raises KeyringUnusable."""
        file = PrivateFile(path)
        return cls(file, secret, _read(file, secret))

    @classmethod
    def create(cls, path: Path, secret: Secret) -> "Keyring":
        """Make a keyring with one fresh key. Raises KeyringUnusable where a file exists.

        The file appears complete or not at all, and never replaces another: a keyring that is
        overwritten takes everything wrapped under it along.
        """
        try:
            lock, content_key = new_lock(secret)
            opened = _Opened(lock, content_key, {1: new_key()})
            file = PrivateFile(path)
            file.create(_text(opened))
        except KeyFileUnusable as cause:
            raise KeyringUnusable(str(cause)) from cause
        except (OSError, UnsafeFile) as cause:
            raise KeyringUnusable(f"{path}: {cause}") from cause
        return cls(file, secret, opened)

    @property
    def newest(self) -> int:
        """The number of the key that new wraps use."""
        return max(self._opened.keys)

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """`format (1) | key number (4) | sealed key`: 102 bytes for a 32-byte key."""
        if len(key) != KEY_SIZE:
            raise ValueError(f"a key is {KEY_SIZE} bytes")
        header = _WRAP_FORMAT + self.newest.to_bytes(4)
        return header + seal(self._opened.keys[self.newest], key, _WRAP + header + associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """The key inside. Raises Unopenable for another purpose, another keyring or damage.

        Raises KeyringUnusable when the key is not in memory and the file cannot be read again.
        """
        header, sealed = wrapped[:5], wrapped[5:]
        if header[:1] != _WRAP_FORMAT:
            raise Unopenable("a wrapped key is of an unknown format")
        number = int.from_bytes(header[1:])
        if number not in self._opened.keys:
            self._opened = _read(self._file, self._secret, self._opened)
        if number not in self._opened.keys:
            raise Unopenable(f"key {number} is not on this keyring")
        return open_sealed(self._opened.keys[number], sealed, _WRAP + header + associated)

    def rotate(self) -> int:
        """Add a fresh key, which new wraps use from now on, and return its number.

        The file is locked, read again and replaced whole: two rotations at once add two keys
        instead of losing one, with all that was wrapped under it. Raises KeyringUnusable.
        """
        try:
            with self._file.locked():
                present = _read(self._file, self._secret, self._opened)
                number = max(present.keys) + 1
                if number > MAX_KEYS:
                    raise KeyringUnusable(f"{self._file.path}: too many keys")
                keys = {**present.keys, number: new_key()}
                opened = _Opened(present.lock, present.content_key, keys)
                self._file.replace(_text(opened))
        except OSError as cause:
            raise KeyringUnusable(f"{self._file.path}: {cause}") from cause
        self._opened = opened
        return number


def _read(file: PrivateFile, secret: Secret, before: _Opened | None = None) -> _Opened:
    """The keyring as it stands in the file. The stretched passphrase of `before` is used again."""
    try:
        document = json.loads(file.read())
        if document["format"] != _FORMAT:
            raise KeyringUnusable(f"{file.path}: unknown format")
        lock = document["lock"]
        same = before is not None and before.lock == lock
        content_key = before.content_key if before and same else content_key_of(lock, secret)
        content = open_sealed(content_key, base64.b64decode(document["content"]), _CONTENT)
        return _Opened(lock, content_key, _keys(content))
    except Unopenable as cause:
        raise KeyringUnusable(f"{file.path}: does not open with this secret") from cause
    except KeyFileUnusable as cause:
        raise KeyringUnusable(str(cause)) from cause
    except (OSError, UnsafeFile) as cause:
        raise KeyringUnusable(f"{file.path}: {cause}") from cause
    except (ValueError, KeyError, TypeError) as cause:
        raise KeyringUnusable(f"{file.path}: no keyring, or another kind of secret") from cause


def _keys(content: bytes) -> dict[int, bytes]:
    keys = {int(number): bytes.fromhex(key) for number, key in json.loads(content).items()}
    if not keys or any(len(key) != KEY_SIZE for key in keys.values()):
        raise ValueError("a keyring holds 32-byte keys")
    return keys


def _text(opened: _Opened) -> bytes:
    content = json.dumps({str(number): key.hex() for number, key in opened.keys.items()})
    sealed = base64.b64encode(seal(opened.content_key, content.encode(), _CONTENT)).decode()
    document = {"format": _FORMAT, "lock": opened.lock, "content": sealed}
    return (json.dumps(document, indent=1) + "\n").encode()

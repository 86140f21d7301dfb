"""Key files: how a program keeps the private key that its assertions are signed with.

JSON: `{"account": "serviceAccounts/<uuid>", "private_key": "<base64 of 32 bytes>"}`, mode 0600.
The account is empty until auth has registered the key.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.crypto.private_files import PrivateFile, UnsafeFile


class KeyFileUnusable(Exception):
    """The file is no key file, or open to others. Says which, and nothing of what is inside."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key, and the account it proves."""

    account: str
    private_key: bytes = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """The raw public half: 32 bytes."""
        return (
            Ed25519PrivateKey.from_private_bytes(self.private_key).public_key().public_bytes_raw()
        )

    def of(self, account: str) -> "KeyFile":
        """The same key, known to prove this account."""
        return replace(self, account=account)


def read_or_create(path: Path) -> KeyFile:
    """The key in the file; a fresh one where there is no file. Raises KeyFileUnusable."""
    if not path.exists():
        made = KeyFile("", Ed25519PrivateKey.generate().private_bytes_raw())
        PrivateFile(path).create(_text(made))
        return made
    try:
        content = json.loads(PrivateFile(path).read())
        key = base64.b64decode(content["private_key"], validate=True)
        Ed25519PrivateKey.from_private_bytes(key)
        return KeyFile(str(content["account"]), key)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise KeyFileUnusable(f"{path} is no key file") from None
    except UnsafeFile as unsafe:
        raise KeyFileUnusable(f"{path} {unsafe}") from None


def write(path: Path, key: KeyFile) -> None:
    """Replace the file, whole."""
    PrivateFile(path).replace(_text(key))


def _text(key: KeyFile) -> bytes:
    content = {
        "account": key.account,
        "private_key": base64.b64encode(key.private_key).decode(),
    }
    return (json.dumps(content) + "\n").encode()

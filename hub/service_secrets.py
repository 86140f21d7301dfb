"""What a service must have before it starts: passwords, keys, a keyring. Made once, kept."""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.database.provision import Passwords
from core.ids import name_of, new_id
from hub.secrets import Secrets

_PAGE_KEY_BYTES = 32  # AES-256, for page tokens


@dataclass(frozen=True, slots=True)
class ServiceSecrets:
    """The secrets of one service, in the platform's folder of secrets."""

    service: str
    secrets: Secrets

    def passwords(self) -> Passwords:
        """One for each role of the service's database."""
        return Passwords(
            owner=self.secrets.text(f"{self.service}.database.owner"),
            app=self.secrets.text(f"{self.service}.database.app"),
            relay=self.secrets.text(f"{self.service}.database.relay"),
        )

    def page_key(self) -> str:
        """The key of page tokens, as base64 text."""
        name = f"{self.service}.page-key"
        return self.secrets.file(name, _new_page_key).read_text()

    def service_key(self) -> Path:
        """The service account and the private key that proves it (see core.rpc.channel)."""
        return self.secrets.file(f"{self.service}.service-key.json", _new_service_key)

    def service_account(self) -> tuple[str, bytes]:
        """What auth has to know: the account's name and its public key (Ed25519, 32 bytes)."""
        content = json.loads(self.service_key().read_text())
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(content["private_key"]))
        return content["account"], private.public_key().public_bytes_raw()

    def keyring_key(self) -> Path:
        """The file that unlocks the keyring."""
        path = self.secrets.folder / f"{self.service}.keyring-key"
        if not path.exists():
            KeyFile.create(path)
        return path

    def keyring(self) -> Path:
        """The sealed keyring, under which the service wraps the keys that it stores."""
        path = self.secrets.folder / f"{self.service}.keyring"
        if not path.exists():
            Keyring.create(path, KeyFile(self.keyring_key()))
        return path


def _new_page_key() -> bytes:
    return base64.b64encode(os.urandom(_PAGE_KEY_BYTES))


def _new_service_key() -> bytes:
    private = Ed25519PrivateKey.generate().private_bytes_raw()
    account = name_of("serviceAccounts", new_id())
    content = {"account": account, "private_key": base64.b64encode(private).decode()}
    return json.dumps(content).encode()

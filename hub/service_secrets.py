"""What a service must have before it starts: passwords, keys, a keyring. Made once, kept."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path

from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.database.provision import Passwords
from hub.secrets import Secrets

_PAGE_KEY_BYTES = 32  # AES-256, for page tokens
_ROLES = ("owner", "app", "relay")


@dataclass(frozen=True, slots=True)
class ServiceSecrets:
    """The secrets of one service, in the platform's folder of secrets."""

    service: str
    secrets: Secrets

    def passwords(self) -> Passwords:
        """One for each role of the service's database."""
        return Passwords(**{role: self.secrets.text(self._of_role(role)) for role in _ROLES})

    def has_passwords(self) -> bool:
        """Whether each role has one already. Nothing is made."""
        return all((self.secrets.folder / self._of_role(role)).exists() for role in _ROLES)

    def _of_role(self, role: str) -> str:
        return f"{self.service}.database.{role}"

    def page_key(self) -> str:
        """The key of page tokens, as base64 text."""
        name = f"{self.service}.page-key"
        return self.secrets.file(name, _new_page_key).read_text()

    def service_key(self) -> Path:
        """Where the service's account and the private key that proves it are kept.

        Enrolment makes the file (see hub.enrolment).
        """
        return self.secrets.folder / f"{self.service}.service-key.json"

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

"""What a service must have before it starts: passwords, keys, a keyring. Made once, kept."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path

from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.database.provision import Passwords, is_provisioned
from hub.secrets import Secrets

_PAGE_KEY_BYTES = 32  # AES-256, for page tokens
_ROLES = ("owner", "app", "relay")


class KeptElsewhere(Exception):
    """The server has roles of a service whose passwords are kept in another folder."""


@dataclass(frozen=True, slots=True)
class ServiceSecrets:
    """The secrets of one service, in the platform's folder of secrets."""

    service: str
    secrets: Secrets

    def passwords(self) -> Passwords:
        """One for each role of the service's database."""
        return Passwords(**{role: self.secrets.text(self._of_role(role)) for role in _ROLES})

    def check_kept_here(self, admin_url: str) -> None:
        """Refuse a server of which another folder keeps the passwords. Raises KeptElsewhere.

        Passwords are made before their roles, so roles without one in the folder are not of it. To
        give them others would cut whoever runs with the old ones off from the databases.
        """
        kept = all((self.secrets.folder / self._of_role(role)).exists() for role in _ROLES)
        if not kept and is_provisioned(admin_url, self.service):
            raise KeptElsewhere(
                f"the server has the roles of {self.service}, whose passwords are not in"
                f" {self.secrets.folder}: name the folder that they were first kept in"
            )

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

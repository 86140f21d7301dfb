"""What auth is told from outside beside core's settings, by MEDHUB_AUTH_… variables."""

import os
from datetime import timedelta
from email.headerregistry import Address
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretBytes, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.crypto.keyring import Keyring
from core.crypto.unlocking import Secret, secret_of
from core.database import DatabaseSettings
from core.settings import PAGE_KEY_BYTES
from core.starting import told

_PREFIX = "MEDHUB_AUTH_"


class FederationSettings(BaseSettings):
    """Which identity providers of organizations auth may speak to."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    # Their hosts, separated by commas; empty: any that answers by https.
    identity_provider_hosts: str = ""
    # Providers on this machine, by http too: for development.
    identity_provider_loopback: bool = False

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment. Raises CannotStart."""
        return told(cls, _PREFIX)

    def hosts(self) -> frozenset[str]:
        """The hosts, in lower case."""
        named = self.identity_provider_hosts.lower().split(",")
        return frozenset(each.strip() for each in named if each.strip())


class CommandSettings(BaseSettings):
    """A command needs the database and nothing else of the server's environment."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    # Connection of the app role.
    database_app_url: SecretStr

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment. Raises CannotStart."""
        return told(cls, _PREFIX)

    def database(self) -> DatabaseSettings:
        """Few connections, and a page key that is thrown away: commands list nothing.

        Raises CannotStart for what is no connection string.
        """
        return told(
            lambda: DatabaseSettings(
                app_url=self.database_app_url,
                page_key=SecretBytes(os.urandom(PAGE_KEY_BYTES)),
                pool_size=2,
            ),
            f"{_PREFIX}DATABASE_",
        )


class KeyringSettings(BaseSettings):
    """A command that opens the keyring needs to know where it is and what opens it."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    keyring_path: Path
    # One of the two.
    keyring_key_path: Path | None = None
    keyring_passphrase: SecretStr = SecretStr("")

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment. Raises CannotStart."""
        return told(cls, _PREFIX)

    @model_validator(mode="after")
    def _has_what_opens_it(self) -> Self:
        _ = self._secret
        return self

    def open(self) -> Keyring:
        """The keyring. Raises KeyringUnusable."""
        return Keyring.open(self.keyring_path, self._secret)

    @property
    def _secret(self) -> Secret:
        """Raises ValueError where nothing opens the keyring."""
        return secret_of(self.keyring_key_path, self.keyring_passphrase.get_secret_value())


class KeySettings(BaseSettings):
    """How long the keys that sign access tokens do so."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    # A key that has signed for this many days is followed by a new one. 0: only on command.
    key_days: int = Field(default=90, ge=0, le=3650)

    @property
    def key_age(self) -> timedelta | None:
        """The age at which a key is followed; None: never by itself."""
        return timedelta(days=self.key_days) if self.key_days else None

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment. Raises CannotStart."""
        return told(cls, _PREFIX)


class FoundingSettings(BaseSettings):
    """Who makes organizations."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    # Whether whoever has an account may found one; otherwise the operator makes them.
    open_founding: bool = False

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment. Raises CannotStart."""
        return told(cls, _PREFIX)


class MessageSettings(BaseSettings):
    """How messages leave. Unless told, none do: each is given up at once, and can be seen so."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    # `smtp`, `outbox` (kept in the database, for development) or `off`.
    mail: Literal["smtp", "outbox", "off"] = "off"
    # Who the mail is from: an address, and the name beside it.
    mail_from: str = ""
    mail_from_name: str = "medhub"
    smtp_host: str = ""
    smtp_port: int = 587
    # `starttls` and `tls` prove the server by its certificate; `none` is for this machine alone.
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    # A file of the authorities that prove the mail server; unset: those of the system.
    smtp_ca_path: Path | None = None
    # `http`, `outbox` or `off`.
    sms: Literal["http", "outbox", "off"] = "off"
    sms_url: str = ""
    # JSON with `{to}` and `{text}` inside its texts.
    sms_body: str = '{"to": "{to}", "text": "{text}"}'
    # Sent as a bearer token.
    sms_secret: SecretStr = SecretStr("")
    sms_ca_path: Path | None = None
    # Where the pages are that links in mails lead to, `https://portal.example.org`; empty: none.
    portal_url: str = ""

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment. Raises CannotStart."""
        return told(cls, _PREFIX)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Raises ValueError, naming the variable, where something is missing or in clear."""
        if self.mail == "smtp":
            if not self.smtp_host:
                raise ValueError("MEDHUB_AUTH_SMTP_HOST is missing")
            self.sender()
            if self.smtp_security == "none" and not _is_here(self.smtp_host):
                raise ValueError("MEDHUB_AUTH_SMTP_SECURITY may be none on this machine alone")
        if self.sms == "http":
            _check_url("MEDHUB_AUTH_SMS_URL", self.sms_url)
            if "{to}" not in self.sms_body or "{text}" not in self.sms_body:
                raise ValueError("MEDHUB_AUTH_SMS_BODY holds {to} and {text}")
        if self.portal_url:
            _check_url("MEDHUB_AUTH_PORTAL_URL", self.portal_url)
        return self

    def sender(self) -> Address:
        """Who the mail is from. Raises ValueError for what is no address."""
        try:
            address = Address(self.mail_from_name, addr_spec=self.mail_from)
        except Exception:  # noqa: BLE001 - the library raises its parser's own errors, too
            raise ValueError("MEDHUB_AUTH_MAIL_FROM is an e-mail address") from None
        if not address.domain:
            raise ValueError("MEDHUB_AUTH_MAIL_FROM is an e-mail address")
        return address


class PasskeySettings(BaseSettings):
    """Which domain passkeys belong to, and the pages that may use them."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    # The domain, `example.org`: pages of it and of its subdomains can use its passkeys. Once people
    # have passkeys it cannot change.
    passkey_domain: str = "localhost"
    # What a browser shows beside it.
    passkey_name: str = "medhub"
    # The pages, `https://portal.example.org`, separated by commas.
    passkey_origins: str = "http://localhost"

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment. Raises CannotStart."""
        return told(cls, _PREFIX)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Raises ValueError, naming the variable, for a page that is in clear or of elsewhere."""
        for origin in self.origins():
            _check_url("MEDHUB_AUTH_PASSKEY_ORIGINS", origin)
            host = urlsplit(origin).hostname or ""
            if host != self.passkey_domain and not host.endswith(f".{self.passkey_domain}"):
                raise ValueError("MEDHUB_AUTH_PASSKEY_ORIGINS are pages of the passkey domain")
        return self

    def origins(self) -> tuple[str, ...]:
        """The pages, as browsers name them."""
        return tuple(part.strip().rstrip("/") for part in self.passkey_origins.split(","))


def _check_url(variable: str, url: str) -> None:
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))
    if not secure or not parts.hostname:
        raise ValueError(f"{variable} begins with https://, or names this machine")


def _is_here(host: str) -> bool:
    """Whether a host is this machine, so that nothing of what it is told crosses a network."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

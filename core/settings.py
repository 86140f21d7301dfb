"""What every server is told from outside, by environment variables MEDHUB_<SERVICE>_…"""

import base64
import binascii
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretBytes, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.addresses import (
    check_collector,
    check_listen,
    check_proxies,
    check_target,
    check_tcp_listen,
)
from core.crypto.certificates import TlsFiles
from core.crypto.unlocking import Secret, secret_of
from core.starting import told

PAGE_KEY_BYTES = 32  # AES-256, see core.database.pages


def _key_bytes(value: object) -> object:
    """Accept the key as bytes or as base64 text, the form an environment variable takes."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("the page key is base64 text") from None


def _key_length(value: object) -> object:
    key = value.get_secret_value() if isinstance(value, SecretBytes) else _key_bytes(value)
    if not isinstance(key, bytes) or len(key) != PAGE_KEY_BYTES:
        raise ValueError(f"the page key has {PAGE_KEY_BYTES} bytes")
    return SecretBytes(key)


PageKey = Annotated[SecretBytes, BeforeValidator(_key_length)]
Listen = Annotated[str, AfterValidator(check_listen)]
TcpListen = Annotated[str, AfterValidator(check_tcp_listen)]
Target = Annotated[str, AfterValidator(check_target)]
Proxies = Annotated[str, AfterValidator(check_proxies)]
Collector = Annotated[str, AfterValidator(check_collector)]
PoolSize = Annotated[int, Field(ge=1, le=64)]
ReadConnections = Annotated[int, Field(ge=1, le=4)]


class CoreSettings(BaseSettings):
    """Typed, complete or refused: a server with a missing setting does not start."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    # Address of the gRPC server, `127.0.0.1:18401`.
    listen: Listen
    # Connections of the app, owner and relay roles of the service's own database.
    database_app_url: SecretStr
    database_relay_url: SecretStr
    database_owner_url: SecretStr | None = None
    # Addresses of the services that every server needs. `host:port` is one address, of a server
    # or of what stands before several. `ipv4:a:port,b:port` and `dns:///name:port` name servers:
    # calls are spread over those that are open (core/rpc/health.py).
    auth_target: Target
    compliance_target: Target
    analytics_target: Target
    # Addresses of all services that hold data of persons, by name (JSON): compliance asks each.
    subject_targets: dict[str, Target] = {}
    # Files, readable by the server alone.
    keyring_path: Path
    service_key_path: Path
    # What unlocks the keyring: a key file, or a passphrase.
    keyring_key_path: Path | None = None
    keyring_passphrase: SecretStr = SecretStr("")
    # 32 bytes as base64: what page tokens are sealed under.
    database_page_key: PageKey
    # Address of the Prometheus endpoint; empty: none.
    metrics_listen: TcpListen = ""
    # The URL of an OTLP collector for traces; empty: none are sent.
    otlp_endpoint: Collector = ""
    # `open`, `token` (behind authentication) or `off`.
    reflection: Literal["open", "token", "off"] = "token"
    # channelz and verbose logs.
    debug: bool = False
    # Addresses of edges, separated by commas: only they may say for whom they ask. Empty: none.
    trusted_proxies: Proxies = "127.0.0.1,::1"
    # Several workers share the port on purpose.
    so_reuseport: bool = False
    # How many they are: what each address and each caller may do is divided among them.
    workers: int = 1
    # PEM files of the server's certificate (with its chain), of its key (readable by the server
    # alone) and of the authority that certificates of its callers are of. All three or none: with
    # them both sides of every connection prove themselves, here and on the channels to others.
    tls_certificate_path: Path | None = None
    tls_key_path: Path | None = None
    tls_authority_path: Path | None = None
    # The name in the certificates of the other services; empty: that of their address.
    tls_server_name: str = ""
    # URI names in the certificates of edges, separated by commas: only they may say which
    # certificate the caller has shown to them.
    tls_edges: str = "spiffe://medhub/edge"
    # Without certificates a server listens on the loopback alone, unless told that something else
    # (a mesh, a private network) keeps others out.
    plaintext: bool = False
    # Connections to the database: for transactions, and for single-key reads.
    pool_size: PoolSize = 8
    read_connections: ReadConnections = 1
    # How long to serve on, once NOT_SERVING, until balancers have noticed, in seconds. Edges look
    # each second; an orchestrator needs a second or two to tell its proxies.
    drain_seconds: float = 3.0

    @classmethod
    def read(cls, service: str) -> Self:
        """Read the settings of a service from the environment. Raises CannotStart."""
        prefix = f"MEDHUB_{service.upper()}_"
        return told(lambda: cls(_env_prefix=prefix), prefix)  # type: ignore[call-arg]

    @property
    def tls(self) -> TlsFiles | None:
        """The files of certificates; None: none are used."""
        if self.tls_certificate_path and self.tls_key_path and self.tls_authority_path:
            return TlsFiles(
                self.tls_certificate_path,
                self.tls_key_path,
                self.tls_authority_path,
                self.tls_server_name,
            )
        return None

    @property
    def keyring_secret(self) -> Secret:
        """What opens the keyring. Raises ValueError where nothing does."""
        return secret_of(self.keyring_key_path, self.keyring_passphrase.get_secret_value())

    @model_validator(mode="after")
    def _has_what_opens_the_keyring(self) -> Self:
        _ = self.keyring_secret
        return self

    @model_validator(mode="after")
    def _proves_itself(self) -> Self:
        files = (self.tls_certificate_path, self.tls_key_path, self.tls_authority_path)
        if any(files) and not all(files):
            raise ValueError(
                "TLS_CERTIFICATE_PATH, TLS_KEY_PATH and TLS_AUTHORITY_PATH belong together"
            )
        if not any(files) and not self.plaintext and not _is_local(self.listen):
            raise ValueError(
                "LISTEN is in plain text beyond this machine: give certificates, or say PLAINTEXT"
            )
        return self


def _is_local(listen: str) -> bool:
    """Whether an address is reached from this machine alone."""
    host = listen.rpartition(":")[0].strip("[]")
    if listen.startswith("unix:") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

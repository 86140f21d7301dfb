"""What the gateway is told from outside, by environment variables MEDHUB_GATEWAY_…"""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from clinical.formats.hl7v2.framing import DEFAULT_LIMIT
from core.crypto.certificates import TlsFiles
from core.settings import Target, TcpListen
from core.starting import told

_PREFIX = "MEDHUB_GATEWAY_"
ENDPOINT: Final = r"(hl7Endpoints/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?"
"""The form of an endpoint's name, or nothing."""


class TlsSettings(BaseModel):
    """Certificates of a listener; with a client authority, senders must prove themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificate_path: Path
    key_path: Path
    client_authority_path: Path | None = None


class EndpointSettings(BaseModel):
    """One listener: where it listens, which endpoint it feeds, and with whose key.

    `endpoint` is `hl7Endpoints/{uuid}`; `endpoint_path` is a file that holds it instead, and is
    read when messages come, so that the gateway may start before the endpoint is opened.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: Annotated[TcpListen, Field(min_length=1)]
    service_key_path: Path
    endpoint: str = Field(default="", pattern=f"^{ENDPOINT}$")
    endpoint_path: Path | None = None
    tls: TlsSettings | None = None

    @model_validator(mode="after")
    def _names_an_endpoint(self) -> Self:
        if bool(self.endpoint) == (self.endpoint_path is not None):
            raise ValueError("name either endpoint or endpoint_path")
        return self


class GatewaySettings(BaseSettings):
    """One listener by the plain settings, or several as JSON in `endpoints`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    auth_target: Target
    clinical_target: Target
    endpoints: tuple[EndpointSettings, ...] = ()
    listen: TcpListen = ""
    service_key_path: Path | None = None
    endpoint: str = ""
    endpoint_path: Path | None = None
    # PEM files by which the gateway and the services prove themselves to one another: its
    # certificate, its key, and the authority of theirs. All three or none.
    tls_certificate_path: Path | None = None
    tls_key_path: Path | None = None
    tls_authority_path: Path | None = None
    # The name in the certificates of the services; empty: that of their address.
    tls_server_name: str = ""
    # Address of the Prometheus endpoint; empty: none.
    metrics_listen: TcpListen = ""
    debug: bool = False
    # Senders connected at once, of all listeners together.
    max_connections: int = 200
    # Of these, from one address: a host that opens many must not shut the others out.
    max_connections_per_host: int = 50
    # The largest message, in bytes; at most what the clinical service takes.
    max_frame_bytes: int = Field(default=DEFAULT_LIMIT, gt=0, le=DEFAULT_LIMIT)
    # How long a connection may be silent between messages, in seconds: senders keep them open.
    idle_seconds: float = 3600.0
    # How long a message may take from its first byte to its last, in seconds.
    frame_seconds: float = 60.0
    # How long a sender waits for its acknowledgement before the connection is closed, in seconds.
    answer_seconds: float = 30.0
    # Messages of one connection that wait for their acknowledgement; then reading pauses.
    window: int = 256
    # How long to wait for outstanding acknowledgements when told to stop, in seconds.
    drain_seconds: float = 10.0

    @classmethod
    def read(cls) -> Self:
        """Read them from the environment. Raises CannotStart."""
        return told(cls, _PREFIX)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        # Both raise ValueError for what is missing.
        _ = self.tls, self.listeners
        return self

    @property
    def tls(self) -> TlsFiles | None:
        """The files for the channels to the services. Raises ValueError for some of them alone."""
        files = (self.tls_certificate_path, self.tls_key_path, self.tls_authority_path)
        if not any(files):
            return None
        certificate, key, authority = files
        if certificate is None or key is None or authority is None:
            raise ValueError("a certificate, its key and the authority belong together")
        return TlsFiles(certificate, key, authority, self.tls_server_name)

    @property
    def listeners(self) -> tuple[EndpointSettings, ...]:
        """Every listener. Raises ValueError when there is none, or half of one."""
        if self.endpoints:
            return self.endpoints
        if not self.listen or self.service_key_path is None:
            raise ValueError("the gateway needs listen and service_key_path, or endpoints")
        return (
            EndpointSettings(
                listen=self.listen,
                service_key_path=self.service_key_path,
                endpoint=self.endpoint,
                endpoint_path=self.endpoint_path,
            ),
        )

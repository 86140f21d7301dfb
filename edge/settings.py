"""What an edge is told: where it listens, what stands behind it, who may call from a browser."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Address:
    """A host (a name or an address, IPv6 without brackets) and a port."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Self:
        """`127.0.0.1:8080`, `auth.internal:443` or `[::1]:8080`. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        if not (colon and host and port.isdigit() and int(port) < 65536):
            raise ValueError(f"not an address (host:port): {text}")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))


@dataclass(frozen=True, slots=True)
class Tls:
    """Files, PEM, of the certificate that the edge shows and of its key."""

    certificate: Path
    key: Path
    # Of whom certificates of callers are. A caller need not show one; a token that is bound to one
    # is good with it alone. None: none is asked for.
    client_authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """Files, PEM, by which the edge and the services prove themselves to one another."""

    certificate: Path
    key: Path
    authority: Path
    # The name in the certificates of the services.
    server_name: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge. Nothing here is a secret; the key of a certificate stays in its file."""

    listen: Address
    # The addresses of each service (`auth`, `clinical`, …). One per server process:
    # few long-lived connections would load processes that share a port unevenly.
    services: Mapping[str, tuple[Address, ...]]
    # Envoy's own interface (statistics, configuration). None: off. Keep it on loopback.
    admin: Address | None = None
    # Origins whose pages may call (`https://portal.example.org`). None unless said.
    origins: tuple[str, ...] = ()
    # Pages served from this machine may call too: for development.
    loopback_origins: bool = False
    tls: Tls | None = None
    # None: the services are spoken to in plain text.
    upstream: Upstream | None = None
    # Proxies before this one whose X-Forwarded-For is believed. 0: the header is the edge's own.
    trusted_hops: int = 0
    # How often each server is asked for its health, in seconds.
    health_seconds: float = 1.0
    # Longest deadlines by method path, in seconds, where they are to be below the contract's.
    deadlines: Mapping[str, float] = field(default_factory=dict)

    @property
    def loopback(self) -> bool:
        """It listens for this machine alone."""
        return self.listen.host in {"127.0.0.1", "::1", "localhost"}

"""TLS in which both sides prove themselves, and who the other side is."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import grpc
from cryptography import x509

from core.crypto.certificates import Pem, TlsFiles, Watched, thumbprint_of, url_safe

# Peers whose certificates are remembered by what is read from them.
MAX_PEERS = 10_000
_HASH = re.compile(r"(?:[^,]*;)?Hash=([0-9a-f]{64})(?:;[^,]*)?")


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """TLS in which both sides prove themselves; read anew at the handshakes after a change."""
    watched = Watched(files)

    def fetch() -> Any:
        return _configuration(watched.pem) if watched.changed() else None

    return grpc.dynamic_ssl_server_credentials(
        _configuration(watched.pem), fetch, require_client_authentication=True
    )


def channel_credentials(pem: Pem) -> grpc.ChannelCredentials:
    """What a channel shows, and whom it believes."""
    return grpc.ssl_channel_credentials(pem.authority, pem.key, pem.certificate)


def peer_certificate(
    context: grpc.aio.ServicerContext[bytes, bytes], forwarded: str, edges: frozenset[str]
) -> str:
    """The thumbprint of whoever makes a call; empty for one without a certificate.

    An edge speaks for those who connect to it: its own certificate is nobody's, and the one that
    it names (`x-forwarded-client-cert`) is believed of nobody but an edge.
    """
    told: Mapping[str, Any] = context.auth_context()
    certificate = next(iter(told.get("x509_pem_cert", ())), b"")
    if not certificate:
        return ""
    names, thumbprint = _read(bytes(certificate))
    if names & edges:
        return _forwarded(forwarded)
    return thumbprint


@lru_cache(maxsize=MAX_PEERS)
def _read(certificate: bytes) -> tuple[frozenset[str], str]:
    """The names in a certificate that are URIs (SPIFFE), and its thumbprint."""
    parsed = x509.load_pem_x509_certificate(certificate)
    try:
        alternative = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = alternative.get_values_for_type(x509.UniformResourceIdentifier)
    except x509.ExtensionNotFound:
        names = []
    return frozenset(names), thumbprint_of(certificate)


def _forwarded(told: str) -> str:
    """The one certificate that an edge tells of: Envoy writes its SHA-256 in hexadecimal."""
    found = _HASH.fullmatch(told)
    return url_safe(bytes.fromhex(found[1])) if found else ""


def _configuration(pem: Pem) -> Any:
    return grpc.ssl_server_certificate_configuration(
        [(pem.key, pem.certificate)], root_certificates=pem.authority
    )

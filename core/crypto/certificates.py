"""Certificates in files: what is shown, its key, and the authorities that are believed.

Files are read anew when they change, so a certificate that is replaced in time is never shown
after its end: by servers at the next handshake, by channels as core.rpc.channel says.
"""

import base64
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.crypto.private_files import PrivateFile, UnsafeFile
from core.starting import CannotStart

_log = logging.getLogger("medhub.certificates")


@dataclass(frozen=True, slots=True)
class Pem:
    """A certificate (with its chain), its key, and the authorities that the other side is of."""

    certificate: bytes
    key: bytes
    authority: bytes


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where they are. The key is readable by its owner alone."""

    certificate: Path
    key: Path
    authority: Path
    # The name in the certificates of servers; empty: the one that a channel is opened to.
    server_name: str = ""

    def read(self) -> Pem:
        """Read them. Raises OSError, UnsafeFile, and ValueError for what is no certificate."""
        pem = Pem(
            self.certificate.read_bytes(), PrivateFile(self.key).read(), self.authority.read_bytes()
        )
        for content in (pem.certificate, pem.authority):
            x509.load_pem_x509_certificates(content)
        return pem


class Watched:
    """The files, read anew when they change. What cannot be read leaves the last ones in use."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises CannotStart when there is nothing to begin with."""
        self._files = files
        try:
            self.pem = files.read()
        except (OSError, UnsafeFile, ValueError) as fault:
            raise CannotStart(f"the certificate files cannot be used: {fault}") from fault

    def changed(self) -> bool:
        """Look again. True: `pem` is another one now."""
        try:
            found = self._files.read()
        except (OSError, UnsafeFile, ValueError) as unusable:
            _log.error("the certificate files cannot be read: %s", type(unusable).__name__)
            return False
        moved, self.pem = found != self.pem, found
        return moved


def thumbprint_of(certificate: bytes) -> str:
    """`x5t#S256` of a certificate in PEM (RFC 8705): the SHA-256 of its DER form."""
    parsed = x509.load_pem_x509_certificate(certificate)
    return url_safe(hashlib.sha256(parsed.public_bytes(Encoding.DER)).digest())


def url_safe(digest: bytes) -> str:
    """As tokens write it: base64url without padding."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

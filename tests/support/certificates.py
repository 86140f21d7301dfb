"""Certificates of an authority of the test's own."""

import datetime
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from core.crypto.certificates import Pem, TlsFiles, thumbprint_of
from core.rpc.tls import channel_credentials

_DAY = datetime.timedelta(days=1)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """Makes certificates that are good at 127.0.0.1 and localhost."""

    name: str = "Authority of the tests"
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self._signed(self.name, self.key.public_key(), (), authority=True)

    def pair(self, uri: str) -> Pem:
        """A certificate whose owner is called by a URI, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = (
            x509.UniformResourceIdentifier(uri),
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        )
        certificate = self._signed(uri, key.public_key(), names, authority=False)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Pem(certificate, private, self.pem)

    def files(self, folder: Path, uri: str) -> TlsFiles:
        """Such a pair in files; those that are there are replaced."""
        folder.mkdir(exist_ok=True)
        files = TlsFiles(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
        put(files, self.pair(uri))
        return files

    def _signed(
        self, subject: str, public: Any, names: tuple[x509.GeneralName, ...], *, authority: bool
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(_named(subject[:60]))
            .issuer_name(_named(self.name))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def put(files: TlsFiles, pem: Pem) -> None:
    """Write a pair where it is looked for."""
    files.key.write_bytes(pem.key)
    files.key.chmod(0o600)
    files.certificate.write_bytes(pem.certificate)
    files.authority.write_bytes(pem.authority)


def settings_of(files: TlsFiles) -> dict[str, Any]:
    """As a server is told."""
    return {
        "tls_certificate_path": files.certificate,
        "tls_key_path": files.key,
        "tls_authority_path": files.authority,
    }


def channel_with(target: str, pem: Pem) -> grpc.aio.Channel:
    """A client's channel that shows a certificate."""
    return grpc.aio.secure_channel(target, channel_credentials(pem))


def thumbprint(pem: Pem) -> str:
    """What a token is bound to."""
    return thumbprint_of(pem.certificate)

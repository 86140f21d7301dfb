"""`python -m edge`, and configurations that a test does not run but Envoy accepts."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge import binary
from tests.support.edges import SERVICES


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this test, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "edge")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = folder / "edge.pem", folder / "edge.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_a_written_folder_is_one_that_envoy_accepts(tmp_path: Path) -> None:
    """With TLS, names to resolve, several servers, origins, an admin port: Envoy finds no fault."""
    pem, key = certificate(tmp_path)
    out = tmp_path / "edge"
    command = [
        sys.executable,
        "-m",
        "edge",
        "write",
        "--out",
        str(out),
        "--listen",
        "0.0.0.0:8443",
        *(f"--service={each}=auth.internal:1" for each in sorted(SERVICES - {"clinical"})),
        "--service=clinical=10.0.0.1:1",
        "--service=clinical=[::1]:1",
        "--admin",
        "127.0.0.1:9901",
        "--trusted-hops",
        "1",
        "--allow-origin",
        "https://portal.example.org",
        "--tls-certificate",
        str(pem),
        "--tls-key",
        str(key),
    ]

    written = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    checked = subprocess.run(
        [str(binary.path()), "--mode", "validate", "--config-path", str(out / "envoy.yaml")],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert str(out / "envoy.yaml") in written.stdout
    assert checked.returncode == 0, checked.stderr
    assert "deprecated" not in checked.stderr.lower()


def test_the_description_is_printed() -> None:
    """Operators and generators of clients get it without an edge."""
    command = [sys.executable, "-m", "edge", "openapi"]

    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)

    assert json.loads(printed.stdout)["openapi"] == "3.1.0"

"""An authenticator in software: it makes passkeys and signs with them, as WebAuthn says.

Real CBOR, COSE, ES256 and counters; attestation `none`. A test can make it lie: about the page, the
domain, the counter, or whether it has verified its owner.
"""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    """As WebAuthn's JSON writes bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(text_: str) -> bytes:
    """As WebAuthn's JSON reads bytes."""
    return base64.urlsafe_b64decode(text_ + "=" * (-len(text_) % 4))


@dataclass
class Authenticator:
    """One device with one passkey; make another for another. `counts`: it has a counter."""

    origin: str
    counts: bool = True
    verifies: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    owner: bytes = b""
    counter: int = 0
    # What the browser says besides, such as that another site frames the page.
    said: dict[str, object] = field(default_factory=dict)

    def create(self, options_json: str) -> str:
        """What `navigator.credentials.create` gives, as JSON."""
        options = json.loads(options_json)
        self.owner = raw(options["user"]["id"])
        client = self._client("webauthn.create", options["challenge"])
        data = self._data(options["rp"]["id"], attested=True)
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"clientDataJSON": text(client), "attestationObject": text(statement)})

    def get(self, options_json: str) -> str:
        """What `navigator.credentials.get` gives, as JSON."""
        options = json.loads(options_json)
        client = self._client("webauthn.get", options["challenge"])
        data = self._data(options["rpId"], attested=False)
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signed),
                "userHandle": text(self.owner),
            }
        )

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, **self.said}
        return json.dumps(told).encode()

    def _data(self, domain: str, *, attested: bool) -> bytes:
        self.counter += int(self.counts)
        flags = _PRESENT | (_VERIFIED if self.verifies else 0) | (_ATTESTED if attested else 0)
        head = hashlib.sha256(domain.encode()).digest() + bytes([flags])
        data = head + self.counter.to_bytes(4)
        if attested:
            size = len(self.credential).to_bytes(2)
            data += bytes(16) + size + self.credential + cbor2.dumps(self._public())
        return data

    def _public(self) -> dict[int, Any]:
        """The public key as COSE writes it (RFC 9053): EC2, ES256, P-256."""
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}

    def _answer(self, response: dict[str, str]) -> str:
        return json.dumps(
            {
                "id": text(self.credential),
                "rawId": text(self.credential),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        )

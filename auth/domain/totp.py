"""Codes of authenticator apps: RFC 6238 with what every app knows, SHA-1, six digits, 30 seconds.

The server's clock decides. Besides the code of the running step the one before it is accepted,
since people type while it changes and telephones run late: a code lives up to 60 seconds, twice
what OWASP ASVS 6.5.5 asks for. None is accepted a second time.
"""

import base64
import hmac
import os
import struct
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
SEED_BYTES = 20
"""As long as the digest (RFC 4226, section 4)."""

ISSUER = "medhub"
_EARLIER = 1  # steps


def new_seed() -> bytes:
    """160 bits that the app and the server share."""
    return os.urandom(SEED_BYTES)


def step_at(at: datetime) -> int:
    """The running step."""
    return int(at.timestamp()) // STEP_SECONDS


def code_of(seed: bytes, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    digest = hmac.digest(seed, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(seed: bytes, code: str, at: datetime) -> int | None:
    """The step that a code belongs to, if it is accepted at this time."""
    now = step_at(at)
    for step in range(now, now - _EARLIER - 1, -1):
        if hmac.compare_digest(code_of(seed, step).encode(), code.encode()):
            return step
    return None


def seed_text(seed: bytes) -> str:
    """The seed as an app takes it when it is typed in."""
    return base64.b32encode(seed).decode().rstrip("=")


def provisioning_uri(seed: bytes, account: str) -> str:
    """The seed as an app takes it when it is scanned."""
    label = f"{quote(ISSUER)}:{quote(account)}"
    asked = {"secret": seed_text(seed), "issuer": ISSUER, "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(asked)}"

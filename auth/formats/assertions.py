"""Assertions of service accounts: JWTs that they sign by themselves (RFC 7523)."""

from collections.abc import Mapping

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.types import Options

from auth.domain.refusals import AssertionRefused
from core.truth import jwts

ALGORITHM = "EdDSA"
# A header that brings keys along, or asks for what we do not know, is refused (RFC 8725).
_HEADER = frozenset({"alg", "typ", "kid"})
# One that says nothing of itself says that it is a JWT; a token of another kind says which.
_TYPES = frozenset({"JWT", "client-authentication+jwt"})
_OPTIONS: Options = {
    "verify_signature": True,
    # The domain compares what the claims say, against one clock.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def claims_unproven(assertion: str) -> Mapping[str, object]:
    """What an assertion claims, before anybody has looked at its signature.

    It only says whose key to fetch. Raises AssertionRefused for what is no such JWT.
    """
    try:
        header, claims = jwts.parsed(assertion)
    except jwts.Malformed:
        raise AssertionRefused from None
    if not set(header) <= _HEADER or header.get("alg") != ALGORITHM:
        raise AssertionRefused
    kind, key = header.get("typ", "JWT"), header.get("kid", "")
    if not isinstance(kind, str) or kind not in _TYPES or not isinstance(key, str):
        raise AssertionRefused
    return claims


def is_signed_by(assertion: str, public_key: bytes) -> bool:
    """Whether a raw Ed25519 public key (32 bytes) verifies the assertion."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        jwt.decode(assertion, key, algorithms=[ALGORITHM], options=_OPTIONS)
    except (jwt.InvalidTokenError, ValueError):
        return False
    return True

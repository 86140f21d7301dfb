"""Access tokens: signed JWTs (RFC 9068), verified strictly.

PyJWT checks signature and times; used plainly it also accepts several spellings of one token,
duplicate claims, any `typ`, and headers that bring keys along. The gate before it does not
(RFC 8725).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.truth import jwts
from core.truth.jwts import moment, whole

ISSUER = "medhub"
AUDIENCE = "medhub"
# How servers of the platform are called. A token on behalf of somebody is good at one of them: its
# audience is `medhub/clinical`.
SERVER_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
ALGORITHM = "EdDSA"
TYPE = "at+jwt"
# An access token lives this long: role changes act at once by the stream, so the life only
# bounds what must be remembered of revoked sessions.
TOKEN_LIFE = timedelta(minutes=5)
# Clocks of servers may differ by this much.
SKEW = timedelta(seconds=5)
# The longest life a token may have (the setting allows 1 to 15 minutes): what is remembered of a
# revoked session is forgotten after that, so a token that outlives it could not be revoked.
MAX_TOKEN_LIFE = timedelta(minutes=15)
# In `amr`: the organization's own identity provider vouched for the person, there alone.
FEDERATED = "federated"
# Beside it: nothing else opens the person's account, so it is the organization's own.
FEDERATED_ALONE = "federated_alone"
_HEADER = {"alg", "typ", "kid"}
_THUMBPRINT = "x5t#S256"
_SHA256 = re.compile(r"[A-Za-z0-9_-]{43}")
_REQUIRED = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "knd", "rev", "aal"]
_KINDS = ("user", "service")
# Kind, organization and actor in the token of a server of the platform.
_OF_A_SERVER = ("service", None, None)


class NotProven(Exception):
    """The token proves nothing. Why is for counters and tests, never for callers."""


class UnknownKey(NotProven):
    """No key of this name has been heard of; a newer state may know it."""


class Expired(NotProven):
    """The token was good and its time is over."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that verifies access tokens; the algorithm is pinned to it."""

    kid: str
    algorithm: str
    public_key: bytes
    not_after: datetime | None = None
    revoked: bool = False

    def verifies(self, now: datetime) -> bool:
        """Whether it is good for anything at this time."""
        return not self.revoked and (self.not_after is None or now <= self.not_after + SKEW)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. Times are aware UTC with a resolution of one second.

    A token with an `actor` is on behalf of its subject: a service account calls for them. It, and
    no other, names the one server that it is good at, as `audience`. A token of a server of the
    platform, and no other, names it as it was registered, as `service`. One that a program got by
    an assertion names the key that had signed it, as `service_key`.
    """

    subject: UUID
    kind: str
    revision: int
    issued_at: datetime
    expires_at: datetime
    token_id: str
    organization: UUID | None = None
    session: UUID | None = None
    actor: UUID | None = None
    audience: str = ""
    service: str = ""
    service_key: UUID | None = None
    assurance: int = 0
    methods: tuple[str, ...] = ()
    authenticated_at: datetime | None = None
    kid: str = ""
    # The thumbprint of the certificate that it is bound to (`x5t#S256`, RFC 8705); empty: to none.
    confirmation: str = ""


def sign(claims: Claims, private_key: bytes, kid: str) -> str:
    """Make the token for these claims with a raw Ed25519 private key (32 bytes)."""
    optional = {
        "org": claims.organization and str(claims.organization),
        "sid": claims.session and str(claims.session),
        "act": claims.actor and {"sub": str(claims.actor)},
        "auth_time": claims.authenticated_at and int(claims.authenticated_at.timestamp()),
        "svc": claims.service or None,
        "sky": claims.service_key and str(claims.service_key),
        "amr": list(claims.methods) or None,
        "cnf": {_THUMBPRINT: claims.confirmation} if claims.confirmation else None,
    }
    payload = {
        "iss": ISSUER,
        "aud": f"{AUDIENCE}/{claims.audience}" if claims.audience else AUDIENCE,
        "sub": str(claims.subject),
        "knd": claims.kind,
        "rev": claims.revision,
        "iat": int(claims.issued_at.timestamp()),
        "nbf": int(claims.issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
        "jti": claims.token_id,
        "aal": claims.assurance,
        **{name: value for name, value in optional.items() if value is not None},
    }
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    return jwt.encode(payload, key, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": kid})


def verify(token: str, keys: Mapping[str, Key], now: datetime) -> Claims:
    """The claims of a token that proves itself. Raises NotProven, or Expired, else."""
    header, payload = _strictly_parsed(token)
    if set(header) != _HEADER or header["typ"] != TYPE or not isinstance(header["kid"], str):
        raise NotProven("header")
    key = keys.get(header["kid"])
    if key is None:
        raise UnknownKey("key")
    if not key.verifies(now):
        raise NotProven("key")
    if header["alg"] != key.algorithm:
        raise NotProven("algorithm")
    _verify_signature(token, key)
    return _claims(payload, now, key.kid)


def revision_claimed(token: str) -> int:
    """The revision that a token says it was issued at; nothing proves it. 0 for none."""
    try:
        return whole(_strictly_parsed(token)[1].get("rev"))
    except (NotProven, ValueError):
        return 0


def _strictly_parsed(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        return jwts.parsed(token)
    except jwts.Malformed as fault:
        raise NotProven(str(fault)) from None


def _verify_signature(token: str, key: Key) -> None:
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public_key)
        jwt.decode(
            token,
            public,
            algorithms=[key.algorithm],
            issuer=ISSUER,
            options={
                "require": _REQUIRED,
                # Read below, with the rest of the claims.
                "verify_aud": False,
                # Times are compared below, against the clock that the caller hands in.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except (jwt.InvalidTokenError, InvalidKey, ValueError, TypeError):
        raise NotProven("signature or claims") from None


def _claims(payload: dict[str, Any], now: datetime, kid: str) -> Claims:
    try:
        claims = Claims(
            subject=_uuid(payload["sub"]),
            kind=payload["knd"],
            revision=whole(payload["rev"]),
            issued_at=moment(payload["iat"]),
            expires_at=moment(payload["exp"]),
            token_id=_text(payload["jti"]),
            organization=_uuid(payload["org"]) if "org" in payload else None,
            session=_uuid(payload["sid"]) if "sid" in payload else None,
            actor=_uuid(payload["act"]["sub"]) if "act" in payload else None,
            audience=_audience(payload["aud"]),
            service=_server(payload["svc"]) if "svc" in payload else "",
            service_key=_uuid(payload["sky"]) if "sky" in payload else None,
            assurance=whole(payload["aal"]),
            methods=_texts(payload["amr"]) if "amr" in payload else (),
            authenticated_at=moment(payload["auth_time"]) if "auth_time" in payload else None,
            kid=kid,
            confirmation=_confirmation(payload["cnf"]) if "cnf" in payload else "",
        )
        not_before = moment(payload["nbf"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise NotProven("claims") from None
    if claims.kind not in _KINDS or bool(claims.audience) != (claims.actor is not None):
        raise NotProven("claims")
    if claims.service_key is not None and claims.kind != "service":
        raise NotProven("claims")
    if claims.service and (claims.kind, claims.organization, claims.actor) != _OF_A_SERVER:
        raise NotProven("claims")
    if claims.expires_at - claims.issued_at > MAX_TOKEN_LIFE:
        raise NotProven("life")
    # The skew is put on the side of `now`, since times at the end of the calendar overflow.
    if now + SKEW < not_before:
        raise NotProven("not yet")
    if now - SKEW > claims.expires_at:
        raise Expired("expired")
    return claims


def _server(value: object) -> str:
    text = _text(value)
    if SERVER_NAME.fullmatch(text) is None:
        raise ValueError("not the name of a server")
    return text


def _confirmation(value: object) -> str:
    """The thumbprint, the one way of confirmation that is known: another must not be passed over.

    Raises ValueError and TypeError.
    """
    if not isinstance(value, dict) or set(value) != {_THUMBPRINT}:
        raise ValueError("a confirmation that is not understood")
    text = _text(value[_THUMBPRINT])
    if _SHA256.fullmatch(text) is None:
        raise ValueError("not a SHA-256")
    return text


def _audience(value: object) -> str:
    """The one server that the token is for; empty: all of them. Raises ValueError for others."""
    text = _text(value)
    if text == AUDIENCE:
        return ""
    platform, _, server = text.partition("/")
    if platform != AUDIENCE:
        raise ValueError("an audience that is not of the platform")
    return _server(server)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return tuple(_text(one) for one in value)


def _uuid(value: object) -> UUID:
    text = _text(value)
    found = UUID(text)
    if str(found) != text:
        raise ValueError("not a canonical UUID")
    return found

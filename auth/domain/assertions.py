"""What a service account's assertion has to say (RFC 7523, section 3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from auth.domain.refusals import AssertionRefused
from core.errors import InvalidName
from core.ids import id_from
from core.truth.jwts import moment

LONGEST_LIFE = timedelta(minutes=5)
"""An assertion is made for one exchange; each id is remembered for as long as it could live."""

SKEW = timedelta(seconds=5)
# Printable ASCII: JSON also carries what no UTF-8 and no text of PostgreSQL can (NUL, surrogates).
_JTI = re.compile(r"[!-~]{1,64}")
COLLECTION = "serviceAccounts"


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an assertion claims; true once its signature is verified by the account's key."""

    account: UUID
    jti: str
    expires_at: datetime


def read_assertion(claims: Mapping[str, object], audience: str, at: datetime) -> Assertion:
    """Check what the claims say. Raises AssertionRefused."""
    issuer, jti = claims.get("iss"), claims.get("jti")
    if not isinstance(issuer, str) or claims.get("sub") != issuer:
        raise AssertionRefused
    if claims.get("aud") not in (audience, [audience]):
        raise AssertionRefused
    if not isinstance(jti, str) or _JTI.fullmatch(jti) is None:
        raise AssertionRefused
    expires_at = _moment(claims.get("exp"))
    if not at - SKEW < expires_at <= at + LONGEST_LIFE + SKEW:
        raise AssertionRefused
    for begins in ("nbf", "iat"):
        # Neither is asked for; where it stands, it has come.
        if begins in claims and _moment(claims[begins]) > at + SKEW:
            raise AssertionRefused
    return Assertion(_account(issuer), jti, expires_at)


def _account(issuer: str) -> UUID:
    try:
        return id_from(issuer, COLLECTION)
    except InvalidName:
        raise AssertionRefused from None


def _moment(value: object) -> datetime:
    try:
        return moment(value)
    except (ValueError, OverflowError, OSError):
        raise AssertionRefused from None

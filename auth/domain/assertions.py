"""What a service account's assertion has to say (RFC 7523, section 3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from auth.domain.refusals import AssertionRefused
from core.errors import InvalidName
from core.ids import id_from

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
    issuer, jti, expiry = claims.get("iss"), claims.get("jti"), claims.get("exp")
    if not isinstance(issuer, str) or claims.get("sub") != issuer:
        raise AssertionRefused
    if claims.get("aud") not in (audience, [audience]):
        raise AssertionRefused
    if not isinstance(jti, str) or _JTI.fullmatch(jti) is None:
        raise AssertionRefused
    return Assertion(_account(issuer), jti, _expiry(expiry, at))


def _account(issuer: str) -> UUID:
    try:
        return id_from(issuer, COLLECTION)
    except InvalidName:
        raise AssertionRefused from None


def _expiry(expiry: object, at: datetime) -> datetime:
    # A bool is an int in Python, and not a time.
    if not isinstance(expiry, int) or isinstance(expiry, bool):
        raise AssertionRefused
    latest = at + LONGEST_LIFE + SKEW
    if not (at - SKEW).timestamp() < expiry <= latest.timestamp():
        raise AssertionRefused
    return datetime.fromtimestamp(expiry, UTC)

"""Signed JWTs, taken apart strictly: one spelling each, and each name once (RFC 8725).

Nothing is proven by it: who reads one looks at its signature and at what it says.
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

# A token is a few hundred bytes; nothing longer than this is looked at.
MAX_TOKEN_BYTES = 8192


class Malformed(ValueError):
    """The text is no JWT in the one spelling that it has."""


def parsed(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims. Raises Malformed."""
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise Malformed("size")
    parts = token.split(".")
    if len(parts) != 3:
        raise Malformed("parts")
    decoded = [_canonical(part) for part in parts]
    return _json_object(decoded[0]), _json_object(decoded[1])


def whole(value: object) -> int:
    """A claim that is a whole number. Raises ValueError for any other, also for one as text."""
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError("not a whole number")
    return value


def moment(value: object) -> datetime:
    """A claim that is a time, in whole seconds. Raises ValueError and OverflowError."""
    return datetime.fromtimestamp(whole(value), UTC)


def _canonical(part: str) -> bytes:
    """Decode base64url that has no padding, no foreign character and no second spelling."""
    try:
        content = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("base64") from None
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != part:
        raise Malformed("base64")
    return content


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        # Decoded here, since json would take UTF-16 and UTF-32 for further spellings.
        value = json.loads(content.decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise Malformed("json") from None
    if not isinstance(value, dict):
        raise Malformed("json")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("duplicate name")
    return found

"""A good token in parts, to be spoilt, and what must come of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.truth.proof import Key, NotProven, verify
from tests.support.tokens import SigningKey

KEY = SigningKey("k1", bytes(range(32)))
KEYS = {"k1": KEY.key}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADER = {"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"}
PAYLOAD: dict[str, Any] = {
    "iss": "medhub",
    "aud": "medhub",
    "sub": "0198c0de-0000-7000-8000-000000000001",
    "knd": "user",
    "rev": 7,
    "iat": int(NOW.timestamp()),
    "nbf": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 300,
    "jti": "t1",
    "aal": 1,
}


def but(without: str = "", **changed: Any) -> dict[str, Any]:
    """The good claims without one of them, or with others."""
    return {name: value for name, value in {**PAYLOAD, **changed}.items() if name != without}


def refused(token: str, now: datetime = NOW, keys: dict[str, Key] | None = None) -> None:
    """Nobody is proven by it."""
    with pytest.raises(NotProven):
        verify(token, KEYS if keys is None else keys, now)

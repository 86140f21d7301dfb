"""One token has one spelling: JSON and base64 of any other form prove nothing."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from core.truth.proof import (
    MAX_TOKEN_BYTES,
    Key,
    NotProven,
    verify,
)
from tests.support.tokens import SigningKey, forged, segment

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


def _but(without: str = "", **changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**PAYLOAD, **changed}.items() if name != without}


def _refused(token: str, now: datetime = NOW, keys: dict[str, Key] | None = None) -> None:
    with pytest.raises(NotProven):
        verify(token, KEYS if keys is None else keys, now)


@pytest.mark.parametrize("place", [0, 1])
def test_a_name_twice_is_refused(place: int) -> None:
    """Which of two values counts would be up to the reader."""
    parts = [HEADER, PAYLOAD]
    twice = segment_of(parts[place])[:-1] + b', "kid": "k1", "kid": "k1", "sub": "x", "sub": "y"}'
    parts[place] = twice  # type: ignore[call-overload]

    _refused(forged(KEY, *parts))


def test_a_nested_name_twice_is_refused() -> None:
    """Not even deep inside."""
    _refused(forged(KEY, HEADER, segment_of(PAYLOAD)[:-1] + b', "x": {"a": 1, "a": 2}}'))


@pytest.mark.parametrize(
    "content", [b"[]", b'"x"', b"1", b"null", b"", b"{", b"[" * 3000, b"\xff{}"]
)
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_json_object_is_refused(place: int, content: bytes) -> None:
    """Broken, foreign and bottomless JSON alike."""
    parts: list[object] = [HEADER, PAYLOAD]
    parts[place] = content

    _refused(forged(KEY, *parts))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_json_in_another_encoding_is_refused(encoding: str) -> None:
    """JSON is UTF-8; other encodings would be further spellings of one token."""
    _refused(forged(KEY, segment_of(HEADER).decode().encode(encoding), PAYLOAD))
    _refused(forged(KEY, HEADER, segment_of(PAYLOAD).decode().encode(encoding)))


def test_every_other_spelling_of_a_token_is_refused() -> None:
    """Padding, line ends, the other alphabet, loose last bits: one token has one spelling."""
    token = forged(KEY, HEADER, PAYLOAD)
    head, body, signature = token.split(".")
    loose = signature[:-1] + chr(ord(signature[-1]) + 1)
    assert base64.urlsafe_b64decode(loose + "==") == base64.urlsafe_b64decode(signature + "==")

    for other in (
        f"{head}.{body}.{loose}",
        f"{head}=.{body}.{signature}",
        f"{head}.{body}.{signature}==",
        f"{head}.{body}.{signature}\n",
        f" {token}",
        f"{head}.{body}.{signature}\0",
        f"{head}\0.{body}.{signature}",
        f"{head}.{body}.{signature.replace('_', '/').replace('-', '+')}+",
        f"{head}.{body}.{signature}é",
        token.replace("e", "е", 1),  # noqa: RUF001 - a Cyrillic letter on purpose
    ):
        _refused(other)


def test_other_numbers_of_parts_are_refused() -> None:
    """Two parts are unsigned, five are encrypted."""
    head, body, signature = forged(KEY, HEADER, PAYLOAD).split(".")
    for other in ("", ".", "..", head, f"{head}.{body}", f"{head}.{body}.{signature}."):
        _refused(other)
    _refused(f"{head}.{body}.{signature}.{body}.{signature}")


def test_a_huge_token_is_not_looked_at() -> None:
    """Past the bound nothing is decoded, however good the signature."""
    token = forged(KEY, HEADER, _but(padding="x" * MAX_TOKEN_BYTES))

    _refused(token)


def segment_of(content: object) -> bytes:
    return base64.urlsafe_b64decode(segment(content) + "===")

"""One token has one spelling: JSON and base64 of any other form prove nothing."""

import base64

import pytest

from core.truth.jwts import MAX_TOKEN_BYTES
from tests.support.proof_tokens import HEADER, KEY, PAYLOAD, but, refused
from tests.support.tokens import forged, segment


@pytest.mark.parametrize("place", [0, 1])
def test_a_name_twice_is_refused(place: int) -> None:
    """Which of two values counts would be up to the reader."""
    parts = [HEADER, PAYLOAD]
    twice = segment_of(parts[place])[:-1] + b', "kid": "k1", "kid": "k1", "sub": "x", "sub": "y"}'
    parts[place] = twice  # type: ignore[call-overload]

    refused(forged(KEY, *parts))


def test_a_nested_name_twice_is_refused() -> None:
    """Not even deep inside."""
    refused(forged(KEY, HEADER, segment_of(PAYLOAD)[:-1] + b', "x": {"a": 1, "a": 2}}'))


@pytest.mark.parametrize(
    "content", [b"[]", b'"x"', b"1", b"null", b"", b"{", b"[" * 3000, b"\xff{}"]
)
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_json_object_is_refused(place: int, content: bytes) -> None:
    """Broken, foreign and bottomless JSON alike."""
    parts: list[object] = [HEADER, PAYLOAD]
    parts[place] = content

    refused(forged(KEY, *parts))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_json_in_another_encoding_is_refused(encoding: str) -> None:
    """JSON is UTF-8; other encodings would be further spellings of one token."""
    refused(forged(KEY, segment_of(HEADER).decode().encode(encoding), PAYLOAD))
    refused(forged(KEY, HEADER, segment_of(PAYLOAD).decode().encode(encoding)))


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
        refused(other)


def test_other_numbers_of_parts_are_refused() -> None:
    """Two parts are unsigned, five are encrypted."""
    head, body, signature = forged(KEY, HEADER, PAYLOAD).split(".")
    for other in ("", ".", "..", head, f"{head}.{body}", f"{head}.{body}.{signature}."):
        refused(other)
    refused(f"{head}.{body}.{signature}.{body}.{signature}")


def test_a_huge_token_is_not_looked_at() -> None:
    """Past the bound nothing is decoded, however good the signature."""
    token = forged(KEY, HEADER, but(padding="x" * MAX_TOKEN_BYTES))

    refused(token)


def segment_of(content: object) -> bytes:
    return base64.urlsafe_b64decode(segment(content) + "===")

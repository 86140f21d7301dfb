"""Sealing, its commitment, and key derivation."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from core.crypto import seal as sealing
from core.crypto.seal import (
    MAX_ASSOCIATED,
    MAX_PLAINTEXT,
    OVERHEAD,
    Unopenable,
    combine,
    derive,
    new_key,
    open_sealed,
    seal,
)

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))


@given(plaintext=st.binary(max_size=500), associated=st.binary(max_size=100))
def test_a_sealed_value_opens_to_what_was_sealed(plaintext: bytes, associated: bytes) -> None:
    """Opening inverts sealing, and the overhead is the stated one."""
    sealed = seal(KEY, plaintext, associated)

    assert open_sealed(KEY, sealed, associated) == plaintext
    assert len(sealed) == len(plaintext) + OVERHEAD


def test_sealing_twice_gives_two_texts() -> None:
    """Equal values cannot be recognised by their sealed form."""
    assert seal(KEY, b"a", b"") != seal(KEY, b"a", b"")


def test_every_altered_byte_is_noticed() -> None:
    """No byte of a sealed value can be changed, left out or added."""
    sealed = seal(KEY, b"blood group", b"event")

    altered = [
        sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))
    ]
    cut = [sealed[:length] for length in range(len(sealed))]

    for wrong in [*altered, *cut, sealed + b"\0"]:
        with pytest.raises(Unopenable):
            open_sealed(KEY, wrong, b"event")


@pytest.mark.parametrize(("key", "associated"), [(OTHER, b"event"), (KEY, b"event2"), (KEY, b"")])
def test_another_key_or_context_does_not_open(key: bytes, associated: bytes) -> None:
    """A sealed value belongs to its key and to its associated data."""
    sealed = seal(KEY, b"blood group", b"event")

    with pytest.raises(Unopenable, match="another key or context"):
        open_sealed(key, sealed, associated)


def test_a_ciphertext_made_for_two_keys_opens_under_one_at_most() -> None:
    """A text whose GCM tag holds under two keys, which plain GCM opens twice, opens only once."""
    salt = bytes(16)
    first, commitment = sealing._schedule(KEY, salt, b"")
    second, _ = sealing._schedule(OTHER, salt, b"")
    ciphertext = _with_one_tag_under(first, second)
    for gcm_key in (first, second):
        AESGCM(gcm_key).decrypt(bytes(12), ciphertext, None)

    sealed = b"\x01" + salt + commitment + ciphertext

    assert len(open_sealed(KEY, sealed, b"")) == 32
    with pytest.raises(Unopenable):
        open_sealed(OTHER, sealed, b"")


def _with_one_tag_under(first: bytes, second: bytes) -> bytes:
    """Solve for a second ciphertext block that gives one GCM tag under both keys.

    With no associated data, the tag of blocks c1, c2 is c1·H^3 + c2·H^2 + L·H + E(J0).
    """
    lengths = (256).to_bytes(16)
    h1, e1 = _hash_key_and_mask(first)
    h2, e2 = _hash_key_and_mask(second)
    length = _element(lengths)
    c1 = _element(b"any block is ok.")
    left = _times(c1, _power(h1, 3)) ^ _times(length, h1) ^ e1
    right = _times(c1, _power(h2, 3)) ^ _times(length, h2) ^ e2
    c2 = _times(left ^ right, _power(_power(h1, 2) ^ _power(h2, 2), 2**128 - 2))
    tag = left ^ _times(c2, _power(h1, 2))
    return b"".join(_block(part) for part in (c1, c2, tag))


def _hash_key_and_mask(key: bytes) -> tuple[int, int]:
    """H = E(0), by which blocks are hashed, and E(J0), which masks the tag."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 (raw blocks)
    zero = block.update(bytes(16))
    mask = block.update(bytes(12) + b"\0\0\0\x01")
    return _element(zero), _element(mask)


def _element(block: bytes) -> int:
    """GCM counts bits from the left: bit 0 of a block is the coefficient of x^0."""
    return int(f"{int.from_bytes(block):0128b}"[::-1], 2)


def _block(element: int) -> bytes:
    return int(f"{element:0128b}"[::-1], 2).to_bytes(16)


def _times(a: int, b: int) -> int:
    """Multiplication in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        b >>= 1
        a <<= 1
        if a >> 128:
            a ^= (1 << 128) | 0x87
    return product


def _power(a: int, exponent: int) -> int:
    result = 1
    while exponent:
        if exponent & 1:
            result = _times(result, a)
        a = _times(a, a)
        exponent >>= 1
    return result


def test_sizes_are_bounded() -> None:
    """What is too large is refused before any work, on both ways."""
    with pytest.raises(ValueError, match="at most"):
        seal(KEY, bytes(MAX_PLAINTEXT + 1), b"")
    with pytest.raises(ValueError, match="at most"):
        seal(KEY, b"", bytes(MAX_ASSOCIATED + 1))
    with pytest.raises(Unopenable, match="size"):
        open_sealed(KEY, bytes(MAX_PLAINTEXT + OVERHEAD + 1), b"")


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_size_is_refused(key: bytes) -> None:
    """Only 256-bit keys are keys."""
    with pytest.raises(ValueError, match="32 bytes"):
        seal(key, b"", b"")
    with pytest.raises(ValueError, match="32 bytes"):
        derive(key, "page-token")


def test_derivation_is_hkdf_expand() -> None:
    """A derived key is the first block of HKDF-Expand, computed here from RFC 5869, 2.3."""
    expected = hmac.digest(KEY, b"medhub/derive/v1/page-token\x01", hashlib.sha256)

    assert derive(KEY, "page-token") == expected
    assert derive(KEY, "page-tokens") != expected
    with pytest.raises(ValueError, match="purpose"):
        derive(KEY, "")


def test_a_combined_key_needs_both_keys_and_their_order() -> None:
    """A combined key is HKDF with the second key as salt, computed here from RFC 5869."""
    extracted = hmac.digest(OTHER, KEY, hashlib.sha256)
    expected = hmac.digest(extracted, b"medhub/derive/v1/event\x01", hashlib.sha256)

    assert combine(KEY, OTHER, "event") == expected
    assert combine(OTHER, KEY, "event") != expected
    assert len(new_key()) == 32

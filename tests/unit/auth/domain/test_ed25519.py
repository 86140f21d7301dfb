"""Keys that prove something, and those under which anybody signs."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from auth.domain.ed25519 import is_sound

P = 2**255 - 19
SIGN = 1 << 255
# The y of points of order 8.
EIGHTH = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# All spellings of the eight points of small order: order 4 (y = 0), 1, 2 and 8; those from P on,
# and those whose x is 0 and yet has a sign, are not the canonical ones.
WEAK = sorted({
    y | sign
    for y in (0, 1, P - 1, P, P + 1, EIGHTH, P - EIGHTH)
    for sign in (0, SIGN)
})  # fmt: skip


def _raw(number: int) -> bytes:
    return number.to_bytes(32, "little")


@pytest.mark.parametrize("number", WEAK, ids=hex)
def test_a_point_of_small_order_proves_nothing(number: int) -> None:
    """In no spelling of it."""
    assert not is_sound(_raw(number))


def test_under_one_of_them_a_stranger_signs() -> None:
    """What the rule is for: the library verifies a signature that nobody's key has made."""
    neutral = Ed25519PublicKey.from_public_bytes(_raw(1))
    neutral.verify(_raw(1) + bytes(32), b"whatever")

    with pytest.raises(InvalidSignature):
        Ed25519PrivateKey.generate().public_key().verify(_raw(1) + bytes(32), b"whatever")


@pytest.mark.parametrize("number", [P + 3, P + 4, P + 18, (P + 3) | SIGN], ids=hex)
def test_a_second_spelling_of_a_point_is_refused(number: int) -> None:
    """Each y from P on is one below 19, written anew."""
    assert not is_sound(_raw(number))


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), _raw(2)], ids=bytes.hex)
def test_what_is_no_point_is_refused(raw: bytes) -> None:
    """Half of all y are on the curve."""
    assert not is_sound(raw)


@given(st.binary(min_size=32, max_size=32))
def test_every_real_key_is_taken(seed: bytes) -> None:
    """Whatever its private half."""
    assert is_sound(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())

"""Authenticated encryption that commits to its key and context, and key derivation.

A sealed value is `version (1) | salt (16) | commitment (32) | ciphertext and tag`. From the key,
the random salt and the digest of the associated data, HKDF-SHA-256 (RFC 5869) derives 64 bytes:
an AES-256-GCM key used for this one value, hence with a constant nonce, and the commitment.

AES-GCM alone commits to nothing: whoever knows two keys can craft one ciphertext that opens to
two different texts. Here a second key, or other associated data, would need the same 32
bytes of commitment, which is a collision of HMAC-SHA-256. A fresh 128-bit salt for each value
also lifts the limit of 2^32 values per key that random 96-bit nonces would set.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

KEY_SIZE = 32
"""Every key is 256 bits of uniform randomness; a passphrase is not a key."""

MAX_PLAINTEXT = 16 * 1024 * 1024
"""A sealed value is held in memory whole; larger objects belong in object storage, in parts."""

MAX_ASSOCIATED = 4096
"""Associated data is a few identifiers, never content."""

_VERSION = b"\x01"
_SALT_SIZE = 16
_COMMITMENT_SIZE = 32
_TAG_SIZE = 16
_HEADER_SIZE = len(_VERSION) + _SALT_SIZE + _COMMITMENT_SIZE
_NONCE = bytes(12)

OVERHEAD = _HEADER_SIZE + _TAG_SIZE
"""A sealed value is this many bytes longer than what it seals."""


Schedule: TypeAlias = Callable[[bytes, bytes, bytes], tuple[AESGCM, bytes]]
"""From a key, a salt and associated data to the cipher of one value, and what it commits to."""


class Unopenable(Exception):
    """What should be sealed under this key and context is not: it is damaged, forged or another's.

    This is no refusal: a caller never learns of it, and it always deserves an alert.
    """


def new_key() -> bytes:
    """256 bits from the operating system."""
    return os.urandom(KEY_SIZE)


def seal(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Encrypt `plaintext`, bound to `associated`, which is authenticated and not stored.

    The result differs each time. Raises ValueError for a key that is not 32 bytes and for sizes
    past MAX_PLAINTEXT and MAX_ASSOCIATED.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise ValueError(f"a sealed value holds at most {MAX_PLAINTEXT} bytes")
    salt = os.urandom(_SALT_SIZE)
    cipher, commitment = schedule(key, salt, associated)
    return _VERSION + salt + commitment + cipher.encrypt(_NONCE, plaintext, None)


def schedule(key: bytes, salt: bytes, associated: bytes) -> tuple[AESGCM, bytes]:
    """The cipher of one sealed value and its commitment. Raises ValueError as `seal` does."""
    once, commitment = _schedule(key, salt, associated)
    return AESGCM(once), commitment


def open_sealed(
    key: bytes, sealed: bytes, associated: bytes, scheduled: Schedule = schedule
) -> bytes:
    """Decrypt what `seal` made with the same key and associated data.

    `scheduled` is `schedule`, or one that remembers what it has derived. Raises Unopenable for
    anything else, and ValueError for a key that is not 32 bytes.
    """
    if not OVERHEAD <= len(sealed) <= MAX_PLAINTEXT + OVERHEAD:
        raise Unopenable("a sealed value has an impossible size")
    if sealed[:1] != _VERSION:
        raise Unopenable("a sealed value is of an unknown version")
    salt, stated = sealed[1 : 1 + _SALT_SIZE], sealed[1 + _SALT_SIZE : _HEADER_SIZE]
    cipher, commitment = scheduled(key, salt, associated)
    if not hmac.compare_digest(stated, commitment):
        raise Unopenable("a sealed value commits to another key or context")
    try:
        return cipher.decrypt(_NONCE, sealed[_HEADER_SIZE:], None)
    except InvalidTag:
        raise Unopenable("a sealed value has been altered") from None


def derive(key: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose, by HKDF-Expand (RFC 5869): `derive(key, "page-token")`.

    Keys of different purposes tell nothing of each other nor of `key`. Raises ValueError for an
    empty purpose and for a key that is not 32 bytes.
    """
    return HKDFExpand(SHA256(), KEY_SIZE, _info(purpose)).derive(_checked(key))


def combine(first: bytes, second: bytes, purpose: str) -> bytes:
    """A 32-byte key that needs both keys, such as a person's and a month's.

    Once either is destroyed, what was sealed under the combination stays sealed. The order of
    the two counts. Raises as `derive` does.
    """
    salt = _checked(second)
    return HKDF(SHA256(), KEY_SIZE, salt, _info(purpose)).derive(_checked(first))


def _schedule(key: bytes, salt: bytes, associated: bytes) -> tuple[bytes, bytes]:
    if len(associated) > MAX_ASSOCIATED:
        raise ValueError(f"associated data is at most {MAX_ASSOCIATED} bytes")
    context = b"medhub/seal/v1" + hashlib.sha256(associated).digest()
    okm = HKDF(SHA256(), 64, salt, context).derive(_checked(key))
    return okm[:KEY_SIZE], okm[KEY_SIZE:]


def _info(purpose: str) -> bytes:
    if not purpose:
        raise ValueError("a key is derived for a purpose")
    return b"medhub/derive/v1/" + purpose.encode()


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise ValueError(f"a key is {KEY_SIZE} bytes")
    return key

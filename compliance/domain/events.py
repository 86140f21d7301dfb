"""What of an event goes into the log: its clear part, and the digest of its sealed part.

The sealed bytes themselves stay outside the leaf, so they can be overwritten when a person is
forgotten; the leaf, its proofs and every checkpoint stay true.
"""

import hashlib
import hmac

DIGEST_SIZE = 32


def leaf_data(clear: bytes, sealed: bytes) -> bytes:
    """The leaf's bytes. The digest has a fixed size and stands last, so they split one way only."""
    return clear + hashlib.sha256(sealed).digest()


def clear_part(leaf: bytes) -> bytes:
    """The clear part of a leaf's bytes. Raises ValueError where there is no room for a digest."""
    if len(leaf) < DIGEST_SIZE:
        raise ValueError("a leaf ends in the digest of its sealed part")
    return leaf[:-DIGEST_SIZE]


def holds(leaf: bytes, sealed: bytes) -> bool:
    """Whether `sealed` is the sealed part that the leaf was made with, unaltered."""
    return hmac.compare_digest(leaf[-DIGEST_SIZE:], hashlib.sha256(sealed).digest())

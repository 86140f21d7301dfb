"""Search by equality in sealed columns, without an identifier or its plain hash in the row.

An unsalted hash of a national identifier is no protection: about 8.6e10 French ones exist, and
one core tries them all in hours. A keyed index cannot be tried without the organization's key.
Equal values still give equal indexes within one organization and field: never index a field of
few values (an index of a yes or no discloses it), and never compare across fields.
"""

import hmac
import unicodedata
from functools import lru_cache

from core.crypto.seal import derive

MAX_VALUE = 1024
"""Characters; what is searched by equality is an identifier, not a text."""

MAX_KEYS = 10_000
"""Derived keys kept, one for each organization and field; what they follow from is kept too."""


def blind_index(key: bytes, field: str, value: str) -> bytes:
    """HMAC-SHA-256 of the normalised value: 32 bytes, the same for every spelling of it.

    `key` is the organization's 32-byte key and `field` the contract's name of the field, so that
    equal values in two organizations or two fields have unrelated indexes. Raises ValueError for
    a value that is empty once normalised or longer than MAX_VALUE.
    """
    return hmac.digest(_key_of(key, field), normalised(value).encode(), "sha256")


@lru_cache(MAX_KEYS)
def _key_of(key: bytes, field: str) -> bytes:
    return derive(key, f"blind-index/{field}")


def normalised(value: str) -> str:
    """The one spelling under which a value is indexed: NFKC, case folded, without white space.

    Identifiers are typed in groups, in either case and with full-width digits; none of it is
    part of the identifier.
    """
    if len(value) > MAX_VALUE:
        raise ValueError(f"an indexed value has at most {MAX_VALUE} characters")
    # Each step can undo composition, so the normal form is taken again after it.
    grouped = unicodedata.normalize("NFKC", value)
    joined = unicodedata.normalize("NFKC", "".join(grouped.split()))
    spelling = unicodedata.normalize("NFKC", joined.casefold())
    if not spelling:
        raise ValueError("an empty value has no index")
    return spelling

"""Page tokens: where a list was left, and nothing more.

A token holds the sort key of the last row shown. It is encrypted, because a sort key may be a
name and tokens stand in addresses and logs; and it is bound to the method, the filter, the
order and the tenant, so that one of another list is refused. It grants nothing: the next page
is read with all the checks of the first.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import Message

from core import identity
from core.errors import InvalidField, InvalidPageToken

DEFAULT_SIZE = 50  # rows, when the caller names none (AIP-158)
LARGEST_SIZE = 200  # rows; a larger wish gets this many
# Bytes of what a page shows of more than one row: clients of gRPC take 4 MiB if not told otherwise.
PAGE_BYTES = 2 * 1024 * 1024
LONGEST_TOKEN = 8192  # characters; a sort key of the longest names stays below

_VERSION = b"\x01"
_NONCE_BYTES = 12

Value: TypeAlias = UUID | str | int | date | datetime
Key: TypeAlias = tuple[Value, ...]
T = TypeVar("T")
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a token belongs to: the method, and the arguments that shape its list."""

    method: str
    filter: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the token of those behind them; empty at the end."""

    items: list[T]
    next_page_token: str


def page_size(asked: int) -> int:
    """How many rows a page has. Raises InvalidField for a negative number."""
    if asked < 0:
        raise InvalidField(field="page_size", rule="page_size")
    return min(asked or DEFAULT_SIZE, LARGEST_SIZE)


class PageTokens:
    """Seals and opens the tokens of one service. All its processes share the key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, key: Key, listing: Listing) -> str:
        """The token of the rows behind the one that has this sort key."""
        nonce = os.urandom(_NONCE_BYTES)
        text = json.dumps([_to_json(value) for value in key], ensure_ascii=False).encode()
        sealed = self._cipher.encrypt(nonce, text, _bound_to(listing))
        return base64.urlsafe_b64encode(_VERSION + nonce + sealed).rstrip(b"=").decode()

    def open(self, token: str, listing: Listing) -> Key:
        """The sort key to go on behind; empty for the first page.

        Raises InvalidPageToken for whatever `seal` did not make for this very listing.
        """
        if not token:
            return ()
        raw = _decode(token)
        nonce, sealed = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
        if raw[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise InvalidPageToken
        try:
            text = self._cipher.decrypt(nonce, sealed, _bound_to(listing))
        except InvalidTag:
            raise InvalidPageToken from None
        return tuple(_from_json(item) for item in json.loads(text))


def page_of(
    rows: Sequence[T],
    size: int,
    listing: Listing,
    tokens: PageTokens,
    *,
    key: Callable[[T], Key],
) -> Page[T]:
    """The page from `size + 1` rows read: the one too many tells that there is more."""
    shown = list(rows[:size])
    more = len(rows) > size
    return Page(shown, tokens.seal(key(shown[-1]), listing) if more else "")


def page_shown(
    rows: Sequence[T],
    size: int,
    listing: Listing,
    tokens: PageTokens,
    *,
    key: Callable[[T], Key],
    show: Callable[[T], M],
) -> Page[M]:
    """The page of what is shown of the rows; it ends early where more would be too large."""
    shown = [show(row) for row in rows[:size]]
    fit = fitting(shown)
    page = page_of(rows, min(size, fit), listing, tokens, key=key)
    return Page(shown[:fit], page.next_page_token)


def fitting(shown: Sequence[Message]) -> int:
    """How many of the messages fit into one page: always the first."""
    total = 0
    for count, message in enumerate(shown):
        total += message.ByteSize()
        if count and total > PAGE_BYTES:
            return count
    return len(shown)


def _bound_to(listing: Listing) -> bytes:
    """What a token is valid for, with lengths, so that no two listings read the same."""
    organization = identity.caller().organization
    digest = hashlib.sha256(b"medhub page token")
    for part in (listing.method, listing.filter, listing.order, str(organization)):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.digest()


def _decode(token: str) -> bytes:
    """The bytes of a token in its one spelling."""
    if len(token) > LONGEST_TOKEN:
        raise InvalidPageToken
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidPageToken from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise InvalidPageToken
    return raw


def _to_json(value: Value) -> list[str | int]:
    match value:
        case UUID():
            return ["u", str(value)]
        case str() | int():
            return ["v", value]
        case datetime():
            return ["t", value.isoformat()]
        case date():
            return ["d", value.isoformat()]


_READ: dict[str, Callable[[str], Value]] = {
    "u": UUID,
    "v": lambda value: value,
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
}


def _from_json(item: tuple[str, str]) -> Value:
    kind, value = item
    return _READ[kind](value)

"""A key of auth's own for rows of one purpose: made once, kept wrapped in the database."""

import os

from auth.storage.store import Tx
from core.crypto.keyring import KeyProvider
from core.crypto.seal import KEY_SIZE


class RowKey:
    """The key of one purpose, unwrapped once."""

    def __init__(self, keyring: KeyProvider, purpose: str) -> None:
        self._keyring = keyring
        self._purpose = purpose
        self._associated = f"medhub/auth/{purpose}".encode()
        self._key: bytes | None = None

    async def of(self, tx: Tx) -> bytes:
        """The key, 32 bytes."""
        if self._key is not None:
            return self._key
        fresh = self._keyring.wrap(os.urandom(KEY_SIZE), self._associated)
        wrapped = await tx.keys.server_key(self._purpose, fresh)
        key = self._keyring.unwrap(wrapped, self._associated)
        # One that this transaction has made lasts only if the transaction does.
        if wrapped != fresh:
            self._key = key
        return key

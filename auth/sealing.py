"""What a factor shares with its owner, a seed or a telephone number, sealed in its row."""

from uuid import UUID

from auth.signing import Signer
from auth.storage.store import Tx
from core.crypto.seal import derive, open_sealed, seal


class Sealing:
    """Seals it, bound to the person, under a key of its own."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    async def seal(self, tx: Tx, content: bytes, user: UUID) -> bytes:
        """For the row."""
        return seal(await self._key(tx), content, user.bytes)

    async def open(self, tx: Tx, sealed: bytes, user: UUID) -> bytes:
        """From the row. Raises Unopenable."""
        return open_sealed(await self._key(tx), sealed, user.bytes)

    async def _key(self, tx: Tx) -> bytes:
        return derive(await self._signer.derivation_key(tx), "factors")

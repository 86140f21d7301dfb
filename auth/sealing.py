"""What a row holds and has to be shown again, sealed: by purpose, each under a key of its own."""

from typing import Final
from uuid import UUID

from auth.signing import Signer
from auth.storage.store import Tx
from core.crypto.seal import derive, open_sealed, seal

FACTORS: Final = "factors"
"""What a factor shares with its owner: a seed or a telephone number."""

CLIENT_SECRETS: Final = "client-secrets"
"""By what medhub proves itself to identity providers."""


class Sealing:
    """Seals it, each bound to the row that it stands in or to whose it is."""

    def __init__(self, signer: Signer, purpose: str) -> None:
        self._signer = signer
        self._purpose = purpose

    async def seal(self, tx: Tx, content: bytes, bound_to: UUID) -> bytes:
        """For the row."""
        return seal(await self._key(tx), content, bound_to.bytes)

    async def open(self, tx: Tx, sealed: bytes, bound_to: UUID) -> bytes:
        """From the row. Raises Unopenable."""
        return open_sealed(await self._key(tx), sealed, bound_to.bytes)

    async def _key(self, tx: Tx) -> bytes:
        return derive(await self._signer.derivation_key(tx), self._purpose)

"""By what medhub proves itself to identity providers: sealed, since they must be shown it."""

from uuid import UUID

from auth.signing import Signer
from auth.storage.store import Tx
from core.crypto.seal import derive, open_sealed, seal


class ClientSecrets:
    """Seals them, each bound to its provider, under a key of their own."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    async def seal(self, tx: Tx, secret: str, provider: UUID) -> bytes | None:
        """For the row; None where there is none."""
        return seal(await self._key(tx), secret.encode(), provider.bytes) if secret else None

    async def open(self, tx: Tx, sealed: bytes | None, provider: UUID) -> str | None:
        """From the row. Raises Unopenable."""
        if sealed is None:
            return None
        return open_sealed(await self._key(tx), sealed, provider.bytes).decode()

    async def _key(self, tx: Tx) -> bytes:
        return derive(await self._signer.derivation_key(tx), "client-secrets")

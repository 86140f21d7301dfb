"""Tokens that travel by mail: who presents one reads the mail of the address it was sent to.

What a token brings along (the address, a name) is sealed: of who has no account yet, nothing
stands readable in the database.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from auth.domain.accounts import LIVES, Purpose
from auth.domain.emails import email_key
from auth.domain.sessions import new_token, token_hash
from auth.row_keys import RowKey
from auth.storage.mail_tokens import Kept
from auth.storage.store import Tx
from core import clock
from core.crypto.keyring import KeyProvider
from core.crypto.seal import derive, open_sealed, seal
from core.ids import new_id


@dataclass(frozen=True, slots=True)
class MailToken:
    """A token that can be used, and what it brings along."""

    id: UUID
    purpose: Purpose
    user: UUID | None
    content: Mapping[str, str]


class MailTokens:
    """Makes and reads them."""

    def __init__(self, keyring: KeyProvider) -> None:
        self._key = RowKey(keyring, "mail_tokens")

    async def make(
        self,
        tx: Tx,
        purpose: Purpose,
        user: UUID | None,
        content: Mapping[str, str],
        *,
        usable: bool = True,
    ) -> str:
        """A new token. `content` has the `email` that it is sent to. One that is not usable is made
        for the work of it alone.
        """
        key, now, made, token = await self._key.of(tx), clock.now(), new_id(), new_token()
        address = _digest(key, content["email"])
        sealed = seal(derive(key, "content"), json.dumps(dict(content)).encode(), made.bytes)
        kept = Kept(made, purpose, user, address, sealed)
        await tx.mail_tokens.add(kept, token_hash(token), now, now + LIVES[purpose], usable=usable)
        return token

    async def find(self, tx: Tx, token: str) -> MailToken | None:
        """That of a token which is neither used nor too old."""
        kept = await tx.mail_tokens.find(token_hash(token), clock.now())
        return await self._opened(tx, kept)

    async def newest(self, tx: Tx, purpose: Purpose, email: str) -> MailToken | None:
        """The newest of an address that can still be used."""
        address = _digest(await self._key.of(tx), email)
        return await self._opened(tx, await tx.mail_tokens.newest(address, purpose, clock.now()))

    async def _opened(self, tx: Tx, kept: Kept | None) -> MailToken | None:
        if kept is None:
            return None
        key = derive(await self._key.of(tx), "content")
        content = json.loads(open_sealed(key, kept.content, kept.id.bytes))
        return MailToken(kept.id, Purpose(kept.purpose), kept.user, content)


def _digest(key: bytes, email: str) -> bytes:
    return hmac.digest(derive(key, "address"), email_key(email).encode(), hashlib.sha256)

"""Post: messages are queued sealed in the transaction that asks for them, and leave after it.

A change that is rolled back sends nothing, and one that is committed cannot lose its message. One
key seals them all; it stands in the database, wrapped under the service's keyring.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from uuid import UUID

from auth.domain.emails import email_key
from auth.domain.messages import MOST_ASKED, MOST_INVITED, TERMS, Channel, Message, Template
from auth.row_keys import RowKey
from auth.storage.messages import Queued
from auth.storage.store import Tx
from core import identity
from core.crypto.keyring import KeyProvider
from core.crypto.seal import derive, open_sealed, seal
from core.ids import new_id


class Post:
    """Queues messages, and opens them again for who sends them."""

    def __init__(self, keyring: KeyProvider) -> None:
        self._key = RowKey(keyring, "messages")

    async def send(self, tx: Tx, message: Message, *, because_of: Sequence[UUID] = ()) -> bool:
        """Have a message sent once the transaction is committed.

        False: it is not sent, since the recipient has had as many of this kind as an hour allows.
        `because_of` names what they are counted apart for, beside the recipient.
        """
        return await self._queue(tx, message, TERMS[message.template].most_an_hour, because_of)

    async def may_ask(self, tx: Tx, account: UUID, channel: Channel) -> bool:
        """Count a message that an account asks for, wherever it goes.

        False: it has asked for as many by this channel as an hour allows.
        """
        return await self._asked(tx, account, channel) <= MOST_ASKED

    async def may_invite(self, tx: Tx, asker: UUID) -> bool:
        """Count an invitation for the organization that invites, or for who does it.

        False: it has sent as many as an hour allows.
        """
        return await self._asked(tx, asker, Template.INVITATION) <= MOST_INVITED

    async def _asked(self, tx: Tx, asker: UUID, what: str) -> int:
        told = b"\0".join((asker.bytes, what.encode()))
        counted = hmac.digest(derive(await self._key.of(tx), "asker"), told, hashlib.sha256)
        return await tx.messages.ask(counted)

    async def pretend(self, tx: Tx, message: Message) -> None:
        """Do the same work and queue nothing, where nobody may see that there is nothing to say."""
        await self._queue(tx, message, 0)

    async def _queue(
        self, tx: Tx, message: Message, most_an_hour: int, because_of: Sequence[UUID] = ()
    ) -> bool:
        key = await self._key.of(tx)
        made = new_id()
        return await tx.messages.add(
            Queued(
                id=made,
                template=message.template,
                channel=message.channel,
                recipient=_digest(key, message.to, because_of),
                content=seal(derive(key, "content"), _to_bytes(message), made.bytes),
                life=TERMS[message.template].life,
                most_an_hour=most_an_hour,
            )
        )

    async def open(self, tx: Tx, key: bytes, content: bytes) -> Message:
        """The message inside; `key` is the bytes of its id. Raises Unopenable."""
        found = await self._key.of(tx)
        return _from_bytes(open_sealed(derive(found, "content"), content, key))


def _digest(key: bytes, recipient: str, because_of: Sequence[UUID]) -> bytes:
    """Under what a recipient's messages are counted; of an address, however it is spelled."""
    counted = "\0".join((email_key(recipient), *map(str, because_of)))
    return hmac.digest(derive(key, "recipient"), counted.encode(), hashlib.sha256)


def _to_bytes(message: Message) -> bytes:
    return json.dumps([
        message.channel, message.to, message.template,
        message.language or identity.call().language, dict(message.values),
    ]).encode()  # fmt: skip


def _from_bytes(content: bytes) -> Message:
    channel, to, template, language, values = json.loads(content)
    return Message(Channel(channel), to, Template(template), language, values)

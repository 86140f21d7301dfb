"""What auth would have sent, and organizations that let people register themselves."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from auth.background import own_call
from auth.domain.messages import Message
from auth.posting import Post
from auth.storage.store import Store
from core.crypto.keyring import Keyring
from core.database import sql

_OPEN = sql(
    """UPDATE organization SET self_registration = true, registration_roles = :roles,
    registration_domains = :domains WHERE id = :key""",
    key=Uuid,
    roles=ARRAY(Text),
    domains=ARRAY(Text),
)


async def kept_messages(store: Store, keyring: Keyring) -> list[Message]:
    """What the development outbox keeps, and what is still queued; the oldest first."""
    post = Post(keyring)
    async with store.begin_as(own_call("Test", "auth.messages.read")) as tx:
        rows = await tx.messages.shown()
        return [
            await post.open(tx, row.id.bytes, row.content)
            for row in reversed(rows)
            if row.content is not None
        ]


async def open_registration(
    store: Store, organization: UUID, roles: Sequence[str] = (), domains: Sequence[str] = ()
) -> None:
    """Let people register themselves with an organization."""
    async with store.begin_as(own_call("Test", "auth.test")) as tx:
        await tx._tx.run(_OPEN, key=organization, roles=list(roles), domains=list(domains))

"""What the outbox shows: messages that have not left.

Only what development keeps is shown with its content. What waits for a real provider opens
something, and is nobody's to read but the recipient's.
"""

from auth.background import own_call
from auth.domain.wording import text_of
from auth.posting import Post
from auth.storage.messages import KEPT, MOST_SHOWN, Shown
from auth.storage.store import Store, Tx


async def outbox_text(store: Store, post: Post) -> str:
    """The messages, the newest last, as lines for a terminal."""
    async with store.begin_as(own_call("Outbox", "auth.messages.read")) as tx:
        shown = await tx.messages.shown()
        parts = [await _told(tx, post, each) for each in reversed(shown)]
    if len(shown) == MOST_SHOWN:
        parts.append(f"only the newest {MOST_SHOWN} are shown")
    return "\n".join(parts) or "no message waits, is kept or was given up"


async def _told(tx: Tx, post: Post, shown: Shown) -> str:
    at = shown.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    head = f"{at}  {shown.state}  {shown.channel}  {shown.template}"
    if shown.state != KEPT or shown.content is None:
        fault = f"  {shown.fault}" if shown.fault else ""
        return f"{head}  attempts: {shown.attempts}{fault}"
    message = await post.open(tx, shown.id.bytes, shown.content)
    text = text_of(message)
    body = "\n".join(f"    {line}" for line in text.body.strip().splitlines())
    return f"{head}  to {message.to}\n    {text.subject}\n\n{body}\n"

"""Deletes what nobody can need any more: counts, used assertions, spent tokens, old events."""

import asyncio
import logging
from datetime import timedelta

from auth.background import own_call
from auth.domain.accounts import KEEP_ACTIVITY
from auth.domain.lockout import FORGET_AFTER
from auth.storage.store import Store
from core import clock, tasks
from core.errors import Refusal

EVERY_SECONDS = 60.0
"""The sequence keeps twenty minutes; a minute more or less costs nothing."""

KEEP_SPENT_TOKENS = timedelta(days=1)
"""After its expiry a refresh token is refused anyway; until then reuse must be seen."""

KEEP_MESSAGES = timedelta(days=1)
"""Those that have left are counted for an hour; those kept for development are shown for a day."""

KEEP_DEAD_MESSAGES = timedelta(days=30)
"""Without content: that something could not be sent is to be seen."""

_log = logging.getLogger("medhub.auth.housekeeping")


class Housekeeping:
    """Runs for the life of the process. Several servers may do the same work; it is idempotent."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop."""
        await tasks.end(self._task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await sweep(self._store)
            except Refusal as away:
                _log.warning("nothing was swept: %s", away.reason)


async def sweep(store: Store) -> None:
    """Delete it once."""
    now = clock.now()
    async with store.begin_as(own_call("Sweep", "auth.state.forget")) as tx:
        await tx.state.forget(now)
        await tx.attempts.forget(now - timedelta(seconds=FORGET_AFTER))
        await tx.challenges.forget(now)
        await tx.service_accounts.forget_assertions(now)
        await tx.sessions.forget(now - KEEP_SPENT_TOKENS)
        await tx.mail_tokens.forget(now)
        await tx.activities.forget(now - KEEP_ACTIVITY)
        await tx.messages.forget(now - KEEP_MESSAGES, now - KEEP_DEAD_MESSAGES)
        await tx.identity_providers.forget(now)

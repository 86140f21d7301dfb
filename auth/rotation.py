"""Follows the keys that sign access tokens by new ones, when they are old enough.

Nobody has to remember it, and no call fails by it: a key is published before it signs, and the one
before it verifies until its last token has expired.
"""

import asyncio
import logging
from datetime import timedelta

from auth.signing import rotate_older_than
from auth.storage.store import Store
from core import tasks
from core.crypto.keyring import KeyProvider
from core.errors import Refusal

EVERY_SECONDS = 600.0
"""Keys live for months, so ten minutes more make no difference."""

_log = logging.getLogger("medhub.auth.rotation")


class Rotation:
    """Runs for the life of the process. Of several servers, one finds the key too old."""

    def __init__(self, store: Store, keyring: KeyProvider, age: timedelta | None) -> None:
        """`age` is how long a key signs; None: until it is told otherwise."""
        self._store = store
        self._keyring = keyring
        self._age = age
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        if self._age is not None:
            self._task = asyncio.create_task(self._run(self._age))

    async def stop(self) -> None:
        """Stop."""
        await tasks.end(self._task)

    async def _run(self, age: timedelta) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                kid = await rotate_older_than(self._store, self._keyring, age)
            except Refusal as away:
                _log.warning("no key was looked at: %s", away.reason)
            else:
                if kid:
                    _log.info("the key %s will sign from now on", kid)

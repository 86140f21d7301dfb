"""Password hashes, computed off the event loop by a pool of its own.

A flood of log-ins waits here, in a bounded line, and starves neither validation nor health.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from auth.domain.passwords import check_new_password, context_words
from auth.domain.refusals import Overloaded
from auth.guessing import refuse_guessable

# OWASP's first choice for Argon2id: 46 MiB, one pass, one lane; 50 to 100 ms on a server.
MEMORY_KIB = 47_104
PASSES = 1
LANES = 1
# One core is left to everything else.
WORKERS = max(1, min(4, (os.cpu_count() or 2) - 1))
# With ten checks a second and core, the last one in the line waits about as long as people do.
LONGEST_LINE = 32
RETRY_SECONDS = 2.0

_HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)

_Result = TypeVar("_Result")


def hash_password(password: str) -> str:
    """The hash to keep, with its salt and parameters. Takes 50 to 100 ms of a core."""
    return _HASHER.hash(password)


def hash_unguessable(password: str, *context: str) -> str:
    """The hash of a new password; `context` are words of the person. Raises PasswordTooCommon."""
    refuse_guessable(password, context)
    return hash_password(password)


def matches(kept: str, password: str) -> bool:
    """Whether the password is the one of a kept hash. Takes 50 to 100 ms of a core."""
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


class Hashing:
    """The pool. One per process; close it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="argon2")
        self._waiting = 0
        # What an account that does not exist is checked against, so that it takes as long.
        self._nobody = hash_password(os.urandom(16).hex())

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether the password is that of the hash; with none, False after the same work.

        Raises Overloaded when too many wait.
        """
        found = await self._run(matches, kept or self._nobody, password)
        return found and kept is not None

    async def hash(
        self, password: str, context: Iterable[str] = (), *, field: str = "password"
    ) -> str:
        """The hash to keep of a new password that nobody guesses soon.

        `context` are names and addresses of the person and of where they belong. Raises
        InvalidField, PasswordTooCommon, and Overloaded when too many wait.
        """
        known = list(context)
        check_new_password(password, field=field, context=known)
        return await self._run(hash_unguessable, password, *context_words(known))

    async def hash_made(self, secret: str) -> str:
        """The hash to keep of what the server has drawn by lot. Raises Overloaded."""
        return await self._run(hash_password, secret)

    def close(self) -> None:
        """Let the threads end once they are idle."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[..., _Result], *arguments: str) -> _Result:
        if self._waiting >= LONGEST_LINE:
            raise Overloaded(retry_after=RETRY_SECONDS)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, work, *arguments)
        finally:
            self._waiting -= 1

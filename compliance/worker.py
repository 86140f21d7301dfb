"""Works on requests of persons, in the background.

The queue is a table, and so is the state of each request: a worker that dies leaves it where it
was, and the next one goes on once the lease has run out.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from compliance.domain.access_requests import retry_at
from compliance.storage.access_work import Overtaken, Work
from compliance.storage.store import Store, StoreTransaction
from core import clock, identity
from core.errors import DeadlineExceeded, Unavailable
from core.identity import Call, Caller, Kind

LEASE = timedelta(seconds=60)
"""A worker that has written nothing for so long is taken for dead; far more than a step takes."""

AT_ONCE = 2
"""Requests worked on at the same time by one server: a slow service holds up only some. Each has
two connections of the pool, one that is read from and one that stores; the trail needs the others.
"""

LOOK_SECONDS = 1.0
"""Between two looks at the queue, for what other servers have left there and for what is due."""

PAUSE_SECONDS = 1.0
"""After trouble with the database, before the next look."""

_log = logging.getLogger("medhub.requests")


class Steps:
    """The steps of one attempt: each a transaction that lengthens the attempt's lease."""

    def __init__(self, store: Store, lease: timedelta) -> None:
        self._store = store
        self._lease = lease

    @asynccontextmanager
    async def step(self, work: Work) -> AsyncIterator[StoreTransaction]:
        """A transaction of this attempt. Raises Overtaken."""
        async with self._store.begin_as(identity.call()) as tx:
            await tx.access_work.hold(work, self._lease)
            yield tx


class Task(Protocol):
    """What one kind of request asks for."""

    async def attempt(self, work: Work, steps: Steps, /) -> None:
        """One attempt at one request. What it raises is trouble of this server or its database: the
        request is taken up again after a pause. Raises Overtaken.
        """


class Worker:
    """Empties the queue for the life of a server."""

    def __init__(
        self, store: Store, tasks: Mapping[str, Task], *, lease: timedelta = LEASE
    ) -> None:
        """`tasks` has what is done for a request, by its kind."""
        self._store = store
        self._tasks = tasks
        self._lease = lease
        self._work = asyncio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._work.set()

    async def run(self) -> None:
        """Work on whatever is due. Ends by cancellation alone."""
        while True:
            self._work.clear()
            try:
                if not await self._round():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._work.wait(), LOOK_SECONDS)
            except (Unavailable, DeadlineExceeded):
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - other requests must be worked on all the same
                _log.exception("a fault in the work on requests")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _round(self) -> bool:
        """Take up what is due, and work on it; whether there was anything."""
        taken: list[Work] = []
        async with self._store.begin_as(_call_of(None)) as tx:
            while len(taken) < AT_ONCE and (work := await tx.access_work.claim(self._lease)):
                taken.append(work)
        results = await asyncio.gather(*map(self._attempt, taken), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return bool(taken)

    async def _attempt(self, work: Work) -> None:
        identity.enter(_call_of(work.organization))
        try:
            await self._tasks[work.kind].attempt(work, Steps(self._store, self._lease))
        except Overtaken:
            _log.info("another worker has taken a request up")
        except Exception:
            await self._give_back(work)
            raise

    async def _give_back(self, work: Work) -> None:
        """Have a request taken up again before its lease runs out, if the database answers."""
        with contextlib.suppress(Exception):
            async with self._store.begin_as(identity.call()) as tx:
                again = retry_at(clock.now(), work.attempt)
                await tx.access_work.put_off(work, again or clock.now() + self._lease)


def _call_of(organization: UUID | None) -> Call:
    """Work of the server itself, inside the organization whose request it works on."""
    return Call(
        method="compliance.server/WorkOnRequests",
        caller=Caller(kind=Kind.SERVICE, organization=organization),
        action="compliance.requests.work",
        purpose="data_subject_request",
    )

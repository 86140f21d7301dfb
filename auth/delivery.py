"""How messages leave: the interface of providers, and the sender that works through the queue."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from auth.background import own_call
from auth.domain.messages import Channel, Message, delay_after
from auth.domain.wording import Text, text_of
from auth.posting import Post
from auth.storage.messages import DEAD, KEPT, SENT, Taken
from auth.storage.store import Store
from core import tasks
from core.crypto.seal import Unopenable
from core.errors import Refusal

SENDERS = 2
"""Messages of one process that are under way at once: one slow server does not hold all up."""

IDLE_SECONDS = 0.5
"""How often an empty queue is looked at: half a second is not long for a mail."""

PATIENCE_SECONDS = 20.0
"""How long one delivery may take, greeting and all."""

LEASE = timedelta(seconds=60)
"""After that another sender may take it up: far longer than a delivery may take."""

AWAY_SECONDS = 5.0  # before the database is asked again

_log = logging.getLogger("medhub.auth.delivery")


class Fault(StrEnum):
    """Why a delivery failed, without a word of whom or what it was about."""

    UNREACHABLE = "UNREACHABLE"
    REFUSED = "REFUSED"
    PUT_OFF = "PUT_OFF"
    NO_PROVIDER = "NO_PROVIDER"
    UNOPENABLE = "UNOPENABLE"
    EXPIRED = "EXPIRED"


class Undelivered(Exception):
    """A provider did not take the message; `for_good` when it never will."""

    def __init__(self, fault: Fault, *, for_good: bool = False) -> None:
        super().__init__(fault)
        self.fault = fault
        self.for_good = for_good


class Provider(Protocol):
    """Takes messages of one channel."""

    # Whether a delivered message stays in the database, sealed, for `medhub auth outbox`.
    keeps: bool

    async def deliver(self, to: str, text: Text) -> None:
        """Hand a message over. Raises Undelivered."""


class Outbox:
    """For development: messages stay in the database, sealed, and a command shows them."""

    keeps = True

    async def deliver(self, to: str, text: Text) -> None:
        """Nothing leaves."""


class Nobody:
    """No provider is set up: what would be sent is given up at once, visibly."""

    keeps = False

    async def deliver(self, to: str, text: Text) -> None:
        """Raises Undelivered."""
        raise Undelivered(Fault.NO_PROVIDER, for_good=True)


class Delivery:
    """Sends what is queued, for the life of the server. Several servers share the work."""

    def __init__(
        self, store: Store, post: Post, providers: Mapping[Channel, Provider], portal: str = ""
    ) -> None:
        self._store = store
        self._post = post
        self._providers = providers
        self._portal = portal
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(self._run()) for _ in range(SENDERS)]

    async def stop(self) -> None:
        """End. What is under way is taken up again by another sender, and may arrive twice."""
        await asyncio.gather(*(tasks.end(task) for task in self._tasks))

    async def send_next(self) -> bool:
        """Send the message that has waited longest. False: none is due."""
        async with self._store.begin_as(own_call("Deliver", "auth.messages.send")) as tx:
            taken = await tx.messages.claim(LEASE)
        if taken is None:
            return False
        try:
            message = await self._open(taken)
            await self._deliver(message)
        except Undelivered as failure:
            await self._failed(taken, failure)
            return True
        kept = self._providers[message.channel].keeps
        async with self._store.begin_as(own_call("Deliver", "auth.messages.send")) as tx:
            await tx.messages.end(taken, KEPT if kept else SENT)
        return True

    async def _open(self, taken: Taken) -> Message:
        async with self._store.begin_as(own_call("Deliver", "auth.messages.send")) as tx:
            try:
                return await self._post.open(tx, taken.id.bytes, taken.content)
            except Unopenable:
                raise Undelivered(Fault.UNOPENABLE, for_good=True) from None

    async def _deliver(self, message: Message) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                provider = self._providers[message.channel]
                await provider.deliver(message.to, text_of(message, self._portal))
        except TimeoutError:
            raise Undelivered(Fault.UNREACHABLE) from None

    async def _failed(self, taken: Taken, failure: Undelivered) -> None:
        # Neither the recipient nor what the provider said: both may be about a person.
        _log.warning("message %s (%s): %s", taken.id, taken.template, failure.fault)
        async with self._store.begin_as(own_call("Deliver", "auth.messages.send")) as tx:
            if failure.for_good:
                await tx.messages.end(taken, DEAD, failure.fault)
            else:
                await tx.messages.put_off(taken, delay_after(taken.attempts), failure.fault)

    async def _run(self) -> None:
        while True:
            try:
                if not await self.send_next():
                    await asyncio.sleep(IDLE_SECONDS)
            except Refusal as away:
                _log.info("the queue cannot be read: %s", away.reason)
                await asyncio.sleep(AWAY_SECONDS)
            except Exception as fault:  # noqa: BLE001 - one message must not stop all the others
                # Its text may name whom the message is for. The lease puts the message off.
                _log.error("a delivery failed: %s", type(fault).__name__)
                await asyncio.sleep(AWAY_SECONDS)

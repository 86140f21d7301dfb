"""The feed: one reader of the auth state in this process, and any number of followers.

It reads the sequence from the primary after each notification, each probe, and every 250 ms.
A checkpoint is sent only after such a read, so a server that cannot reach its database falls
silent, and its followers know that they know nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from uuid import UUID

from auth.background import own_call
from auth.domain.refusals import RevisionOutOfRange
from auth.servicers.state_events import checkpoint, deltas, snapshot
from auth.storage.listener import Listener
from auth.storage.store import Store
from core import clock, tasks
from core.errors import Refusal, Unavailable
from core.truth import State
from medhub.auth.v1.auth_state_service_pb2 import WatchResponse

POLL_SECONDS = 0.25
"""Covers a lost notification."""

UNASKED_SECONDS = 0.8
"""A checkpoint at least each second, with room for one poll in between."""

MOST_UNREAD = 1_000
"""Messages that wait for a follower; one that does not read is cut and starts anew."""

RETRY_SECONDS = 1.0
_log = logging.getLogger("medhub.auth.feed")
_READ = own_call("Follow", "auth.state.watch")


@dataclass(frozen=True, slots=True)
class Message:
    """What a follower gets. `asked_at` is when the read behind it began, on the loop's clock."""

    response: WatchResponse
    asked_at: float


class Subscription:
    """One follower's line. Iterating ends by a refusal when the follower is cut."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.told_at = float("-inf")
        self.floor = 0
        self._line: asyncio.Queue[Message | Refusal] = asyncio.Queue(MOST_UNREAD + 1)
        self._cut = False

    def offer(self, message: Message) -> None:
        """Put a message in the line; cut the follower when the line is full."""
        if self._cut:
            return
        if self._line.qsize() >= MOST_UNREAD:
            self.cut(Unavailable(retry_after=RETRY_SECONDS))
        else:
            self._line.put_nowait(message)

    def cut(self, reason: Refusal) -> None:
        """End the subscription after what is in the line."""
        if not self._cut:
            self._cut = True
            self._line.put_nowait(reason)

    async def messages(self) -> AsyncIterator[Message]:
        """What comes in, without the commits that the opening has told."""
        while True:
            message = await self._line.get()
            if isinstance(message, Refusal):
                raise message
            response = message.response
            if response.HasField("delta") and response.delta.revision <= self.floor:
                continue
            yield message


class Feed:
    """Reads the sequence and passes it on. Start it once per process."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._listener = Listener(url, self._wake_up)
        # In the order in which they came: nobody is told first by chance.
        self._subscriptions: dict[Subscription, None] = {}
        self._probes: list[tuple[Subscription, int]] = []
        self._wake = asyncio.Event()
        self._revision: int | None = None
        self._history: UUID | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._listener.start()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop reading; followers are cut, so that they go to another server."""
        await self._listener.stop()
        await tasks.end(self._task)
        self._cut_all()

    @contextmanager
    def subscribed(self, every: float = UNASKED_SECONDS) -> Iterator[Subscription]:
        """A line of everything from now on. Raises Unavailable before the first read.

        `every` is the longest pause between checkpoints, in seconds.
        """
        if self._revision is None:
            raise Unavailable(retry_after=RETRY_SECONDS)
        made = Subscription(every)
        self._subscriptions[made] = None
        try:
            yield made
        finally:
            self._subscriptions.pop(made, None)

    async def opening(
        self, from_revision: int, follower: Subscription, history: str = ""
    ) -> list[WatchResponse]:
        """What brings a follower from its revision to the present: commits, or a snapshot.

        A revision of another history says nothing. Raises RevisionOutOfRange for one beyond what
        was issued in this one.
        """
        async with self._store.begin_as(_READ) as tx:
            if from_revision:
                told = await tx.state.since(from_revision)
                same = history in ("", str(told.history))
                if same and from_revision > told.revision:
                    raise RevisionOutOfRange
                if same and told.oldest <= from_revision + 1:
                    follower.floor = told.revision
                    return list(deltas(told.events))
            held = await tx.state.snapshot(clock.now())
        follower.floor = held.revision
        return list(snapshot(held))

    def probe(self, follower: Subscription, number: int) -> None:
        """Answer a follower's probe after a read that begins now or later."""
        self._probes.append((follower, number))
        self._wake.set()

    def _wake_up(self) -> None:
        self._wake.set()

    def _cut_all(self) -> None:
        for each in self._subscriptions:
            each.cut(Unavailable(retry_after=RETRY_SECONDS))

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._read()
            except Refusal as away:
                _log.warning("the auth state cannot be read: %s", away.reason)
            except Exception:  # noqa: BLE001 - a feed that has ended would be silent for good
                # The database is not migrated yet, or there is a fault: followers see silence.
                _log.exception("the auth state cannot be read")
                await asyncio.sleep(RETRY_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    async def _read(self) -> None:
        """One read of the primary, and what follows from it for everybody."""
        asked_at, as_of = asyncio.get_running_loop().time(), clock.now()
        probes, self._probes = self._probes, []
        async with self._store.begin_as(_READ) as tx:
            known = await tx.state.revision() if self._revision is None else self._revision
            told = await tx.state.since(known)
        restored = self._history not in (None, told.history) or told.revision < known
        if restored or told.oldest > known + 1:
            # The database was restored to an earlier time, or this server was away for longer
            # than events are kept: followers take a snapshot.
            self._cut_all()
            told = replace(told, events=[])
        self._revision, self._history = told.revision, told.history
        for delta in deltas(told.events):
            for each in self._subscriptions:
                each.offer(Message(delta, asked_at))
        for follower, number in probes:
            follower.told_at = asked_at
            follower.offer(Message(checkpoint(told, number, as_of), asked_at))
        for each in self._subscriptions:
            if asked_at - each.told_at >= each.every:
                each.told_at = asked_at
                each.offer(Message(checkpoint(told, 0, as_of), asked_at))


async def follow(feed: Feed, state: State) -> None:
    """Keep this process's own truth current from its own feed, for ever."""
    while True:
        try:
            with feed.subscribed(every=0.0) as line:
                await _apply(feed, line, state)
        except Refusal:
            await asyncio.sleep(POLL_SECONDS)


async def _apply(feed: Feed, line: Subscription, state: State) -> None:
    state.begin_snapshot()
    for part in await feed.opening(0, line):
        state.apply_snapshot(part.snapshot)
    async for message in line.messages():
        match message.response.WhichOneof("message"):
            case "delta":
                if not state.apply_delta(message.response.delta):
                    return
            case "checkpoint":
                state.prove(message.response.checkpoint.revision, message.asked_at)

"""The servers of a simulation: the real parts of both sides, on simulated machines.

An auth server is auth's Feed, its AuthState servicer, its Proving, its Signer and the truth that
it follows itself. Any other server is the State, the Follower, the Truth and the live streams of
core. Starting one again loses what it had in memory.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, cast

from auth.exchange import Exchange
from auth.feed import Feed, follow
from auth.proving import Proving
from auth.servicers.auth_state import AuthState
from auth.signing import Signer
from auth.storage.store import Store
from core.contract import Access, Method, everything
from core.crypto.keyring import KeyProvider
from core.rpc.live import LiveStreams
from core.truth import State, Truth
from core.truth.follower import Follower, resolving
from tests.support import sim_database
from tests.support.sim_network import Channel, Link
from tests.support.sim_time import Machine

_WATCH = "/medhub.auth.v1.AuthStateService/Watch"


class OpenKeyring:
    """Keys under no key: nobody looks at the rows of a simulation."""

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """As KeyProvider.wrap."""
        return key

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """As KeyProvider.unwrap."""
        return wrapped


KEYRING = cast("KeyProvider", OpenKeyring())


class SimulatedListener:
    """As auth's Listener, on the database's notifications."""

    database: sim_database.Database

    def __init__(self, url: str, heard: Callable[[], None]) -> None:
        self._heard = heard

    def start(self) -> None:
        """Begin to listen."""
        self.database.listeners.append(self._heard)

    async def stop(self) -> None:
        """Stop listening."""
        self.database.listeners.remove(self._heard)


def streamed(permission: str) -> Method:
    """A method of streams that asks for a permission, as a read."""
    method = everything().methods[_WATCH]
    return dataclasses.replace(
        method,
        access=Access.REQUIRE,
        permission=permission,
        needs_organization=False,
        freshness=10.0,
        continues_reads=False,
    )


class AuthServer:
    """One process of auth."""

    def __init__(self, machine: Machine, database: sim_database.Database) -> None:
        self.machine = machine
        self.database = database
        self.store = cast("Store", sim_database.Store(database, machine.name))
        self.alive = False
        self._tasks: list[asyncio.Task[Any]] = []
        self._feed: Feed | None = None

    async def start(self) -> None:
        """Start the process."""
        await self.machine.run(self._start())
        self.alive = True

    async def _start(self) -> None:
        feed = self._feed = Feed(self.store, "")
        self.state = State()
        self.proving = Proving(self.store)
        self.servicer = AuthState(feed, self.proving)
        self.truth = Truth(self.state, self.proving.resolve, "auth")
        self.signer = Signer(KEYRING)
        self.state.changed.append(lambda: self.signer.heed(self.state.keys))
        self.exchange = Exchange(self.store, self.signer, self.proving)
        self.live = LiveStreams(self.truth)
        feed.start()
        self._tasks = [asyncio.create_task(follow(feed, self.state))]

    async def kill(self) -> None:
        """End the process, as by kill -9: nobody is told but by the network."""
        self.alive = False
        for task in self._tasks:
            task.cancel()
        if self._feed is not None:
            await self._feed.stop()

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something on the machine, as a call would."""
        return await self.machine.run(work)


class Server:
    """One process of another service."""

    def __init__(self, machine: Machine, link: Link) -> None:
        self.machine = machine
        self.link = link
        self.alive = False

    async def start(self) -> None:
        """Start the process: it knows nothing."""
        await self.machine.run(self._start())
        self.alive = True

    async def _start(self) -> None:
        channel = cast("Any", Channel(self.link, self.machine))
        self.state = State()
        self.truth = Truth(self.state, resolving(channel), self.machine.name)
        self.live = LiveStreams(self.truth)
        self._follower = Follower(self.state, channel)
        self._follower.start()

    async def kill(self) -> None:
        """End the process."""
        self.alive = False
        with suppress(asyncio.CancelledError):
            await self._follower.stop()

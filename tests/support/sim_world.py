"""What is in a simulated run: the weather, the servers, the people and their tokens."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.truth import Claims
from tests.support import sim_database
from tests.support.sim_oracle import Oracle
from tests.support.sim_servers import AuthServer, Server

# The bounds of the contract (FRESHNESS_READ, FRESHNESS_WRITE), in seconds; 0 asks each time.
READ, WRITE, FRESH = 10.0, 2.0, 0.0
PERMISSIONS = ("ward.charts.read", "ward.charts.write", "ward.orders.give")
BUILT_IN = ("porter", "matron", "runner")
OWN = ("night", "day")


@dataclass
class Token:
    """A token as its owner holds it, and what is known of its end."""

    text: str
    claims: Claims
    # The revision of the last change that was made about it and acknowledged; 0: none.
    ended_at: int = 0


@dataclass
class Weather:
    """How bad it gets, drawn for each run."""

    seconds: float
    auths: int
    servers: int
    changes: float
    calls: float
    troubles: float
    late_messages: float
    lost_messages: float
    late_commits: float
    unheard: float
    skew: float
    small: bool

    @classmethod
    def of(cls, chance: random.Random) -> "Weather":
        """From fair to foul."""
        pick = chance.choice
        return cls(
            seconds=pick([40.0, 60.0, 90.0, 400.0]),
            auths=pick([1, 2, 2, 3]),
            servers=pick([2, 3, 4]),
            changes=pick([0.3, 1.0, 3.0]),
            calls=pick([2.0, 5.0]),
            troubles=pick([0.0, 0.05, 0.2, 0.5]),
            late_messages=pick([0.0, 0.01, 0.1]),
            lost_messages=pick([0.0, 0.0, 0.01, 0.05]),
            late_commits=pick([0.0, 0.1, 0.5]),
            unheard=pick([0.0, 0.5, 1.0]),
            skew=pick([0.0, 1.0, 2.5]),
            small=chance.random() < 0.5,
        )


@dataclass
class World:
    """Everything of one run."""

    seed: int
    weather: Weather
    chance: random.Random
    database: sim_database.Database
    oracle: Oracle
    auths: list[AuthServer] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    organizations: list[UUID] = field(default_factory=list)
    people: list[UUID] = field(default_factory=list)
    accounts: list[UUID] = field(default_factory=list)
    patients: list[UUID] = field(default_factory=list)
    sessions: dict[UUID, UUID] = field(default_factory=dict)
    proven: dict[Server, set[str]] = field(default_factory=dict)
    retention: timedelta = timedelta(minutes=20)
    quiet: bool = False

    @property
    def everybody(self) -> list[AuthServer | Server]:
        """All servers."""
        return [*self.auths, *self.servers]

    def new_id(self) -> UUID:
        """The next id; what is random here comes from the seed."""
        return UUID(int=self.chance.getrandbits(128))

    def of(self, what: str) -> random.Random:
        """Chance of its own for a part, so that parts do not disturb each other's."""
        return random.Random(f"{self.seed}/{what}")


FOUL = Weather(
    seconds=40.0,
    auths=2,
    servers=3,
    changes=3.0,
    calls=5.0,
    troubles=0.3,
    late_messages=0.1,
    lost_messages=0.05,
    late_commits=0.5,
    unheard=0.5,
    skew=1.0,
    small=True,
)


def some(chance: random.Random, of: tuple[str, ...]) -> frozenset[str]:
    """About half of them."""
    return frozenset(each for each in of if chance.random() < 0.6)


def still_going(tasks: Iterable["asyncio.Task[Any]"]) -> list["asyncio.Task[Any]"]:
    """Those that have not ended; raises what one of the others raised."""
    going = []
    for task in tasks:
        if not task.done():
            going.append(task)
        elif not task.cancelled():
            task.result()
    return going


async def started(world: World, server: Server) -> None:
    """Start a server, and let the oracle see whatever it comes to hold for true."""
    world.proven[server] = set()
    await server.start()
    state = server.state

    def applied() -> None:
        world.oracle.applied(state, server.machine.name)

    state.changed.append(applied)

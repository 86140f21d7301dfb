"""One simulated run: people and programs, who change and call, and weather that breaks things.

Everything that happens is drawn from the seed, so a run is repeated by its seed. In the end the
weather clears, and whatever has happened, everybody must come to know the same.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from auth import feed as feed_module
from auth import signing
from auth.background import own_call
from auth.domain.events import (
    Event,
    RoleChanged,
)
from auth.signing import set_up
from auth.storage.principals import ServiceStanding
from core.truth import state as state_module
from core.truth import truth as truth_module
from tests.support import sim_database, sim_rows, sim_time
from tests.support.sim_acts import changes
from tests.support.sim_calls import asked_of, calls, judged
from tests.support.sim_network import Link
from tests.support.sim_oracle import Oracle
from tests.support.sim_servers import (
    KEYRING,
    AuthServer,
    Server,
    SimulatedListener,
)
from tests.support.sim_time import Machine
from tests.support.sim_troubles import forgetting, troubles
from tests.support.sim_world import (
    BUILT_IN,
    FRESH,
    OWN,
    PERMISSIONS,
    READ,
    WRITE,
    Weather,
    World,
    some,
    started,
)

# How long everybody has, in seconds, to come to know the same, once nothing is broken any more.
QUIET_SECONDS = 25.0


def simulate(seed: int, weather: Weather | None = None) -> Oracle:
    """Run one seed, in the weather that it draws unless one is given; what the oracle says."""
    chance = random.Random(seed)
    weather = weather or Weather.of(chance)
    kept: list[Oracle] = []
    with _made_small(seed, weather):
        sim_time.run(_run(seed, weather, chance, kept))
    return kept[0]


async def _run(seed: int, weather: Weather, chance: random.Random, kept: list[Oracle]) -> None:
    database = sim_database.Database(random.Random(f"{seed}/database"))
    database.late, database.unheard = weather.late_commits, weather.unheard
    SimulatedListener.database = database
    oracle = Oracle(database)
    kept.append(oracle)
    world = World(seed, weather, chance, database, oracle)
    if weather.small:
        world.retention = timedelta(seconds=20)
    await _built(world)
    working = [asyncio.create_task(each) for each in _work(world)]
    await asyncio.sleep(weather.seconds)
    for task in working:
        task.cancel()
    await asyncio.wait(working)
    for task in working:
        if not task.cancelled() and task.exception() is not None:
            raise task.exception()  # type: ignore[misc]  # asked for just before
    await _cleared(world)
    for server in world.everybody:
        await server.kill()


def _work(world: World) -> Iterator[Any]:
    yield changes(world)
    yield troubles(world)
    yield forgetting(world)
    yield _looking(world)
    for server in world.servers:
        yield calls(world, server)


async def _built(world: World) -> None:
    chance, weather = world.chance, world.weather
    for number in range(weather.auths):
        machine = Machine(f"auth-{number}", chance.uniform(-1, 1) * weather.skew)
        world.auths.append(AuthServer(machine, world.database))
    _populate(world)
    for auth in world.auths:
        await auth.start()
    await world.auths[0].run(set_up(world.auths[0].store, KEYRING))
    for number in range(weather.servers):
        machine = Machine(f"server{number}", chance.uniform(-1, 1) * weather.skew)
        link = Link(world.of(f"link/{number}"), list(world.auths))
        link.late, link.loss = weather.late_messages, weather.lost_messages
        server = Server(machine, link)
        world.servers.append(server)
        await started(world, server)


def _populate(world: World) -> None:
    world.organizations = [world.new_id() for _ in range(2)]
    world.people = [world.new_id() for _ in range(6)]
    world.accounts = [world.new_id() for _ in range(2)]
    world.patients = [world.new_id() for _ in range(3)]

    def write(rows: sim_rows.Rows) -> None:
        for organization in world.organizations:
            rows.suspended[organization] = False
            for role in OWN:
                rows.roles[organization, role] = some(world.chance, PERMISSIONS)
        for person in world.people:
            rows.disabled[person] = False
            rows.addresses[str(person)] = person
            for organization in world.organizations:
                roles = tuple(some(world.chance, (*BUILT_IN, *OWN)))
                rows.members[person, organization] = sim_rows.Member(roles)
        for account in world.accounts:
            rows.accounts[account] = ServiceStanding(0, None, "server0", BUILT_IN, enabled=True)

    world.database.commit([write])
    # Roles of organizations are told from the beginning, as in a database that was in use.
    told: list[Event] = [
        RoleChanged(place, role, tuple(sorted(given)))
        for (place, role), given in world.database.rows.roles.items()
    ]
    tx = sim_database.Tx(world.database, "auth-0", own_call("Begin", "sim"))
    tx.given(told, 2)
    world.database.commit(tx.writes)


async def _looking(world: World) -> None:
    """Whoever counts as current is current."""
    while True:
        await asyncio.sleep(0.1)
        for server in world.everybody:
            if server.alive:
                world.oracle.proven(server.state, server.machine.name)


async def _cleared(world: World) -> None:
    """Everything is mended, and after a while everybody knows the same."""
    for server in world.servers:
        server.link.late = server.link.loss = 0.0
        server.link.mend()
    world.database.reachable.clear()
    world.database.late = 0.0
    for each in world.everybody:
        if not each.alive:
            await (started(world, each) if isinstance(each, Server) else each.start())
    await asyncio.sleep(QUIET_SECONDS)
    world.quiet = True
    for each in world.everybody:
        _must_be_current(world, each)
    for server in world.servers:
        for token in world.tokens:
            for bound in (FRESH, WRITE, READ):
                asked = asked_of(world, token, world.chance, bound, min_revision=token.ended_at)
                if asked.claims.audience in {"", server.machine.name}:
                    await server.machine.run(judged(world, server, token, asked))


def _must_be_current(world: World, server: AuthServer | Server) -> None:
    now, state, name = asyncio.get_running_loop().time(), server.state, server.machine.name
    if state.revision != world.database.rows.revision:
        world.oracle.faults.append(f"{now:.3f} {name} does not come to know the present")
    if now - state.proven_at > WRITE:
        world.oracle.faults.append(f"{now:.3f} {name} is not proven any more")
    world.oracle.applied(state, name)


@contextmanager
def _made_small(seed: int, weather: Weather) -> Iterator[None]:
    """Limits that are met only in large places, small enough to be met here."""
    small: list[tuple[Any, str, Any]] = [(feed_module, "Listener", SimulatedListener)]
    ids = random.Random(seed)
    small.append((signing, "uuid4", lambda: UUID(int=ids.getrandbits(128))))
    small.append((signing, "BUILT_IN", dict.fromkeys(BUILT_IN, frozenset(PERMISSIONS))))
    if weather.small:
        small.extend(
            [
                (state_module, "MAX_MEMBERSHIPS", 4),
                (state_module, "_SWEEP_EVERY", 3),
                (truth_module, "MAX_VERDICTS", 8),
                (feed_module, "MOST_UNREAD", 12),
            ]
        )
    before = [(place, name, getattr(place, name)) for place, name, _ in small]
    for place, name, value in small:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)

"""What goes wrong in a simulation: links, processes and the way to the database."""

import asyncio
import random
from typing import Any

from auth.background import own_call
from core import clock
from tests.support.sim_acts import acted, own_tx
from tests.support.sim_servers import (
    AuthServer,
)
from tests.support.sim_world import (
    World,
    started,
    still_going,
)


async def troubles(world: World) -> None:
    if not world.weather.troubles:
        await asyncio.Event().wait()
    chance = world.of("troubles")
    under_way: list[asyncio.Task[Any]] = []
    try:
        while True:
            await asyncio.sleep(chance.expovariate(world.weather.troubles))
            trouble = chance.choice([_cut, _cut, _reset, _restart, _restart_auth, _cut_database])
            under_way.append(asyncio.create_task(trouble(world, chance)))
            under_way = still_going(under_way)
    finally:
        for task in under_way:
            task.cancel()


async def _cut(world: World, chance: random.Random) -> None:
    link = chance.choice(world.servers).link
    link.cut()
    await asyncio.sleep(chance.choice([0.5, 3.0, 8.0, 20.0, 60.0]) * chance.uniform(0.5, 1.5))
    if chance.random() < 0.5:
        link.reset()
    link.mend()


async def _reset(world: World, chance: random.Random) -> None:
    chance.choice(world.servers).link.reset()


async def _restart(world: World, chance: random.Random) -> None:
    server = chance.choice(world.servers)
    if not server.alive:
        return
    await server.kill()
    server.link.reset()
    await asyncio.sleep(chance.uniform(0, 3))
    await started(world, server)


async def _restart_auth(world: World, chance: random.Random) -> None:
    auth = chance.choice(world.auths)
    if not auth.alive:
        return
    await auth.kill()
    await asyncio.sleep(chance.choice([0.3, 3.0, 20.0]))
    await auth.start()


async def _cut_database(world: World, chance: random.Random) -> None:
    name = chance.choice(world.auths).machine.name
    world.database.reachable[name] = False
    await asyncio.sleep(chance.choice([0.5, 5.0, 20.0]))
    world.database.reachable[name] = True


async def forgetting(world: World) -> None:
    """Housekeeping, on one auth server's clock."""
    while True:
        await asyncio.sleep(13.0)
        await acted(world, world.auths[0], _forget)


async def _forget(world: World, auth: AuthServer) -> None:
    async with auth.store.begin_as(own_call("Forget", "sim")) as tx:
        await own_tx(tx).forget(clock.now(), world.retention)

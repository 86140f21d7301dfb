"""Who calls in a simulation, and what the oracle is told of how each call was decided."""

import asyncio
import random
from typing import Any

from core.rpc.authorize import PermissionDenied
from core.truth.refusals import AuthUnavailable, Unauthenticated
from tests.support.sim_oracle import Asked
from tests.support.sim_servers import (
    Server,
    streamed,
)
from tests.support.sim_world import (
    FRESH,
    PERMISSIONS,
    READ,
    WRITE,
    Token,
    World,
    still_going,
)

# A stream is judged each second, by a hop of two seconds at the most; it is looked at twice as
# often.
STREAM_SECONDS = READ + 1.0 + 2.0 + 0.5


async def calls(world: World, server: Server) -> None:
    chance = world.of(f"calls/{server.machine.name}")
    calling: list[asyncio.Task[Any]] = []
    try:
        while True:
            await asyncio.sleep(chance.expovariate(world.weather.calls))
            if world.tokens and server.alive:
                calling.append(server.machine.run(_call(world, server, chance)))
            calling = still_going(calling)
    finally:
        for task in calling:
            task.cancel()


async def _call(world: World, server: Server, chance: random.Random) -> None:
    token = chance.choice(world.tokens[-12:] if chance.random() < 0.5 else world.tokens)
    if chance.random() < 0.08:
        await _stream(world, server, token, chance)
        return
    bound = chance.choice([READ, READ, WRITE, WRITE, FRESH])
    min_revision = token.ended_at if token.ended_at and chance.random() < 0.3 else 0
    continues = bound == READ and chance.random() < 0.3
    asked = asked_of(world, token, chance, bound, continues=continues, min_revision=min_revision)
    if asked.claims.audience not in {"", server.machine.name}:
        return
    await judged(world, server, token, asked)


def asked_of(
    world: World, token: Token, chance: random.Random, bound: float, **other: Any
) -> Asked:
    began = asyncio.get_running_loop().time()
    return Asked(
        token.claims,
        chance.choice(PERMISSIONS),
        chance.choice(world.patients),
        bound,
        continues=bool(other.get("continues")),
        min_revision=int(other.get("min_revision", 0)),
        began=began,
    )


async def judged(world: World, server: Server, token: Token, asked: Asked) -> None:
    """One call, and what the oracle says of how it was decided."""
    oracle, truth, proven = world.oracle, server.truth, world.proven[server]
    try:
        caller = await truth.caller_of(
            token.text,
            bound=asked.bound,
            continues=asked.continues,
            min_revision=asked.min_revision,
        )
    except Unauthenticated:
        oracle.sent_away(asked, server.machine, server.link.silent())
        return
    except AuthUnavailable:
        oracle.put_off(asked, quiet=world.quiet)
        return
    before = token.text in proven
    if not caller.degraded:
        proven.add(token.text)
    known = truth.state.proven_at
    oracle.looked(asked, caller, server.machine, current_at=known)
    if asked.permission in caller.permissions:
        oracle.let_in(asked, caller, server.machine, proven=before, current_at=known)
    else:
        oracle.denied(asked)


async def _stream(world: World, server: Server, token: Token, chance: random.Random) -> None:
    """A stream that is kept open until it is cut, or its client has enough."""
    asked = asked_of(world, token, chance, READ)
    if asked.claims.audience not in {"", server.machine.name}:
        return
    method = streamed(asked.permission)
    try:
        caller = await server.truth.caller_of(token.text, bound=READ)
        world.proven[server].add(token.text)
        if asked.permission not in caller.permissions:
            return
        with server.live.held(method, token.text):
            for _ in range(chance.randrange(10, 60)):
                await asyncio.sleep(0.5)
                world.oracle.streamed(asked, STREAM_SECONDS)
    except Unauthenticated:
        world.oracle.sent_away(asked, server.machine, server.link.silent())
    except PermissionDenied:
        world.oracle.denied(asked)
    except AuthUnavailable:
        world.oracle.put_off(asked, quiet=world.quiet)

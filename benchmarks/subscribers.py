"""Twenty servers that follow auth, and what becomes of tokens at each of them.

Runs as a process of its own, `python -m benchmarks.subscribers`, told by environment what the
clinical server is told. Each of the twenty is the server's own parts (channel, follower, state,
truth) with a stream of its own; they share this process and its one core. What to do is read as
JSON from standard input: `phase` names a function below, the rest are its arguments.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import grpc
import uvloop

from benchmarks.load import percentile
from core.contract import everything
from core.rpc.channel import Channels, ServiceKey
from core.settings import CoreSettings
from core.truth import State, Truth
from core.truth.follower import Follower, resolving
from core.truth.refusals import AuthUnavailable, Unauthenticated
from medhub.auth.v1 import (
    auth_service_pb2,
    auth_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
)
from medhub.clinical.v1 import hl7_v2_service_pb2_grpc

SERVERS = 20
# The contract's bounds, in seconds.
READ, WRITE = 10.0, 2.0
# How often each server is asked while auth is away, in seconds.
ASK_SECONDS = 0.05
# Auth is away for longer than any bound, and for a hop besides.
AWAY_SECONDS = 16.0
# First questions of many people that are under way at once; one that takes too long is repeated.
AT_ONCE = 8
_PATIENCE = 30.0
_MILLI = 1000.0


@dataclass(frozen=True)
class Subscriber:
    """One server's parts."""

    truth: Truth
    changed: asyncio.Event

    async def refuses(self, token: str, bound: float = READ) -> float:
        """When the token was refused for good, on this process's clock, in seconds."""
        while True:
            self.changed.clear()
            try:
                await self.truth.caller_of(token, bound=bound)
            except Unauthenticated:
                return time.perf_counter()
            await self.changed.wait()


async def subscribed(parts: AsyncExitStack) -> list[Subscriber]:
    """All of them, each current."""
    settings, contract = CoreSettings.read("clinical"), everything()
    key, made = ServiceKey.read(settings.service_key_path), []
    for _ in range(SERVERS):
        channels = Channels({"auth": settings.auth_target}, key, contract)
        parts.push_async_callback(channels.close)
        truth = Truth(State(), resolving(channels.to("auth")))
        follower = Follower(truth.state, channels.to("auth"))
        follower.start()
        parts.push_async_callback(follower.stop)
        changed = asyncio.Event()
        truth.state.changed.append(changed.set)
        made.append(Subscriber(truth, changed))
    async with asyncio.timeout(_PATIENCE):
        for each in made:
            while asyncio.get_running_loop().time() - each.truth.state.proven_at > 1.5:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    return made


@dataclass(frozen=True)
class Client:
    """Somebody who logs in and out, as any client does."""

    stub: Any
    sessions: Any
    streams: Any
    email: str
    password: str

    async def log_in(self) -> str:
        """A token of a new session."""
        request = auth_service_pb2.LoginRequest(email=self.email, password=self.password)
        answer = await self.stub.Login(request, timeout=_PATIENCE)
        return str(answer.access_token)

    async def log_out(self, token: str) -> None:
        """End the session of the token."""
        await self.stub.Logout(
            auth_service_pb2.LogoutRequest(), metadata=_bearer(token), timeout=_PATIENCE
        )


async def revoked(
    subscribers: Sequence[Subscriber], client: Client, rounds: int
) -> dict[str, float]:
    """From a call of Logout until each server refuses, and until a live stream is cut."""
    each, slowest, cut, known = [], [], [], []
    for _ in range(rounds):
        token = await client.log_in()
        await asyncio.gather(*(one.truth.caller_of(token, bound=READ) for one in subscribers))
        stream = client.streams.IngestMessages(_nothing(), metadata=_bearer(token))
        ended = asyncio.create_task(_end_of(stream))
        waiting = [asyncio.create_task(one.refuses(token)) for one in subscribers]
        await asyncio.sleep(0.2)
        began = time.perf_counter()
        await client.log_out(token)
        known.append((time.perf_counter() - began) * _MILLI)
        refused = [(at - began) * _MILLI for at in await asyncio.gather(*waiting)]
        each.extend(refused)
        slowest.append(max(refused))
        cut.append((await ended - began) * _MILLI)
    return {
        **_told("refused", each),
        **_told("everywhere", slowest),
        **_told("cut", cut),
        **_told("answered", known),
    }


async def _nothing() -> AsyncIterator[Any]:
    """A client that keeps its stream open and says nothing."""
    await asyncio.sleep(_PATIENCE)
    never: Any
    for never in ():
        yield never


async def _end_of(stream: Any) -> float:
    try:
        while await stream.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            return time.perf_counter()
        raise
    raise AssertionError("the stream ended by itself")


async def away(subscribers: Sequence[Subscriber], client: Client, auth: int) -> dict[str, float]:
    """Auth stands still: how long after its last word somebody was still let in, in seconds."""
    token = await client.log_in()
    await asyncio.gather(*(one.truth.caller_of(token, bound=READ) for one in subscribers))
    seen = _Seen(time.perf_counter())
    os.kill(auth, signal.SIGSTOP)
    try:
        asking = [
            asyncio.create_task(_keep_asking(one, token, seen, kind))
            for one in subscribers
            for kind in ("write", "read", "declared")
        ]
        await asyncio.sleep(AWAY_SECONDS)
    finally:
        os.kill(auth, signal.SIGCONT)
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    return {
        "write": seen.last["write"],
        "read": seen.last["read"],
        "declared_share": seen.count["declared let in"] / seen.count["declared asked"],
        "logged_out": seen.count["logged out"],
        "asked": seen.count["asked"],
    }


class _Seen:
    """What became of calls while auth was away. Times are seconds since it fell silent."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.last = dict.fromkeys(("write", "read", "declared"), 0.0)
        self.count = dict.fromkeys(("asked", "logged out", "declared asked", "declared let in"), 0)


async def _keep_asking(one: Subscriber, token: str, seen: _Seen, kind: str) -> None:
    bound = WRITE if kind == "write" else READ
    while True:
        began = time.perf_counter() - seen.began
        past = kind == "declared" and began > READ
        seen.count["asked"] += 1
        seen.count["declared asked"] += past
        try:
            await one.truth.caller_of(token, bound=bound, continues=kind == "declared")
        except Unauthenticated:
            seen.count["logged out"] += 1
        except AuthUnavailable:
            pass
        except asyncio.CancelledError:
            # Whoever is still asking at the end was neither let in nor refused.
            seen.count["declared asked"] -= past
            raise
        else:
            seen.last[kind] = max(seen.last[kind], began)
            seen.count["declared let in"] += past
        await asyncio.sleep(ASK_SECONDS)


async def ended(
    subscribers: Sequence[Subscriber], client: Client, tokens: Sequence[str]
) -> dict[str, float]:
    """An organization is logged out: until each of its people is refused where they work."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def known(one: Subscriber, token: str) -> None:
        async with gate:
            while True:
                try:
                    await one.truth.caller_of(token, bound=READ)
                    return
                except AuthUnavailable:
                    await asyncio.sleep(1.0)

    places = [(subscribers[n % SERVERS], token) for n, token in enumerate(tokens)]
    await asyncio.gather(*(known(*place) for place in places))
    before = subscribers[0].truth.state.revision
    own = await client.log_in()
    waiting = [asyncio.create_task(one.refuses(tokens[n])) for n, one in enumerate(subscribers)]
    await asyncio.sleep(1.5)
    began = time.perf_counter()
    answer = await client.sessions.RevokeOrganizationSessions(
        session_service_pb2.RevokeOrganizationSessionsRequest(),
        metadata=_bearer(own),
        timeout=_PATIENCE,
    )
    refused = [(at - began) * _MILLI for at in await asyncio.gather(*waiting)]
    # Only then, since all servers share a core: no token is let in any more, whoever's it is.
    asked = [(await one.refuses(token) - began) * _MILLI for one, token in places]
    return {
        **_told("refused", refused),
        **_told("asked", asked),
        "people": len(asked),
        "events": answer.auth_revision - before,
    }


def _told(name: str, values: list[float]) -> dict[str, float]:
    values.sort()
    return {f"{name}_p50": percentile(values, 0.5), f"{name}_p99": percentile(values, 0.99)}


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


_PHASES: dict[str, Any] = {"revoked": revoked, "away": away, "ended": ended}


async def run(told: dict[str, Any]) -> dict[str, float]:
    """Subscribe, and do what was told."""
    async with AsyncExitStack() as parts:
        auth = await parts.enter_async_context(grpc.aio.insecure_channel(told.pop("auth_at")))
        clinical = await parts.enter_async_context(
            grpc.aio.insecure_channel(told.pop("clinical_at"))
        )
        client = Client(
            auth_service_pb2_grpc.AuthServiceStub(auth),
            session_service_pb2_grpc.SessionServiceStub(auth),
            hl7_v2_service_pb2_grpc.Hl7V2ServiceStub(clinical),
            told.pop("email"),
            told.pop("password"),
        )
        found: dict[str, float] = await _PHASES[told.pop("phase")](
            await subscribed(parts), client, **told
        )
    return found


def main() -> None:
    """Read what to do, do it, write the figures."""
    json.dump(uvloop.run(run(json.load(sys.stdin))), sys.stdout)


if __name__ == "__main__":
    main()

"""A server is replaced under load, and no caller notices."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from core.database.access import AccessRecorder
from core.rpc.channel import service_config
from tests.support.probe_server import Served, contract, serving, thing
from tests.support.tokens import MemoryAuth

ASK = "/medhub.probe.v1.ProbeService/Ask"
CALLERS = 16
# The time to drain: longer than a channel waits before it tries an address again.
DRAIN_SECONDS = 1.5


@dataclass
class Pair:
    """Two servers behind one channel, and callers who call one time after the other."""

    old: Served
    new: Served
    rpc: Any
    token: str
    ended: Counter[grpc.StatusCode] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)

    async def ask(self, number: int = 0) -> None:
        """One call, to whichever server the channel chooses."""
        metadata = (("authorization", f"Bearer {self.token}"),)
        try:
            await self.rpc(thing(number=number).SerializeToString(), metadata=metadata, timeout=20)
            self.ended[grpc.StatusCode.OK] += 1
        except grpc.aio.AioRpcError as error:
            self.ended[error.code()] += 1

    @asynccontextmanager
    async def called(self) -> AsyncIterator[None]:
        """Call for the length of a block; what was begun ends after it."""
        stop = asyncio.Event()

        async def keep_calling() -> None:
            while not stop.is_set():
                await self.ask()

        calling = [asyncio.create_task(keep_calling()) for _ in range(CALLERS)]
        await self.more("old")
        yield
        stop.set()
        await asyncio.gather(*calling)

    async def more(self, name: str) -> None:
        """Return when a server has answered some more calls."""
        enough = self.served[name] + 2 * CALLERS
        while self.served[name] < enough:  # noqa: ASYNC110 - the other side counts
            await asyncio.sleep(0.01)


def _counting(pair: Pair, name: str, held: asyncio.Event) -> Any:
    async def ask(request: Any) -> Any:
        pair.served[name] += 1
        await (held.wait() if request.number else asyncio.sleep(0.005))
        return request

    return ask


@asynccontextmanager
async def pair(
    recorder: AccessRecorder, held: asyncio.Event, config: Mapping[str, object]
) -> AsyncIterator[Pair]:
    """Both serve; `held` ends the calls that bring a number."""
    auth = MemoryAuth()
    async with (
        serving(recorder, auth=auth, drain_seconds=DRAIN_SECONDS) as old,
        serving(recorder, auth=auth) as new,
    ):
        target = f"ipv4:127.0.0.1:{old.server.port},127.0.0.1:{new.server.port}"
        settings = [("grpc.service_config", json.dumps(config))]
        async with grpc.aio.insecure_channel(target, settings) as channel:
            made = Pair(old, new, channel.unary_unary(ASK), old.token("doctor"))
            old.servicer.ask = _counting(made, "old", held)
            new.servicer.ask = _counting(made, "new", held)
            yield made


async def test_callers_of_one_address_are_led_to_the_next_server(recorder: AccessRecorder) -> None:
    """The platform's own retries lead from the server that stops to the one that stays, even while
    a long call is still in progress on the old one.
    """
    held = asyncio.Event()
    config = service_config("one.example:1", contract())
    async with pair(recorder, held, config) as both, both.called():
        long = asyncio.create_task(both.ask(number=1))
        await both.more("old")
        stopping = asyncio.create_task(both.old.server.stop())
        await both.more("new")
        assert not stopping.done()
        held.set()
        await asyncio.gather(stopping, long)
        await both.more("new")

    assert set(both.ended) == {grpc.StatusCode.OK}


async def test_a_channel_that_knows_its_servers_leaves_one_before_it_stops(
    recorder: AccessRecorder,
) -> None:
    """Nothing has to be repeated: health says in time which servers are open."""
    config = dict(service_config("ipv4:several", contract()))
    del config["methodConfig"]
    async with pair(recorder, asyncio.Event(), config) as both, both.called():
        await both.old.server.stop()
        await both.more("new")

    assert set(both.ended) == {grpc.StatusCode.OK}

"""A server is replaced under load, and no caller notices."""

import asyncio
import json
from typing import Any

import grpc

from core.database.access import AccessRecorder
from core.rpc.channel import _service_config
from tests.support.probe_server import contract, serving, thing
from tests.support.tokens import MemoryAuth

ASK = "medhub.probe.v1.ProbeService/Ask"
CALLERS = 16


async def _keep_calling(ask: Any, metadata: Any, stop: asyncio.Event) -> list[grpc.StatusCode]:
    """Calls one after the other, each with its id; how they ended."""
    ended = []
    while not stop.is_set():
        try:
            await ask(thing().SerializeToString(), metadata=metadata, timeout=20.0)
            ended.append(grpc.StatusCode.OK)
        except grpc.aio.AioRpcError as error:
            ended.append(error.code())
    return ended


async def test_no_call_fails_while_a_server_is_replaced(recorder: AccessRecorder) -> None:
    """The platform's own retries lead from the server that stops to the one that stays."""
    served = asyncio.Semaphore(0)

    async def ask(request: Any) -> Any:
        served.release()
        await asyncio.sleep(0.005)
        return request

    auth = MemoryAuth()
    async with (
        serving(recorder, auth=auth, drain_seconds=0.1) as old,
        serving(recorder, auth=auth) as new,
    ):
        old.servicer.ask = new.servicer.ask = ask
        token = old.token("doctor")
        target = f"ipv4:127.0.0.1:{old.server.port},127.0.0.1:{new.server.port}"
        settings = [("grpc.service_config", json.dumps(_service_config(contract())))]
        async with grpc.aio.insecure_channel(target, settings) as channel:
            metadata, stop = (("authorization", f"Bearer {token}"),), asyncio.Event()
            rpc: Any = channel.unary_unary(f"/{ASK}")
            calling = [
                asyncio.create_task(_keep_calling(rpc, metadata, stop)) for _ in range(CALLERS)
            ]
            for _ in range(2 * CALLERS):
                await served.acquire()
            await old.server.stop()
            await rpc(thing().SerializeToString(), metadata=metadata, timeout=20.0)
            stop.set()
            ended = [code for codes in await asyncio.gather(*calling) for code in codes]

    assert set(ended) == {grpc.StatusCode.OK}

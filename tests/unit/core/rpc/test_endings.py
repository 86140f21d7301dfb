"""How a stream ended, by the word of its server and not by that of the client's library."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from core.rpc.endings import TrueEndings, ending_of

CODE = grpc.StatusCode
MADE_UP = (CODE.INTERNAL, None)
REFUSED = (CODE.PERMISSION_DENIED, grpc.aio.Metadata(("reason", "so")))
STREAMS = 100  # nine of ten lose the server's status in grpcio 1.85


class _Call:
    """A call whose end is told once or twice, and which then says what was told last."""

    def __init__(self, *told: tuple[Any, Any]) -> None:
        self._told = told
        self._answers = [b"answer"]
        self._status: tuple[Any, Any] | None = None
        self._listeners: list[Callable[[Any], None]] = []

    def add_done_callback(self, listener: Callable[[Any], None]) -> None:
        self._listeners.append(listener)

    async def read(self) -> Any:
        if self._answers:
            return self._answers.pop()
        for told in self._told:
            self._status = told
            for listener in self._listeners:
                listener(self)
        failed = ending_of(self)
        if failed.code() is not CODE.OK:
            raise failed
        return grpc.aio.EOF

    async def code(self) -> Any:
        if self._status is None:
            await asyncio.sleep(0)
        return self._status and self._status[0]

    async def trailing_metadata(self) -> Any:
        return self._status and self._status[1]

    async def initial_metadata(self) -> Any:
        return grpc.aio.Metadata()

    async def details(self) -> str:
        return ""

    async def debug_error_string(self) -> str:
        return ""


async def _ended(call: _Call) -> Any:
    """The code that a reader of the call's responses ends with."""

    async def go(details: Any, requests: Any) -> _Call:
        return call

    responses = await TrueEndings().intercept_stream_stream(go, None, None)
    try:
        assert [response async for response in responses] == [b"answer"]
    except grpc.aio.AioRpcError as error:
        return error.code()
    return CODE.OK


@pytest.mark.parametrize(
    ("told", "true"),
    [
        ([REFUSED], CODE.PERMISSION_DENIED),
        ([REFUSED, MADE_UP], CODE.PERMISSION_DENIED),
        ([MADE_UP, REFUSED], CODE.PERMISSION_DENIED),
        ([(CODE.OK, None), MADE_UP], CODE.OK),
        ([(CODE.INTERNAL, REFUSED[1])], CODE.INTERNAL),
    ],
)
async def test_the_servers_status_ends_a_stream(told: list[Any], true: Any) -> None:
    """Whether it came before or after the one that was made up."""
    assert await _ended(_Call(*told)) is true


async def test_a_call_under_way_has_no_ending() -> None:
    """Nothing is said of a call before its end."""
    with pytest.raises(RuntimeError):
        ending_of(_Call())


class _Refuses(grpc.GenericRpcHandler):
    """Refuses every stream at once, whatever its client writes."""

    def service(self, details: Any) -> Any:
        async def refuse(requests: Any, context: Any) -> None:
            await context.abort(CODE.PERMISSION_DENIED, "no", (("reason", "so"),))

        return grpc.stream_stream_rpc_method_handler(refuse)


async def test_a_stream_refused_while_its_client_writes_reads_so() -> None:
    """Over a real connection, whatever the client was about to send."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Refuses(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    codes = set()

    async def requests() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield bytes(100_000)

    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", interceptors=(TrueEndings(),)
    ) as channel:
        for _ in range(STREAMS):
            go: Any = channel.stream_stream("/a/b")
            call = go(requests())
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await anext(aiter(call))
            codes.add(refused.value.code())
    await server.stop(0)

    assert codes == {CODE.PERMISSION_DENIED}

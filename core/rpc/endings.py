"""How a call ended, as its server said it.

When the server refuses a stream while its client is writing, the write fails, and grpc.aio puts
an INTERNAL of its own in the place of the status that the server sent: before that one has come,
or over it. Each status is told to whoever listens to the end of the call, so the true one is not
lost to a listener that looks at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import grpc
from google.rpc import error_details_pb2, status_pb2

STATUS_SECONDS = 5.0
"""How long the server's status is waited for once a write has failed: the stream has ended, so it
is here or on its way."""

_DETAILS = "grpc-status-details-bin"


class TrueEndings(grpc.aio.StreamStreamClientInterceptor):
    """Ends each stream by the status that its server sent."""

    async def intercept_stream_stream(
        self, go: Callable[..., Any], details: Any, requests: Any
    ) -> AsyncIterator[Any]:
        """The responses; grpc.aio makes a call of them."""
        call = await go(details, requests)
        sent: asyncio.Future[grpc.aio.AioRpcError] = asyncio.get_running_loop().create_future()

        def hear(ended: Any) -> None:
            status = ending_of(ended)
            if not sent.done() and not _is_made_up(status):
                sent.set_result(status)

        call.add_done_callback(hear)
        return _Responses(call, sent)


def ending_of(call: Any) -> grpc.aio.AioRpcError:
    """The status of a call that has ended, OK too. For listeners to its end: it may change after.

    Raises RuntimeError for a call that has not ended.
    """
    return grpc.aio.AioRpcError(
        _at_once(call.code()),
        _at_once(call.initial_metadata()),
        _at_once(call.trailing_metadata()),
        _at_once(call.details()),
        _at_once(call.debug_error_string()),
    )


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in the refusal's ErrorInfo; empty when it has none."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            return _reason_in(status_pb2.Status.FromString(value))
    return ""


def named(error: grpc.aio.AioRpcError) -> str:
    """Code and reason, for a log: without the text, which may quote an address or a row."""
    return f"{error.code().name} {reason_of(error)}".strip()


class _Responses:
    """The responses of a call, and at their end the status that its server sent.

    No asynchronous generator: one that is left before its end, as a stream that is cancelled leaves
    it, is closed by the loop at some later moment, which fails and fills the log.
    """

    def __init__(self, call: Any, sent: "asyncio.Future[grpc.aio.AioRpcError]") -> None:
        self._call = call
        self._sent = sent

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            await self._raise_true(error)
            raise StopAsyncIteration from None
        if response is grpc.aio.EOF:
            raise StopAsyncIteration
        return response

    async def asend(self, _: None) -> Any:
        """The next response: grpc.aio reads what an interceptor returns as it reads a generator."""
        return await self.__anext__()

    async def _raise_true(self, told: grpc.aio.AioRpcError) -> None:
        """Raise what the server sent in the place of what was told, unless it sent OK."""
        if not _is_made_up(told):
            raise told
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                true = await asyncio.shield(self._sent)
        except TimeoutError:
            raise told from None
        if true.code() is not grpc.StatusCode.OK:
            raise true from None


def _is_made_up(status: grpc.aio.AioRpcError) -> bool:
    """Whether grpc.aio has made a status up: an INTERNAL of a server of ours has details."""
    return status.code() is grpc.StatusCode.INTERNAL and not status.trailing_metadata()


def _at_once(told: Any) -> Any:
    """What a coroutine returns that has nothing to wait for."""
    try:
        told.send(None)
    except StopIteration as returned:
        return returned.value
    told.close()
    raise RuntimeError("the call has not ended")


def _reason_in(status: status_pb2.Status) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return str(info.reason)
    return ""

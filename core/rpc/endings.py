"""How a call ended, as its server said it.

When the server refuses a stream while its client is writing, the write fails, and grpc.aio puts
an INTERNAL of its own in the place of the status that the server sent: before that one has come,
or over it. Each status is told to whoever listens to the end of the call, so the true one is not
lost to a listener that looks at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

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
        return _responses(call, sent)


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


async def _responses(call: Any, sent: "asyncio.Future[grpc.aio.AioRpcError]") -> AsyncIterator[Any]:
    try:
        async for response in call:
            yield response
    except grpc.aio.AioRpcError as error:
        if not _is_made_up(error):
            raise
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                true = await asyncio.shield(sent)
        except TimeoutError:
            raise error from None
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

"""A channel that outlives its certificate: what is called through it goes over the newest one.

gRPC cannot give a channel another certificate, so there is a new channel: first the new, then the
old is left, and its calls may end.
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import grpc


class Lasting:
    """Stands for the newest of several channels, as far as stubs need one."""

    def __init__(self, newest: Callable[[], grpc.aio.Channel]) -> None:
        """`newest` says which channel a call that begins now goes over."""
        self._newest = newest

    def unary_unary(self, *args: Any, **more: Any) -> Any:
        """A method that takes one message and answers one."""
        return _Method(self._newest, "unary_unary", args, more)

    def unary_stream(self, *args: Any, **more: Any) -> Any:
        """A method that takes one message and answers a stream."""
        return _Method(self._newest, "unary_stream", args, more)

    def stream_unary(self, *args: Any, **more: Any) -> Any:
        """A method that takes a stream and answers one message."""
        return _Method(self._newest, "stream_unary", args, more)

    def stream_stream(self, *args: Any, **more: Any) -> Any:
        """A method that takes a stream and answers one."""
        return _Method(self._newest, "stream_stream", args, more)


class _Method:
    """One method, on whichever channel is the newest when it is called."""

    def __init__(
        self,
        newest: Callable[[], grpc.aio.Channel],
        kind: str,
        args: tuple[Any, ...],
        more: dict[str, Any],
    ) -> None:
        self._newest = newest
        self._kind = kind
        self._args = args
        self._more = more
        self._made: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def __call__(self, *args: Any, **more: Any) -> Any:
        channel = self._newest()
        if channel not in self._made:
            self._made[channel] = getattr(channel, self._kind)(*self._args, **self._more)
        return self._made[channel](*args, **more)

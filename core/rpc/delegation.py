"""The caller passed on: tokens by which this server calls another for whom it serves.

Auth exchanges the token of the call in progress for one that is good at a single server, opens
what both the caller and this server may do, and names both. It is kept for the caller's next
calls, never longer than the caller's own token lives.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import grpc

from core import identity
from core.errors import Unavailable
from core.rpc.endings import reason_of
from core.truth.refusals import Unauthenticated
from medhub.auth.v1 import auth_service_pb2 as wire
from medhub.auth.v1 import auth_service_pb2_grpc

# Callers remembered for each server that is called; a token is about a kilobyte.
MAX_HELD = 5_000
# A token is not used in the last seconds of its life: it could run out on its way.
SPARE_SECONDS = 2.0
# The longest that auth may take for an exchange, whichever of its waiters is in a hurry.
EXCHANGE_SECONDS = 5.0
RETRY_SECONDS = 1.0


class NobodyToActFor(LookupError):
    """Work of the server's own has no caller to pass on: a fault of the code that asks."""


@dataclass(slots=True)
class _Held:
    """A token, or the question for one that others wait for too."""

    answer: asyncio.Task[wire.ExchangeTokenResponse]

    def usable(self) -> bool:
        """Whether it may be waited for, or used."""
        if not self.answer.done():
            return True
        if self.answer.cancelled() or self.answer.exception() is not None:
            return False
        return time.time() < self.answer.result().expire_time.seconds - SPARE_SECONDS


class Delegation:
    """Tokens to call one server with, on behalf of whoever makes the call in progress."""

    def __init__(self, audience: str, auth: grpc.aio.Channel) -> None:
        """`auth` is the channel to auth that carries this server's own token."""
        self._audience = audience
        self._stub: Any = auth_service_pb2_grpc.AuthServiceStub(auth)
        self._held: OrderedDict[bytes, _Held] = OrderedDict()

    async def get(self) -> str:
        """The token for the caller of the call in progress.

        Raises Unauthenticated when that caller's own token is dead by now, Unavailable when auth
        cannot be asked, NobodyToActFor outside of a call and in one of nobody known.
        """
        current = identity._call.get()
        if current is None or not current.credential:
            raise NobodyToActFor(self._audience)
        held = self._asked(current.credential)
        # Whoever gives up leaves the exchange to the others who wait for it.
        answer = await asyncio.shield(held.answer)
        return str(answer.access_token)

    def refused(self, token: str) -> None:
        """Note that the server took the token for dead: it is not used again."""
        for digest, held in self._held.items():
            if held.answer.done() and held.usable() and held.answer.result().access_token == token:
                del self._held[digest]
                return

    def _asked(self, credential: str) -> _Held:
        digest = hashlib.sha256(credential.encode()).digest()
        held = self._held.get(digest)
        if held is None or not held.usable():
            # In a context of its own: not under the deadline of whoever happens to come first.
            exchange = asyncio.get_running_loop().create_task(
                self._exchange(credential), context=Context()
            )
            exchange.add_done_callback(_heed)
            held = self._held[digest] = _Held(exchange)
        self._held.move_to_end(digest)
        if len(self._held) > MAX_HELD:
            self._held.popitem(last=False)
        return held

    async def _exchange(self, credential: str) -> wire.ExchangeTokenResponse:
        request = wire.ExchangeTokenRequest(subject_token=credential, audience=self._audience)
        try:
            answer: wire.ExchangeTokenResponse = await self._stub.ExchangeToken(
                request, timeout=EXCHANGE_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            # UNAUTHENTICATED may also mean this server's own token; the reason tells which.
            if reason_of(error) == "TOKEN_INVALID":
                raise Unauthenticated from None
            raise Unavailable(retry_after=RETRY_SECONDS) from None
        return answer


def _heed(exchange: asyncio.Task[wire.ExchangeTokenResponse]) -> None:
    """An exchange that nobody waits for any more fails without a word."""
    if not exchange.cancelled():
        exchange.exception()

"""Follows the auth service's stream and keeps the state current.

Delay must not look fresh: the receiver measures from the moment it asked, on its own monotonic
clock, and a checkpoint counts only if it echoes a probe. A delta that does not join on to what
was applied, or a checkpoint beyond it, means a lost event; a checkpoint of another history, that
auth's database was restored. Then the stream is dropped and the whole state asked for anew.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import grpc

from core import tasks
from core.errors import Unavailable
from core.truth.grants import timed_from_proto
from core.truth.hops import Resolved
from core.truth.periods import RolePeriod
from core.truth.proof import NotProven
from core.truth.state import State, periods_from_proto
from medhub.auth.v1 import auth_state_service_pb2 as wire
from medhub.auth.v1 import auth_state_service_pb2_grpc

# A probe each second keeps the lag well below the bound of writes (2 s).
PROBE_SECONDS = 1.0
# Nothing heard for this long: the stream is dead, whatever TCP thinks.
SILENCE_SECONDS = 5.0
# Probes that may be unanswered at once; older ones would prove nothing that is still of use.
MAX_PROBES = 64
# While something was told that is not understood, the whole state is asked for this often: it is
# understood once auth tells or holds the thing no more. A snapshot may be large.
UNDERSTAND_SECONDS = 30.0
# Pauses between attempts, in seconds: doubled from the first to the last.
FIRST_PAUSE = 0.1
LAST_PAUSE = 2.0
_log = logging.getLogger("medhub.truth")


class _OutOfStep(Exception):
    """An event is missing, undone, or was not understood a while ago: only the whole helps."""


class Follower:
    """Runs `AuthStateService.Watch` for the life of the process."""

    def __init__(self, state: State, channel: grpc.aio.Channel) -> None:
        self._state = state
        self._stub: Any = auth_state_service_pb2_grpc.AuthStateServiceStub(channel)
        self._asked: dict[int, float] = {}
        self._whole = True
        self._history = ""
        self._again_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop following."""
        await tasks.end(self._task)

    async def _follow(self) -> None:
        pause = FIRST_PAUSE
        while True:
            before = self._state.proven_at
            try:
                await self._watch()
            except _OutOfStep:
                _log.warning("the auth stream is out of step; taking a snapshot")
                self._whole = True
            except TimeoutError:
                _log.info("the auth stream fell silent")
            except (grpc.aio.AioRpcError, Unavailable) as lost:
                code = lost.code().name if isinstance(lost, grpc.aio.AioRpcError) else "NO_TOKEN"
                self._whole = self._whole or code == "OUT_OF_RANGE"
                _log.info("the auth stream ended: %s", code)
            except asyncio.CancelledError:
                if tasks.told_to_end():
                    raise
                _log.info("the auth stream ended: its channel was closed")
            except Exception:  # noqa: BLE001 - to stop following would be an outage until restart
                _log.exception("the auth stream told what cannot be applied; taking a snapshot")
                self._whole = True
            pause = FIRST_PAUSE if self._state.proven_at > before else min(pause * 2, LAST_PAUSE)
            await asyncio.sleep(pause)

    async def _watch(self) -> None:
        self._asked.clear()
        self._state.begin_snapshot()
        # grpcio leaves behind the task that reads an endless iterator, so it is told to end.
        ended = asyncio.Event()
        stands = wire.WatchRequest()
        if not self._whole:
            stands.from_revision, stands.history = self._state.revision, self._history
        stream = self._stub.Watch(self._probes(stands, ended))
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    answer = await stream.read()
                if answer is grpc.aio.EOF:
                    return
                self._apply(answer)
                if self._puzzled():
                    raise _OutOfStep
        finally:
            ended.set()
            stream.cancel()

    async def _probes(
        self, stands: wire.WatchRequest, ended: asyncio.Event
    ) -> AsyncIterator[wire.WatchRequest]:
        loop, number = asyncio.get_running_loop(), 0
        while not ended.is_set():
            number += 1
            self._asked[number] = loop.time()
            self._asked.pop(number - MAX_PROBES, None)
            yield wire.WatchRequest(
                from_revision=stands.from_revision, history=stands.history, probe=number
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(PROBE_SECONDS):
                    await ended.wait()

    def _apply(self, answer: wire.WatchResponse) -> None:
        match answer.WhichOneof("message"):
            case "snapshot":
                self._state.apply_snapshot(answer.snapshot)
                if answer.snapshot.last:
                    self._whole, self._again_at = False, self._later()
                    self._history = answer.snapshot.history
            case "delta":
                if self._whole or not self._state.apply_delta(answer.delta):
                    raise _OutOfStep
            case "checkpoint":
                asked = self._asked.pop(answer.checkpoint.probe, None)
                if answer.checkpoint.history != self._history:
                    raise _OutOfStep
                if answer.checkpoint.revision > self._state.revision:
                    # Its commits came before it in the stream, or they were lost. Without this
                    # the loss of the newest one would last until the next.
                    raise _OutOfStep
                if asked is not None:
                    self._state.prove(answer.checkpoint.revision, asked)
            case _:
                self._state.misunderstood()

    def _puzzled(self) -> bool:
        """Whether it is time to see if the whole state is understood."""
        if self._state.understood or self._whole:
            return False
        return asyncio.get_running_loop().time() >= self._again_at

    def _later(self) -> float:
        """When to ask for the whole state again, should something not be understood then."""
        if self._state.understood:
            return float("-inf")
        return asyncio.get_running_loop().time() + UNDERSTAND_SECONDS


def resolving(channel: grpc.aio.Channel) -> Any:
    """The hop to auth about one token, for a Truth."""
    stub: Any = auth_state_service_pb2_grpc.AuthStateServiceStub(channel)

    async def resolve(token: str) -> Resolved:
        try:
            found = await stub.ResolvePrincipal(wire.ResolvePrincipalRequest(access_token=token))
        except grpc.aio.AioRpcError as error:
            # UNAUTHENTICATED may also mean our own token; the reason tells which.
            if b"TOKEN_INVALID" in _details_of(error):
                raise NotProven("auth says so") from None
            raise Unavailable(retry_after=1.0) from None
        organization = UUID(found.organization_id) if found.organization_id else None
        return Resolved(
            subject=UUID(found.subject_id),
            organization=organization,
            roles=tuple(found.roles),
            revision=found.auth_revision,
            permissions=frozenset(found.permissions),
            actor_roles=tuple(found.actor_roles),
            grants=tuple(timed_from_proto(each) for each in found.grants if not each.revoked),
            periods=_periods(found),
        )

    return resolve


def _periods(found: wire.ResolvePrincipalResponse) -> tuple[RolePeriod, ...]:
    try:
        return periods_from_proto(found.bindings)
    except (ValueError, OverflowError):
        raise Unavailable(retry_after=1.0) from None


def _details_of(error: grpc.aio.AioRpcError) -> bytes:
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            return value
    return b""

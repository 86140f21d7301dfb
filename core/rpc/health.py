"""Health by service name (grpc.health.v1): SERVING when everything that a call needs is there.

`""` speaks for the server; each service has its own name besides. Health does not pass the
steps of other calls: a busy server must not be taken for a dead one.

`OPEN` tells whoever spreads calls over several servers which of them to use: SERVING from the first
moment at which the server serves until it is about to stop. What is missing meanwhile, the server
says itself; a client that left all servers for it would not be told.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health_aio

OPEN = "medhub.open"
# How often the conditions are looked at again, in seconds.
CHECK_EVERY = 0.25
# A condition that has not answered by then, in seconds, does not hold: a database that is frozen
# says nothing at all.
CONDITION_SECONDS = 1.0
_log = logging.getLogger("medhub.health")

Condition = Callable[[], Awaitable[bool]]
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """Watches named conditions and tells their sum."""

    def __init__(self, services: Iterable[str], conditions: dict[str, Condition]) -> None:
        self.servicer = health_aio.HealthServicer()
        self._names = ("", *services)
        self._conditions = conditions
        self._serving = False
        self._draining = False
        self._opened = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    @property
    def serving(self) -> bool:
        """Whether the server tells that it serves."""
        return self._serving

    async def start(self) -> None:
        """Say NOT_SERVING, then watch."""
        await self._tell(_NOT_SERVING)
        await self.servicer.set(OPEN, _NOT_SERVING)
        self._watch = asyncio.create_task(self._look())

    async def opened(self) -> None:
        """Return once the server has served."""
        await self._opened.wait()

    async def drain(self) -> None:
        """Say NOT_SERVING for good."""
        self._draining = True
        if self._watch is not None:
            self._watch.cancel()
        self._serving = False
        await self._tell(_NOT_SERVING)

    async def close(self) -> None:
        """Say to those who spread calls that no more should come here."""
        await self.servicer.set(OPEN, _NOT_SERVING)

    async def _look(self) -> None:
        while not self._draining:
            missing = [name for name, holds in self._conditions.items() if not await _told(holds)]
            if bool(missing) == self._serving:
                self._serving = not missing
                _log.info("serving" if not missing else f"not serving: {', '.join(missing)}")
                await self._tell(_NOT_SERVING if missing else _SERVING)
                await self._open()
            await asyncio.sleep(CHECK_EVERY)

    async def _open(self) -> None:
        if self._serving and not self._opened.is_set():
            self._opened.set()
            await self.servicer.set(OPEN, _SERVING)

    async def _tell(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in self._names:
            await self.servicer.set(name, status)


async def _told(holds: Condition) -> bool:
    """What a condition says. One that fails, or does not say, does not hold."""
    try:
        async with asyncio.timeout(CONDITION_SECONDS):
            return await holds()
    except TimeoutError:
        return False
    except Exception:  # noqa: BLE001 - any fault means the same: not ready
        _log.exception("a condition of health could not be looked at")
        return False

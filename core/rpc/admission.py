"""How much a server takes on at once, by class of load; and how often a stranger may try.

gRPC's own limit counts health checks too, so a busy server would be taken for a dead one.
Health and reflection do not pass here; long streams have a limit of their own.

What is counted here is load, and each process counts its own: several workers that share a port
have a part each of what an address or a caller may do. What must not be guessed is counted in
auth's database, for all workers at once (auth/password_proof.py).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable

from core.errors import Refusal
from core.identity import Caller
from medhub.options.v1 import policy_pb2 as options

# Calls in progress in one process, by class. One process answers some thousand reads a second
# at a few milliseconds each, so these bound a queue of about a tenth of a second.
LIMITS: dict[int, int] = {
    options.LOAD_CLASS_READ: 512,
    options.LOAD_CLASS_SEARCH: 128,
    options.LOAD_CLASS_WRITE: 256,
    options.LOAD_CLASS_CREDENTIAL: 128,
    options.LOAD_CLASS_STREAM: 512,
}
# A read takes milliseconds. One that took longer than this, in seconds, has waited for others, and
# those behind it would wait until the database gives them up: fewer are let in at once, on a slow
# machine as on a fast one.
QUEUE_SECONDS = 0.2
# How much fewer, and how few at the least: as many as are needed to keep a server busy.
FEWER = 0.8
FEWEST = 32
# While reads are fast and places are short, there is a sixteenth more after so many seconds.
MORE_EVERY = 0.1
# When to come back, in seconds: about the time that a full queue takes to drain.
RETRY_SECONDS = 0.2
# Proofs of a secret from one address to one method: bursts of this many, refilled at this rate a
# second. A backend that validates a token at each of its requests stays below it.
CREDENTIAL_BURST = 600.0
CREDENTIAL_RATE = 200.0
# A proof that fails counts as this many: guessing is slowed long before honest use is.
FAILURE_COST = 20.0
# Calls of one known caller: bursts of this many, refilled at this rate a second. All workers of a
# service together answer some thousand a second, so whoever makes more takes it from all others;
# nobody who works with records comes near. Servers of the platform call for everybody and are not
# counted.
CALLER_BURST = 8_000.0
CALLER_RATE = 4_000.0
# Callers remembered; the one unseen for longest makes room.
MAX_CALLERS = 50_000
# Addresses remembered, once for each method they tried; the one unseen for longest makes room.
MAX_ADDRESSES = 10_000


class Overloaded(Refusal):
    """Too many calls are in progress, or one address makes too many."""

    reason = "OVERLOADED"

    def __init__(self, retry_after: float = RETRY_SECONDS) -> None:
        super().__init__(retry_after=retry_after)


class Admission:
    """Counts calls in progress. One for each server."""

    def __init__(self, limits: dict[int, int] | None = None, workers: int = 1) -> None:
        """`workers` is how many processes share the port: each has its part of what is counted."""
        self._most = limits if limits is not None else LIMITS
        self._limits = dict(self._most)
        self._judge_at = 0.0
        self._running = dict.fromkeys(self._limits, 0)
        self._left: asyncio.Event | None = None
        self._addresses = _Buckets(CREDENTIAL_BURST, CREDENTIAL_RATE, workers, MAX_ADDRESSES)
        self._callers = _Buckets(CALLER_BURST, CALLER_RATE, workers, MAX_CALLERS)

    def enter(self, load: int, peer: str, method: str = "") -> None:
        """Take a place, to be given back by `leave`. Raises Overloaded when there is none."""
        if load == options.LOAD_CLASS_CREDENTIAL:
            self._addresses.spend((peer, method))
        if self._running[load] >= self._limits[load]:
            raise Overloaded
        self._running[load] += 1

    def charge(self, peer: str, method: str) -> None:
        """An address has failed to prove a secret to a method."""
        self._addresses.charge((peer, method), FAILURE_COST)

    def count(self, caller: Caller) -> None:
        """A known caller makes a call. Raises Overloaded when they make too many."""
        if caller.subject is not None and not caller.service:
            self._callers.spend(caller.subject)

    def leave(self, load: int, seconds: float) -> None:
        """Give the place back, after so many seconds."""
        if load == options.LOAD_CLASS_READ:
            self._judge(seconds)
        self._running[load] -= 1
        if self._left is not None:
            self._left.set()

    async def emptied(self) -> None:
        """Return when no call is in progress, as a server that stops waits for it."""
        self._left = asyncio.Event()
        while any(self._running.values()):
            self._left.clear()
            await self._left.wait()

    def _judge(self, seconds: float) -> None:
        """Learn from a read that took so long how many may be in progress."""
        load, now = options.LOAD_CLASS_READ, asyncio.get_running_loop().time()
        if now < self._judge_at:
            return
        limit, running, most = self._limits[load], self._running[load], self._most[load]
        if seconds > QUEUE_SECONDS:
            self._limits[load] = min(max(int(min(limit, running) * FEWER), FEWEST), most)
            # What is in the queue by now says nothing of the new limit.
            self._judge_at = now + seconds
        elif 2 * running > limit:
            self._limits[load] = min(limit + max(limit // 16, 1), most)
            self._judge_at = now + MORE_EVERY

    def running(self, load: int) -> int:
        """Calls of the class in progress."""
        return self._running[load]

    def in_progress(self) -> int:
        """Unary calls in progress, of all classes; streams may be at rest."""
        running = self._running
        return sum(running.values()) - running.get(options.LOAD_CLASS_STREAM, 0)


class _Buckets:
    """Buckets that fill again with time, one for each of whoever is counted."""

    def __init__(self, burst: float, rate: float, workers: int, most: int) -> None:
        # One call at a time can always be made, by however many workers.
        self._burst = max(burst / workers, 1.0)
        self._rate = rate / workers
        self._most = most
        self._held: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def spend(self, who: Hashable) -> None:
        """Take one. Raises Overloaded when there is none."""
        now = asyncio.get_running_loop().time()
        left, at = self._held.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        self._held[who] = (max(left - 1.0, 0.0), now)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        if left < 1.0:
            raise Overloaded(retry_after=1.0)

    def charge(self, who: Hashable, cost: float) -> None:
        """Take more of whoever has spent one."""
        left, at = self._held.get(who, (self._burst, 0.0))
        self._held[who] = (max(left - cost, 0.0), at)

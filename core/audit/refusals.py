"""Refusals of callers whom nobody knows: counted, so that they cannot fill the trail.

Whoever can reach the port can be refused as often as they like. One record a minute for each
address, method and reason says as much as a million, and the table of counts is bounded.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from core import clock, identity, tasks
from core.database.access import AccessRecord
from core.errors import Unavailable

MOST_ROWS = 1_000
"""Rows of counts; what comes from further addresses is counted in rows without an address."""

FLUSH_EVERY = 60.0
"""Seconds."""

_log = logging.getLogger("medhub.refusals")


class Recorder(Protocol):
    """Keeps access records; returns when they are durable."""

    async def record(self, records: Sequence[AccessRecord]) -> None:
        """Raises Unavailable when they could not be kept."""


class _Row(NamedTuple):
    peer: str
    method: str
    reason: str
    minute: str


class Refusals:
    """Counts refusals of unknown callers by minute, and writes the counts to the trail."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._counts: Counter[_Row] = Counter()
        self._task: asyncio.Task[None] | None = None

    def note(self, peer: str, method: str, reason: str) -> None:
        """Count one refusal of a caller at this address (no port). The method is one of ours."""
        minute = clock.now().isoformat(timespec="minutes")
        row = _Row(peer, method, reason, minute)
        if row not in self._counts and len(self._counts) >= MOST_ROWS:
            # Methods and reasons are ours, so these rows are few.
            row = row._replace(peer="")
        self._counts[row] += 1

    def start(self) -> None:
        """Begin to flush, each minute."""
        self._task = asyncio.create_task(self._run(), name="refusals")

    async def stop(self) -> None:
        """Flush what is counted, and end."""
        task, self._task = self._task, None
        await tasks.end(task)
        await self.flush()

    async def flush(self) -> None:
        """Write the counts. When they cannot be kept, they wait for the next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            await self._recorder.record([_record(row, count) for row, count in counts.items()])
        except BaseException as trouble:
            self._counts.update(counts)
            if not isinstance(trouble, Unavailable):
                raise
            _log.warning("counts of refusals wait: the outbox is away")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            await self.flush()


def _record(row: _Row, count: int) -> AccessRecord:
    """An event of the platform: no organization is known where no caller is."""
    call = identity.Call(method=row.method, action=row.method, purpose="operation", peer=row.peer)
    detail = {"count": count, "reason": row.reason, "minute": row.minute}
    return AccessRecord(call, "refusal", operation="refuse", detail=detail)

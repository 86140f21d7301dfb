"""One line a call: what was called, by whom, how it ended. Never what was in it.

Lines are gathered and written a few times a second, since a write for each would cost as much
as the call. The log helps people; what must not be lost is in the audit trail.
"""

import asyncio
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

from core.identity import Call

# How long a line may wait to be written, in seconds, and how many may wait.
FLUSH_SECONDS = 0.2
MAX_LINES = 10_000


class AccessLog:
    """Gathers lines and writes them."""

    def __init__(self, service: str, out: TextIO | None = None) -> None:
        self._service = service
        self._out = out or sys.stdout
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def ended(self, call: Call, code: str, reason: str, seconds: float) -> None:
        """Note a call. Every value is of the platform's own making: nothing to escape."""
        caller = call.caller
        if len(self._lines) >= MAX_LINES:
            self.flush()
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(
            f'{{"time":"{at}","level":"info","service":"{self._service}","logger":"access",'
            f'"method":"{call.method}","code":"{code}","reason":"{reason}",'
            f'"ms":{seconds * 1000:.2f},"caller":"{caller.subject_text}",'
            f'"kind":"{caller.kind.value}","organization":"{caller.organization_text}",'
            f'"on_behalf":"{caller.actor_text}","peer":"{call.peer}","trace":"{call.trace_id}"}}\n'
        )
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        # A log that nobody reads any more (a closed pipe, a full disk) must not fail calls.
        with suppress(OSError, ValueError):
            self._out.write("".join(lines))
            self._out.flush()

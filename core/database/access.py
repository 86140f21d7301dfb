"""Records of access, durable before the answer leaves.

Many calls share one flush: while one is on its way, the records of the calls that end
meanwhile gather, and the next flush takes them all. So a lone call waits for its own commit
only, and a busy service pays one commit for many calls. If a flush fails, so do its calls.
"""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import psycopg

from core import clock
from core.database.connections import connection_options
from core.database.context import PLATFORM, audit_context
from core.database.failures import RETRY_LATER
from core.database.pool import Database
from core.errors import Unavailable
from core.identity import Call

MOST_WAITING = 10_000  # records not yet durable; past it a call fails rather than waits
MOST_PER_FLUSH = 1_000  # records; larger batches were not faster when measured
FLUSH_TIMEOUT = 2.0  # seconds for one flush, connecting included

_log = logging.getLogger("medhub.access")
_APPEND = b"SELECT medhub.append_access($1::jsonb)"
_SESSION = f"-c statement_timeout={int(FLUSH_TIMEOUT * 1000)}"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """Who saw what of whom, in which call. One event for each subject, or one without any.

    `detail` says what the law asks for besides: categories, legal basis, outcome, break-glass.
    """

    call: Call
    kind: Literal["access", "refusal", "act"] = "access"
    subjects: tuple[UUID, ...] = ()
    subject_kind: str = ""
    resource: str = ""
    entity: str = ""
    operation: str = "read"
    detail: Mapping[str, object] = field(default_factory=dict)


def _rows(record: AccessRecord) -> list[str]:
    """The record's events as JSON texts."""
    row: dict[str, object] = {
        "organization_id": record.call.caller.organization or PLATFORM,
        "occurred_at": clock.now().isoformat(),
        "kind": record.kind,
        "context": audit_context(record.call),
        "entity": record.entity,
        "operation": record.operation,
        "subject_kind": record.subject_kind,
        "resource": record.resource,
        "detail": dict(record.detail),
    }
    return [_encode({**row, "subject": subject}) for subject in record.subjects or (None,)]


@dataclass(slots=True)
class _Batch:
    rows: list[str]
    durable: asyncio.Future[None]


class AccessRecorder:
    """Makes access records durable, in groups. One per process and service."""

    def __init__(self, database: Database) -> None:
        self._url = database.url
        self._waiting: deque[_Batch] = deque()
        self._count = 0
        self._more = asyncio.Event()
        self._open = False
        self._flusher: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def open(self) -> None:
        """Start to accept records."""
        self._open = True
        self._flusher = asyncio.create_task(self._flush_all())

    async def close(self) -> None:
        """Accept no more, flush what waits, disconnect."""
        self._open = False
        self._more.set()
        if self._flusher is not None:
            await self._flusher
        await self._disconnect()

    async def record(self, records: Sequence[AccessRecord]) -> None:
        """Return when the records are durable.

        Raises Unavailable when they are not: the answer they speak of must not leave then.
        """
        rows = [row for record in records for row in _rows(record)]
        if not rows:
            return
        if not self._open or self._count + len(rows) > MOST_WAITING:
            raise Unavailable(retry_after=RETRY_LATER)
        batch = _Batch(rows, asyncio.get_running_loop().create_future())
        self._waiting.append(batch)
        self._count += len(rows)
        self._more.set()
        await batch.durable

    async def _flush_all(self) -> None:
        while self._open or self._waiting:
            self._more.clear()
            if self._waiting:
                await self._flush(self._take())
            elif self._open:
                await self._more.wait()

    def _take(self) -> list[_Batch]:
        """The oldest batches, at least one, whole calls only."""
        taken: list[_Batch] = []
        size = 0
        while self._waiting and (not taken or size + len(self._waiting[0].rows) <= MOST_PER_FLUSH):
            taken.append(self._waiting.popleft())
            size += len(taken[-1].rows)
        self._count -= size
        return taken

    async def _flush(self, batches: list[_Batch]) -> None:
        text = "[" + ",".join([row for batch in batches for row in batch.rows]) + "]"
        failed = False
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT):
                await self._send(text)
        except (psycopg.Error, TimeoutError) as error:
            _log.warning("access records were not written: %s", type(error).__name__)
            failed = True
        except Exception:  # noqa: BLE001 - its calls must fail, and the next flush be tried
            _log.exception("a fault in the access recorder")
            failed = True
        if failed:
            await self._disconnect()
        for batch in batches:
            if batch.durable.done():
                continue  # Its caller has gone; the record stays, for the row was read.
            if failed:
                batch.durable.set_exception(Unavailable(retry_after=RETRY_LATER))
            else:
                batch.durable.set_result(None)

    async def _send(self, text: str) -> None:
        """One statement in autocommit: it is durable when it has been answered."""
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                cursor_factory=psycopg.AsyncRawCursor,
                **connection_options(_SESSION),
            )
        await self._connection.execute(_APPEND, (text,), prepare=True)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()

"""Records of access, durable before the answer leaves.

Many calls share one flush: while one is on its way, the records of the calls that end
meanwhile gather, and the next flush takes them all. With many calls in progress a flush also
waits until half of them wait for it, GATHER seconds at most: each flush costs the server and
PostgreSQL as much as a read. So a lone call waits for its own commit only, and a busy service
pays one commit for many calls. If a flush fails, so do its calls.
"""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import Text

from core import clock
from core.database.connections import connect
from core.database.context import PLATFORM, encode_context
from core.database.dialogue import Asked, Dialogue, encoded
from core.database.failures import RETRY_LATER
from core.database.pool import Database
from core.database.statements import sql
from core.errors import Unavailable
from core.identity import Call

MOST_WAITING = 10_000  # records not yet durable; past it a call fails rather than waits
MOST_PER_FLUSH = 1_000  # records; larger batches were not faster when measured
FLUSH_TIMEOUT = 2.0  # seconds for one flush, connecting included
GATHER = 0.008  # seconds a flush waits at most for more records: about what a commit may take
MANY = 8  # calls in progress without a record; with fewer a flush waits for nobody

_log = logging.getLogger("medhub.access")
_APPEND = sql("SELECT medhub.append_access(CAST(:records AS jsonb))", records=Text)
_SESSION = f"-c statement_timeout={int(FLUSH_TIMEOUT * 1000)}"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_quote = json.encoder.encode_basestring


class AccessRecord(NamedTuple):
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
    detail: Mapping[str, object] = MappingProxyType({})


def _rows(record: AccessRecord) -> list[str]:
    """The record's events as JSON texts, written by hand: every read has one."""
    call = record.call
    detail = _encode(dict(record.detail)) if record.detail else "{}"
    row = (
        f'{{"organization_id":"{call.caller.organization_text or PLATFORM}",'
        f'"occurred_at":"{clock.now().isoformat()}","kind":{_quote(record.kind)},'
        f'"context":{encode_context(call)},"entity":{_quote(record.entity)},'
        f'"operation":{_quote(record.operation)},"subject_kind":{_quote(record.subject_kind)},'
        f'"resource":{_quote(record.resource)},"detail":{detail},"subject":'
    )
    return [f'{row}"{subject}"}}' for subject in record.subjects] or [f"{row}null}}"]


@dataclass(slots=True)
class _Batch:
    rows: list[str]
    durable: asyncio.Future[None]


class AccessRecorder:
    """Makes access records durable, in groups. One per process and service.

    `in_progress` counts the calls that are under way and may still have records.
    """

    def __init__(self, database: Database, in_progress: Callable[[], int] = lambda: 0) -> None:
        self._url = database.url
        self._in_progress = in_progress
        self._waiting: deque[_Batch] = deque()
        self._count = 0
        self._more = asyncio.Event()
        self._enough: asyncio.Future[None] | None = None
        self._open = False
        self._flusher: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._dialogue: Dialogue | None = None

    async def open(self) -> None:
        """Start to accept records."""
        self._open = True
        self._flusher = asyncio.create_task(self._flush_all())

    async def close(self) -> None:
        """Accept no more, flush what waits, disconnect."""
        self._open = False
        self._more.set()
        self._end_gathering()
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
        if self._enough is None:
            self._more.set()
        elif not self._lacks_many():
            self._end_gathering()
        await batch.durable

    async def _flush_all(self) -> None:
        while self._open or self._waiting:
            self._more.clear()
            if self._waiting:
                if self._open and self._lacks_many():
                    await self._gather()
                await self._flush(self._take())
            elif self._open:
                await self._more.wait()

    def _lacks_many(self) -> bool:
        """Whether more than half of the calls in progress, and MANY, have no record here yet."""
        waiting, calls = len(self._waiting), self._in_progress()
        return calls - waiting >= MANY and 2 * waiting < calls

    async def _gather(self) -> None:
        """Wait for the records that are lacking, GATHER seconds at most."""
        loop = asyncio.get_running_loop()
        self._enough = loop.create_future()
        timer = loop.call_later(GATHER, self._end_gathering)
        await self._enough
        self._enough = None
        timer.cancel()

    def _end_gathering(self) -> None:
        if self._enough is not None and not self._enough.done():
            self._enough.set_result(None)

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
        """One statement, durable when it is answered, over a connection that is kept."""
        if self._dialogue is None:
            self._connection = await connect(self._url, _SESSION)
            self._dialogue = Dialogue(self._connection)
        await self._dialogue.ask(encoded([Asked(_APPEND, (text,))]), FLUSH_TIMEOUT)

    async def _disconnect(self) -> None:
        connection, self._connection, self._dialogue = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()

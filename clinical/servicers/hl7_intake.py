"""Messages come in: stored in groups, acknowledged when the database has said so."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from clinical.domain.endpoints import EndpointNotYours
from clinical.domain.hl7_messages import MessageState, NewMessage, Stored
from clinical.servicers.hl7_attribution import patient_of
from clinical.servicers.hl7_desk import Desk, Desks
from clinical.servicers.hl7_processing import Processing
from clinical.storage.store import Store, Work
from core import clock, identity
from core.errors import DeadlineExceeded, InvalidField, Unavailable
from core.ids import id_from
from medhub.clinical.v1 import hl7_v2_service_pb2 as messages

MOST_TOGETHER: Final = 128
"""Messages stored by one statement. Beyond a hundred nothing is gained, and each one waits for
all of its group."""

MOST_BYTES_TOGETHER: Final = 8 * 1024 * 1024
"""Bytes stored by one statement, unless one message alone is larger."""

LINGER_SECONDS: Final = 0.004
"""How long the next group of a busy stream is gathered: a commit costs as much for one message
as for fifty. A sender that waits for each answer is never kept waiting by it."""

WINDOW: Final = 1024
"""Messages of one stream that are taken and not yet answered; then reading pauses."""


class Intake:
    """Stores messages of any endpoint."""

    def __init__(self, store: Store, desks: Desks, processing: Processing) -> None:
        self._store = store
        self._desks = desks
        self.processing = processing

    async def desk(self, endpoint: UUID) -> Desk:
        """The endpoint, for this caller. Raises NotFound and EndpointNotYours."""
        desk, caller = await self._desks.of(endpoint), identity.caller()
        named = desk.endpoint.service_account_id
        if named is not None and named != caller.subject:
            raise EndpointNotYours
        return desk

    async def store(self, endpoint: UUID, raws: Sequence[bytes]) -> list[Stored]:
        """Keep messages in one transaction; what comes back is durable."""
        self.processing.expect()
        desk, key = await self.desk(endpoint), await self._store.key()
        received = [(raw, desk.receive(raw, key)) for raw in raws]
        async with self._store.begin() as work:
            batch = [await _attributed(work, desk, raw, message) for raw, message in received]
            stored = await work.hl7_messages.store(endpoint, batch, clock.now())
        self.processing.wake()
        return stored

    async def settle(self, stored: Stored) -> Stored:
        """The message with its acknowledgement, once there is one. Raises Unavailable."""
        if stored.acknowledgement is not None:
            return stored
        return await self.processing.settle(stored.id)


async def _attributed(work: Work, desk: Desk, raw: bytes, message: NewMessage) -> NewMessage:
    """The message, about whom it names; processing says so of one that waits for it."""
    if message.state is MessageState.RECEIVED:
        return message
    return replace(message, patient_id=await patient_of(work, desk, raw))


@dataclass(slots=True)
class Conversation:
    """One stream of messages: whatever arrives while a group is stored makes the next group."""

    intake: Intake
    answers: asyncio.Queue[messages.IngestMessagesResponse | None] = field(
        default_factory=asyncio.Queue
    )
    _waiting: deque[messages.IngestMessagesRequest] = field(default_factory=deque)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _window: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WINDOW))
    _endpoint: str = ""
    _ended: bool = False

    async def hold(self, requests: AsyncIterator[messages.IngestMessagesRequest]) -> None:
        """Take messages until the sender ends; None after the last answer."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(requests))
                tasks.create_task(self._store_groups(tasks))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        finally:
            self.answers.put_nowait(None)

    async def _read(self, requests: AsyncIterator[messages.IngestMessagesRequest]) -> None:
        try:
            async for request in requests:
                self._endpoint = self._endpoint or request.endpoint
                if request.endpoint != self._endpoint:
                    raise InvalidField(field="endpoint", rule="stream.one_endpoint")
                await self._window.acquire()
                self._waiting.append(request)
                self._arrived.set()
        finally:
            self._ended = True
            self._arrived.set()

    async def _store_groups(self, tasks: asyncio.TaskGroup) -> None:
        while not (self._ended and not self._waiting):
            await self._arrived.wait()
            self._arrived.clear()
            gathered = 0
            while self._waiting:
                if gathered > 1 and len(self._waiting) < MOST_TOGETHER:
                    await asyncio.sleep(LINGER_SECONDS)
                group = self._group()
                gathered = len(group)
                await self._store(group, tasks)

    def _group(self) -> list[messages.IngestMessagesRequest]:
        group, size = [self._waiting.popleft()], 0
        size = len(group[0].message)
        while self._waiting and len(group) < MOST_TOGETHER:
            size += len(self._waiting[0].message)
            if size > MOST_BYTES_TOGETHER:
                break
            group.append(self._waiting.popleft())
        return group

    async def _store(
        self, group: list[messages.IngestMessagesRequest], tasks: asyncio.TaskGroup
    ) -> None:
        """Store a group. Trouble with the database ends the stream: were the messages behind it
        stored all the same, those of one patient could change places when they are sent again.
        """
        endpoint = id_from(self._endpoint, "hl7Endpoints", field="endpoint")
        stored = await self.intake.store(endpoint, [one.message for one in group])
        for request, one in zip(group, stored, strict=True):
            if one.acknowledgement is not None:
                self._answer(request.sequence, one)
            else:
                tasks.create_task(self._settle(request.sequence, one))

    async def _settle(self, sequence: int, stored: Stored) -> None:
        try:
            self._answer(sequence, await self.intake.settle(stored))
        except (Unavailable, DeadlineExceeded):
            self._answer(sequence, None)

    def _answer(self, sequence: int, stored: Stored | None) -> None:
        self._window.release()
        if stored is None or stored.acknowledgement is None:
            self.answers.put_nowait(messages.IngestMessagesResponse(sequence=sequence))
            return
        ack = stored.acknowledgement
        self.answers.put_nowait(
            messages.IngestMessagesResponse(
                sequence=sequence,
                ack=ack.first,
                application_ack=ack.application,
                message=f"hl7Messages/{stored.id}",
                ack_code=ack.code,
                state=f"HL7_MESSAGE_STATE_{stored.state.value}",
            )
        )

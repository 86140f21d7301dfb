"""The HL7 servicer with its queue, on a real database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from clinical.servicers.hl7_desk import Desks
from clinical.servicers.hl7_intake import Intake
from clinical.servicers.hl7_processing import Processing
from clinical.servicers.hl7_v2 import Hl7V2
from core import identity
from core.database.pages import PageTokens
from core.ids import id_from, new_id
from medhub.clinical.v1.hl7_pb2 import Hl7Endpoint, Hl7Message
from medhub.clinical.v1.hl7_v2_service_pb2 import (
    CreateEndpointRequest,
    GetMessageRequest,
    IngestMessageRequest,
    IngestMessageResponse,
    ReadUnattributedMessageRequest,
)
from tests.support.clinics import Clinic, enter
from tests.support.postgres import PAGE_KEY


@dataclass(slots=True)
class HL7:
    """An endpoint, and what is needed to send to it."""

    clinic: Clinic
    servicer: Hl7V2
    processing: Processing
    endpoint: str = ""

    async def open(self, ack_point: str = "ACK_POINT_PROCESSED", label: str = "GAM") -> str:
        """Open an endpoint and send to it from now on."""
        made = await self.servicer.CreateEndpoint(
            CreateEndpointRequest(hl7_endpoint=Hl7Endpoint(label=label, ack_point=ack_point))
        )
        self.endpoint = made.name
        return made.name

    async def send(self, message: str | bytes) -> IngestMessageResponse:
        """Send one message."""
        raw = message if isinstance(message, bytes) else message.encode()
        request = IngestMessageRequest(endpoint=self.endpoint, message=raw)
        return await self.servicer.IngestMessage(request)

    async def kept(self, name: str) -> Hl7Message:
        """A message as it is kept, read by somebody who is linked to its patient if it has one."""
        call = identity.call()
        sender = call.caller
        row = id_from(name, "hl7Messages")
        [found] = self.clinic.database.rows("SELECT patient_id FROM hl7_message WHERE id = %s", row)
        reader = new_id()
        if found["patient_id"] is not None:
            practitioner = await self.clinic.practitioner(reader)
            await self.clinic.link(found["patient_id"], practitioner=practitioner)
        call.caller = replace(sender, subject=reader)
        try:
            if found["patient_id"] is None:
                unattributed = ReadUnattributedMessageRequest(name=name)
                return await self.servicer.ReadUnattributedMessage(unattributed)
            return await self.servicer.GetMessage(GetMessageRequest(name=name))
        finally:
            call.caller = sender

    @contextmanager
    def working(self) -> Iterator[None]:
        """The queue's worker, for the length of a block."""
        task = asyncio.create_task(self.processing.run())
        try:
            yield
        finally:
            task.cancel()

    async def emptied(self) -> None:
        """Wait until the queue is empty."""
        with self.working():
            async with asyncio.timeout(60):
                while self.clinic.database.rows("SELECT 1 FROM hl7_work"):  # noqa: ASYNC110 - a table
                    await asyncio.sleep(0.02)


@pytest.fixture
async def hl7(clinic: Clinic) -> AsyncIterator[HL7]:
    """An organization with an endpoint that answers when a message is processed."""
    enter(new_id())
    desks = Desks(clinic.store)
    processing = Processing(clinic.store, desks)
    intake = Intake(clinic.store, desks, processing)
    made = HL7(clinic, Hl7V2(clinic.store, PageTokens(PAGE_KEY), intake), processing)
    await made.open()
    yield made
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)

"""Hl7V2Service."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from clinical.domain.endpoints import check_endpoint
from clinical.servicers.hl7_intake import Conversation, Intake
from clinical.servicers.hl7_messages import (
    answer_to_proto,
    check_charset,
    check_rules,
    endpoint_changed_by,
    endpoint_from_proto,
    endpoint_to_proto,
    message_to_proto,
    state_from_proto,
)
from clinical.storage.store import Store
from core import identity
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import EtagMismatch
from core.ids import id_from, name_of
from medhub.clinical.v1 import hl7_pb2
from medhub.clinical.v1 import hl7_v2_service_pb2 as messages


class Hl7V2:
    """Messages in, acknowledgements out."""

    def __init__(self, store: Store, pages: PageTokens, intake: Intake) -> None:
        self._store = store
        self._pages = pages
        self._intake = intake

    async def IngestMessage(
        self, request: messages.IngestMessageRequest
    ) -> messages.IngestMessageResponse:
        """Take one message; the answer carries what to send back."""
        endpoint = id_from(request.endpoint, "hl7Endpoints", field="endpoint")
        [stored] = await self._intake.store(endpoint, [request.message])
        return answer_to_proto(await self._intake.settle(stored))

    async def IngestMessages(
        self, requests: AsyncIterator[messages.IngestMessagesRequest]
    ) -> AsyncIterator[messages.IngestMessagesResponse]:
        """Take messages as they come, and answer each when it is durable."""
        conversation = Conversation(self._intake)
        held = asyncio.create_task(conversation.hold(requests))
        try:
            while (answer := await conversation.answers.get()) is not None:
                yield answer
            await held
        finally:
            held.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await held

    async def GetMessage(self, request: messages.GetMessageRequest) -> hl7_pb2.Hl7Message:
        """Show a message; its bytes and its acknowledgement if a link opens them."""
        row = id_from(request.name, "hl7Messages")
        async with self._store.begin() as work:
            return message_to_proto(await work.hl7_messages.get(row))

    async def ReadUnattributedMessage(
        self, request: messages.ReadUnattributedMessageRequest
    ) -> hl7_pb2.Hl7Message:
        """Show a message about nobody known, whole."""
        row = id_from(request.name, "hl7Messages")
        async with self._store.begin() as work:
            return message_to_proto(await work.hl7_messages.get_unattributed(row))

    async def ListMessages(
        self, request: messages.ListMessagesRequest
    ) -> messages.ListMessagesResponse:
        """A page of messages without their bytes."""
        state = state_from_proto(request.state)
        shown = repr((request.endpoint, state, request.control_id))
        listing = Listing(identity.call().method, filter=shown, order="id desc")
        size, named = page_size(request.page_size), request.endpoint
        key = self._pages.open(request.page_token, listing)
        async with self._store.begin() as work:
            found = await work.hl7_messages.page(
                endpoint=id_from(named, "hl7Endpoints", field="endpoint") if named else None,
                state=state,
                control_id=request.control_id,
                limit=size + 1,
                after=UUID(str(key[0])) if key else None,
            )
        page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
        return messages.ListMessagesResponse(
            hl7_messages=[message_to_proto(one) for one in page.items],
            next_page_token=page.next_page_token,
        )

    async def CreateEndpoint(self, request: messages.CreateEndpointRequest) -> hl7_pb2.Hl7Endpoint:
        """Open an endpoint."""
        endpoint = endpoint_from_proto(request.hl7_endpoint)
        check_endpoint(endpoint)
        check_charset(endpoint)
        check_rules(endpoint)
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                row = id_from(earlier.name, "hl7Endpoints")
                return endpoint_to_proto(await work.endpoints.get(row))
            await work.endpoints.add(endpoint)
            await work.tx.remember(name_of("hl7Endpoints", endpoint.id), endpoint.revision)
        return endpoint_to_proto(endpoint)

    async def ListEndpoints(
        self, request: messages.ListEndpointsRequest
    ) -> messages.ListEndpointsResponse:
        """A page of endpoints."""
        listing = Listing(identity.call().method, order="id")
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, listing)
        async with self._store.begin() as work:
            found = await work.endpoints.page(
                limit=size + 1, after=UUID(str(key[0])) if key else None
            )
        page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
        return messages.ListEndpointsResponse(
            hl7_endpoints=[endpoint_to_proto(one) for one in page.items],
            next_page_token=page.next_page_token,
        )

    async def UpdateEndpoint(self, request: messages.UpdateEndpointRequest) -> hl7_pb2.Hl7Endpoint:
        """Change the fields that the mask names."""
        sent = request.hl7_endpoint
        row = id_from(sent.name, "hl7Endpoints", field="hl7_endpoint.name")
        async with self._store.begin() as work:
            before = await work.endpoints.lock(row)
            if sent.etag and sent.etag != before.etag:
                raise EtagMismatch
            after = endpoint_changed_by(before, sent, request.update_mask)
            check_endpoint(after)
            check_charset(after)
            check_rules(after)
            if after != before:
                await work.endpoints.save(after)
        return endpoint_to_proto(after)

"""The platform's own log, which belongs to no organization: what its operators did, and which
unknown callers were refused. Nobody reads it by the API; whoever holds the database does.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from compliance.servicers.audit_log import AuditLog
from compliance.storage.store import Store
from core import identity
from core.database.context import PLATFORM
from core.database.pages import LARGEST_SIZE, PageTokens
from core.identity import Call, Caller, Kind
from core.settings import PAGE_KEY_BYTES
from hub.audit_stored import StoredReader
from hub.audit_verify import Report, TrustStore, verify
from hub.places import Place
from medhub.compliance.v1.audit_pb2 import AuditEvent
from medhub.compliance.v1.audit_service_pb2 import ListAuditEventsRequest

_CALL = Call(
    method="compliance.server/ShowPlatform",
    caller=Caller(kind=Kind.SERVICE, organization=PLATFORM),
    action="compliance.audit.read",
    purpose="operation",
)


_ROUTINE = frozenset({"medhub.auth.v1.AuthService/IssueServiceToken"})
"""What servers do every few minutes, among which the rest would not be seen."""


async def shown(
    place: Place, trust: Path, most: int, *, everything: bool = False
) -> tuple[Report, list[AuditEvent]]:
    """The log, verified whole, and its newest events, of which at most so many.

    Without the routine of servers, unless everything is asked for.
    """
    async with place.database() as database:
        store = Store(database, place.keyring)
        reader = StoredReader(store, PLATFORM, asyncio.get_running_loop())
        report = await asyncio.to_thread(verify, reader, PLATFORM, TrustStore(trust))
        events: list[AuditEvent] = []
        async for event in _newest_first(store):
            if len(events) == most:
                break
            if everything or event.method not in _ROUTINE:
                events.append(event)
    return report, events


async def _newest_first(store: Store) -> AsyncIterator[AuditEvent]:
    identity.enter(_CALL)
    log, token, more = AuditLog(store, PageTokens(os.urandom(PAGE_KEY_BYTES))), "", True
    while more:
        asked = ListAuditEventsRequest(page_size=LARGEST_SIZE, page_token=token)
        page = await log.ListAuditEvents(asked)
        for event in page.audit_events:
            yield event
        token = page.next_page_token
        more = bool(token)

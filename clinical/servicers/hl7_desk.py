"""Reading and answering messages as one endpoint does."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from clinical.domain.endpoints import AckPoint, Endpoint
from clinical.domain.hl7 import Content, Merges, PatientEvent
from clinical.domain.hl7_findings import Finding
from clinical.domain.hl7_messages import Acknowledgement, MessageState, NewMessage
from clinical.domain.identifiers import PatientIdentifier, identifiers_of
from clinical.domain.ins import TenantKind
from clinical.formats.hl7v2.ack import Issue, Verdict, accept_ack, application_ack, code_of
from clinical.formats.hl7v2.header import Header
from clinical.formats.hl7v2.reader import Terms
from clinical.formats.hl7v2.reading import Reading, read
from clinical.storage.sealing import index_of
from clinical.storage.store import Store
from core import clock, identity
from core.crypto.organization_keys import OrganizationKey
from core.ids import new_id

TERMS_SECONDS: Final = 2.0
"""How long an endpoint's settings are used before they are read again: a change of them takes
effect as fast as a change of rights does."""

_PARTITION_DIGITS: Final = 24
"""Hexadecimal digits: 96 bits tell the patients of one organization apart."""


@dataclass(frozen=True, slots=True)
class Desk:
    """An endpoint at work: its settings, and how it reads."""

    endpoint: Endpoint
    tenant: TenantKind
    terms: Terms

    @classmethod
    def of(cls, endpoint: Endpoint, tenant: TenantKind) -> "Desk":
        """The desk of an endpoint."""
        terms = Terms(zone=endpoint.zone, tenant=tenant, charset=endpoint.charset_fallback)
        return cls(endpoint, tenant, terms)

    def read(self, raw: bytes) -> Reading:
        """What a message says."""
        return read(raw, self.terms)

    def receive(self, raw: bytes, key: OrganizationKey) -> NewMessage:
        """A message to store, with its answer where that does not wait for processing."""
        reading, row = self.read(raw), new_id()
        state = _state_on_arrival(reading)
        waits = state is MessageState.RECEIVED
        answers_now = not waits or self.endpoint.ack_point is AckPoint.STORED
        header = reading.header
        return NewMessage(
            id=row,
            raw=raw,
            sha256=sha256(raw).digest(),
            control_id=_text(header, 10),
            sending_application=_text(header, 3),
            sending_facility=_text(header, 4),
            message_type="^".join(part for part in (header.type, header.event) if part)[:64],
            version=header.part(12)[:64],
            charset=reading.charset,
            state=state,
            findings=reading.findings,
            acknowledgement=(
                self.answer(row, header, reading.verdict, reading.findings) if answers_now else None
            ),
            partitions=_partitions(reading.content, self.tenant, key) if waits else (),
        )

    def answer(
        self, row: UUID, header: Header, verdict: Verdict, findings: tuple[Finding, ...]
    ) -> Acknowledgement:
        """What the sender gets, by MSH-15 and MSH-16: nothing, one acknowledgement or two.

        Its control ids come from the message's id, so that one finds the other.
        """
        at, tail = clock.now().astimezone(self.endpoint.zone), row.hex[-19:]
        accept = accept_ack(header, verdict, findings, Issue(f"C{tail}", at))
        application = application_ack(header, verdict, findings, Issue(f"A{tail}", at))
        first = accept or application or b""
        second = application if accept and application else b""
        return Acknowledgement(first, second or b"", code_of(first))


class Desks:
    """The desks of the endpoints that are in use, as of a moment ago."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[tuple[UUID | None, UUID], tuple[Desk, float]] = {}

    async def of(self, endpoint: UUID) -> Desk:
        """The desk of an endpoint of the caller's organization. Raises NotFound."""
        key, now = (identity.caller().organization, endpoint), asyncio.get_running_loop().time()
        kept = self._kept.get(key)
        if kept is None or now - kept[1] > TERMS_SECONDS:
            kept = self._kept[key] = Desk.of(*await self._store.terms(endpoint)), now
        return kept[0]


def _state_on_arrival(reading: Reading) -> MessageState:
    if reading.verdict is not Verdict.ACCEPTED:
        return MessageState.REJECTED
    # An acknowledgement that arrives here has nothing to do in the record.
    return MessageState.RECEIVED if reading.content is not None else MessageState.PROCESSED


def _text(header: Header, number: int) -> str:
    return header.echo(number).decode("ascii", "replace")


def _partitions(
    content: Content | None, tenant: TenantKind, key: OrganizationKey
) -> tuple[str, ...]:
    """Keyed digests of every number that the message names."""
    numbers = _numbers(content, tenant) if content is not None else ()
    digests = {
        sha256(one.system.encode() + b"\0" + index_of(key, one.value)).hexdigest()
        for one in numbers
    }
    return tuple(sorted(digest[:_PARTITION_DIGITS] for digest in digests))


def _numbers(content: Content, tenant: TenantKind) -> tuple[PatientIdentifier, ...]:
    if isinstance(content, PatientEvent):
        return identifiers_of(content.patient.identifiers, tenant)
    if isinstance(content, Merges):
        named = [one for pair in content.pairs for one in pair.survivor.identifiers]
        named += [one for pair in content.pairs for one in pair.loser]
        return identifiers_of(named, tenant)
    return identifiers_of([one for g in content.groups for one in g.patient.identifiers], tenant)

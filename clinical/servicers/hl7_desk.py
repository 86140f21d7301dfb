"""Reading and answering messages as one endpoint does."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from clinical.domain.endpoints import AckPoint, Endpoint
from clinical.domain.hl7 import PatientIdentity
from clinical.domain.hl7_findings import Finding
from clinical.domain.hl7_messages import Acknowledgement, MessageState, NewMessage
from clinical.domain.identifiers import identifiers_of
from clinical.domain.ins import TenantKind
from clinical.formats.hl7v2.ack import Issue, Verdict, accept_ack, application_ack, code_of
from clinical.formats.hl7v2.framing import DEFAULT_LIMIT, KEPT
from clinical.formats.hl7v2.header import Header
from clinical.formats.hl7v2.reader import Terms
from clinical.formats.hl7v2.reading import (
    Envelope,
    Reading,
    open_envelope,
    persons_in,
    read,
)
from clinical.formats.hl7v2.rules import GENERIC, RAISABLE, Policy
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
        # A server of another version may have set a rule that this one does not know.
        stricter = RAISABLE.intersection(endpoint.rejected_rules)
        profile = GENERIC.having(dict.fromkeys(stricter, Policy.REJECT))
        terms = Terms(profile, endpoint.zone, tenant, endpoint.charset_fallback)
        return cls(endpoint, tenant, terms)

    def read(self, raw: bytes) -> Reading:
        """What a message says."""
        return read(raw, self.terms)

    def persons(self, raw: bytes) -> tuple[PatientIdentity, ...]:
        """Whom a message names that takes no effect."""
        return persons_in(raw, self.terms)

    def receive(self, raw: bytes, key: OrganizationKey) -> NewMessage:
        """A message to store, with its answer where that does not wait for processing.

        Only its envelope is read: a sender waits, and processing reads the content anyway.
        """
        envelope, row = open_envelope(raw, self.terms), new_id()
        state = _state_on_arrival(envelope)
        waits = state is MessageState.RECEIVED
        answers_now = not waits or self.endpoint.ack_point is AckPoint.STORED
        header, verdict = envelope.header, envelope.verdict
        return NewMessage(
            id=row,
            # More than can be kept was refused for it: its beginning tells what it was.
            raw=raw if len(raw) <= DEFAULT_LIMIT else raw[:KEPT],
            sha256=sha256(raw).digest(),
            control_id=header.control_id,
            sending_application=header.text(3),
            sending_facility=header.text(4),
            message_type="^".join(part for part in (header.type, header.event) if part)[:64],
            version=header.part(12)[:64],
            charset=envelope.charset,
            state=state,
            findings=envelope.findings,
            acknowledgement=(
                self.answer(row, header, verdict, envelope.findings) if answers_now else None
            ),
            partitions=self._partitions(envelope, key) if waits else (),
        )

    def _partitions(self, envelope: Envelope, key: OrganizationKey) -> tuple[str, ...]:
        """Keyed digests of every number that the message names."""
        digests = {
            sha256(one.system.encode() + b"\0" + index_of(key, one.value)).hexdigest()
            for one in identifiers_of(envelope.names, self.tenant)
        }
        return tuple(sorted(digest[:_PARTITION_DIGITS] for digest in digests))

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


def _state_on_arrival(envelope: Envelope) -> MessageState:
    if envelope.verdict is not Verdict.ACCEPTED:
        return MessageState.REJECTED
    # An acknowledgement that arrives here has nothing to do in the record.
    return MessageState.PROCESSED if envelope.trigger is None else MessageState.RECEIVED

"""Rows of received messages."""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from clinical.domain.hl7_findings import Finding
from clinical.domain.hl7_messages import (
    REUSED,
    Acknowledgement,
    Message,
    MessageState,
    NewMessage,
    Stored,
    finding_to_json,
)
from clinical.storage.entitlement import how_opened, is_linked, living, question
from clinical.storage.sealing import open_ack, open_raw, seal_ack, seal_raw
from clinical.storage.sql import sql
from core import identity
from core.crypto.organization_keys import OrganizationKey
from core.database import Row, Transaction
from core.errors import NotFound
from core.identity import Kind

_TIME: Final = TIMESTAMP(timezone=True)
_BATCH: Final[dict[str, Any]] = {
    "ids": ARRAY(Uuid),
    "applications": ARRAY(Text),
    "facilities": ARRAY(Text),
    "control_ids": ARRAY(Text),
    "digests": ARRAY(LargeBinary),
    "types": ARRAY(Text),
    "versions": ARRAY(Text),
    "states": ARRAY(Text),
    "ack_codes": ARRAY(Text),
    "charsets": ARRAY(Text),
    "findings": ARRAY(Text),
    "raws": ARRAY(LargeBinary),
    "acks": ARRAY(LargeBinary),
    "application_acks": ARRAY(LargeBinary),
    "partitions": ARRAY(Text),
    "patients": ARRAY(Uuid),
}
# One statement for the whole group: key, message, bytes and work are there together or not at
# all. Keys are taken in one order, so that two groups cannot wait for each other crosswise; of
# concurrent twins one waits for the other's commit and is then a repetition.
_STORE: Final = sql(
    f"""WITH batch AS (
        SELECT b.*, EXISTS (SELECT FROM hl7_message_key k WHERE k.endpoint_id = :endpoint_id
            AND k.application = b.application AND k.facility = b.facility
            AND k.control_id = b.control_id AND b.control_id <> ''
            AND k.sha256 <> b.sha256) AS reused
        FROM unnest({", ".join(f":{name}" for name in _BATCH)}) WITH ORDINALITY AS b(id,
            application, facility, control_id, sha256, message_type, version, state, ack_code,
            charset, findings, raw, ack, application_ack, partitions, patient_id, place)),
    fresh AS (
        INSERT INTO hl7_message_key (organization_id, endpoint_id, application, facility,
            control_id, sha256, message_id)
        SELECT :organization_id, :endpoint_id, b.application, b.facility, b.control_id, b.sha256,
            b.id
        FROM batch b ORDER BY b.application, b.facility, b.control_id, b.sha256, b.place
        ON CONFLICT DO NOTHING RETURNING message_id),
    stored AS (
        INSERT INTO hl7_message (organization_id, id, endpoint_id, control_id,
            sending_application, sending_facility, message_type, version, state, ack_code,
            charset, findings, patient_id, received_at)
        SELECT :organization_id, b.id, :endpoint_id, b.control_id, b.application, b.facility,
            b.message_type, b.version, b.state, b.ack_code, b.charset,
            CASE WHEN b.reused THEN CAST(b.findings AS jsonb) || :reused
                ELSE CAST(b.findings AS jsonb) END,
            b.patient_id, :received_at
        FROM batch b JOIN fresh f ON f.message_id = b.id),
    held AS (
        INSERT INTO hl7_bytes (organization_id, message_id, raw, ack, application_ack)
        SELECT :organization_id, b.id, b.raw, b.ack, b.application_ack
        FROM batch b JOIN fresh f ON f.message_id = b.id),
    queued AS (
        INSERT INTO hl7_work (organization_id, message_id, partitions)
        SELECT :organization_id, b.id, string_to_array(b.partitions, ',')
        FROM batch b JOIN fresh f ON f.message_id = b.id
        WHERE b.state = 'RECEIVED' ORDER BY b.place)
    SELECT f.message_id FROM fresh f""",
    organization_id=Uuid,
    endpoint_id=Uuid,
    received_at=_TIME,
    reused=JSONB,
    **_BATCH,
)
_REPEATED: Final = sql(
    """SELECT b.place, m.id, m.state, m.ack_code, y.ack, y.application_ack
    FROM unnest(:applications, :facilities, :control_ids, :digests)
        WITH ORDINALITY AS b(application, facility, control_id, sha256, place)
    JOIN hl7_message_key k ON k.endpoint_id = :endpoint_id AND k.application = b.application
        AND k.facility = b.facility AND k.control_id = b.control_id AND k.sha256 = b.sha256
    JOIN hl7_message m ON m.id = k.message_id
    JOIN hl7_bytes y ON y.message_id = m.id
    ORDER BY b.place""",
    endpoint_id=Uuid,
    applications=ARRAY(Text),
    facilities=ARRAY(Text),
    control_ids=ARRAY(Text),
    digests=ARRAY(LargeBinary),
)
# A message is taken when nothing before it names one of its numbers; whoever has taken it holds
# its row until the end of the transaction, so those behind it wait and other workers pass by.
_CLAIM: Final = sql(
    """SELECT w.message_id, m.endpoint_id, m.attempts, y.raw, y.ack IS NOT NULL AS answered
    FROM hl7_work w
    JOIN hl7_message m ON m.id = w.message_id
    JOIN hl7_bytes y ON y.message_id = w.message_id
    WHERE w.message_id = :id AND NOT EXISTS (
        SELECT FROM hl7_work e WHERE e.organization_id = w.organization_id AND e.seq < w.seq
            AND e.partitions && w.partitions)
    FOR UPDATE OF w SKIP LOCKED""",
    id=Uuid,
)
_FINISH: Final = sql(
    """WITH done AS (DELETE FROM hl7_work WHERE message_id = :id),
    answered AS (UPDATE hl7_bytes SET ack = :ack, application_ack = :application_ack
        WHERE message_id = :id AND :answers)
    UPDATE hl7_message SET state = :state, findings = findings || :findings,
        patient_id = :patient_id, processed_at = :processed_at, attempts = attempts + 1,
        ack_code = CASE WHEN :answers THEN :ack_code ELSE ack_code END
    WHERE id = :id""",
    id=Uuid,
    state=Text,
    findings=JSONB,
    patient_id=Uuid,
    processed_at=_TIME,
    answers=Boolean,
    ack=LargeBinary,
    application_ack=LargeBinary,
    ack_code=Text,
)
_OUTCOME: Final = sql(
    """SELECT m.id, m.state, m.ack_code, y.ack, y.application_ack
    FROM hl7_message m JOIN hl7_bytes y ON y.message_id = m.id WHERE m.id = :id""",
    id=Uuid,
)
_SENT: Final = ("control_id", "sending_application", "sending_facility", "message_type", "version")
_COLUMNS: Final = """m.id, m.endpoint_id, m.state, m.ack_code, m.charset, m.findings,
    m.received_at, m.processed_at, m.attempts"""
_WHOLE: Final = f"{_COLUMNS}, {', '.join(f'm.{name}' for name in _SENT)}"
# What a sender wrote may name a person. Where nobody known is named, nobody can be linked to them,
# so it is told to the sender alone, and to whoever reads such messages by name and on record.
_IS_TOLD: Final = "(m.patient_id IS NOT NULL OR :is_machine)"
_TOLD: Final = f"""{_COLUMNS},
    {", ".join(f"CASE WHEN {_IS_TOLD} THEN m.{name} ELSE '' END AS {name}" for name in _SENT)}"""
# A machine reads what came in at the endpoints that name it; people at any.
_YOURS: Final = """(NOT :is_machine OR EXISTS (SELECT FROM hl7_endpoint e
    WHERE e.id = m.endpoint_id AND e.service_account_id = :subject))"""
# The bytes say what a record says, so the same link opens both; a machine that has to mend what was
# refused sees what it sent. Of a message that waits nobody knows yet whom it is about.
_SHOWN: Final = f"""SELECT {_TOLD}, {living("asked")} AS patient_id,
        CASE WHEN {_IS_TOLD} THEN y.raw END AS raw, CASE WHEN {_IS_TOLD} THEN y.ack END AS ack"""
_FROM: Final = """FROM hl7_message m
    JOIN hl7_bytes y ON y.message_id = m.id LEFT JOIN patient asked ON asked.id = m.patient_id"""
_PERHAPS: Final = f"""m.id = :id AND m.state <> 'RECEIVED' AND {_YOURS}
        AND (m.patient_id IS NULL OR (:is_machine AND m.state <> 'PROCESSED')"""
GET: Final = question(
    f"""{_SHOWN} {_FROM} WHERE {_PERHAPS} OR {is_linked("asked")})""",
    f"""{_SHOWN}, o.granted {_FROM} CROSS JOIN {how_opened("asked")}
    WHERE {_PERHAPS} OR o.is_linked OR o.granted IS NOT NULL)""",
    person="patient_id",
    id=Uuid,
    is_machine=Boolean,
)
_GET_UNATTRIBUTED: Final = sql(
    f"""SELECT {_WHOLE}, m.patient_id, y.raw, y.ack FROM hl7_message m
    JOIN hl7_bytes y ON y.message_id = m.id
    WHERE m.id = :id AND m.state <> 'RECEIVED' AND m.patient_id IS NULL AND {_YOURS}""",
    id=Uuid,
    is_machine=Boolean,
    subject=Uuid,
)
_ASKED: Final[dict[str, Any]] = {
    "endpoint_id": Uuid,
    "state": Text,
    "control_id": Text,
    "limit": Integer,
    "is_machine": Boolean,
    "subject": Uuid,
}


def _page(further: str = "") -> str:
    """A page, newest first. Only those who are linked to a patient learn whom a message is about;
    that is asked of the rows of the page alone.
    """
    return f"""SELECT {_TOLD},
        CASE WHEN {is_linked("asked")} THEN {living("asked")} END AS patient_id
    FROM (SELECT * FROM hl7_message m
        WHERE (m.endpoint_id = :endpoint_id OR :endpoint_id IS NULL)
            AND (m.state = :state OR :state = '')
            AND (m.control_id = :control_id OR :control_id = '')
            AND {_YOURS} {further} ORDER BY m.id DESC LIMIT :limit) m
    LEFT JOIN patient asked ON asked.id = m.patient_id ORDER BY m.id DESC"""


_FIRST: Final = sql(_page(), **_ASKED)
_NEXT: Final = sql(_page("AND m.id < :after_id"), after_id=Uuid, **_ASKED)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message taken for processing. `answered` is whether its sender has its answer."""

    id: UUID
    endpoint_id: UUID
    raw: bytes
    attempts: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What processing made of a message."""

    state: MessageState
    findings: tuple[Finding, ...]
    patient_id: UUID | None
    acknowledgement: Acknowledgement


class Hl7Messages:
    """Received messages in one transaction."""

    def __init__(self, tx: Transaction, key: Callable[[], Awaitable[OrganizationKey]]) -> None:
        self._tx = tx
        self._key = key

    async def store(
        self, endpoint: UUID, batch: Sequence[NewMessage], at: datetime
    ) -> list[Stored]:
        """Keep messages together; repetitions find what was kept. In the order of the batch."""
        key = await self._key()
        fresh = await self._tx.all(
            _STORE,
            endpoint_id=endpoint,
            received_at=at,
            reused=[finding_to_json(REUSED)],
            **_columns(batch, key),
        )
        made = {row.message_id for row in fresh}
        repeated = [one for one in batch if one.id not in made]
        found = await self._repeated(endpoint, repeated, key) if repeated else {}
        return [
            Stored(one.id, one.state, one.acknowledgement, repeated=False)
            if one.id in made
            else found[one.id]
            for one in batch
        ]

    async def claim(self, row: UUID) -> Claimed | None:
        """Take a message whose turn it is; None when it is not, or somebody else has it."""
        found = await self._tx.one(_CLAIM, id=row)
        if found is None:
            return None
        raw = open_raw(await self._key(), found.message_id, found.raw)
        return Claimed(
            found.message_id, found.endpoint_id, raw, found.attempts, bool(found.answered)
        )

    async def finish(self, claimed: Claimed, outcome: Outcome, at: datetime) -> None:
        """Say what became of a message; an answer that has left is not replaced."""
        key, sent = await self._key(), outcome.acknowledgement
        await self._tx.run(
            _FINISH,
            id=claimed.id,
            state=outcome.state.value,
            findings=[finding_to_json(one) for one in outcome.findings],
            patient_id=outcome.patient_id,
            processed_at=at,
            answers=not claimed.answered,
            ack=seal_ack(key, claimed.id, sent.first) if sent.first else None,
            application_ack=(
                seal_ack(key, claimed.id, sent.application) if sent.application else None
            ),
            ack_code=sent.code,
        )

    async def outcome(self, row: UUID) -> Stored | None:
        """What has become of a message so far."""
        found = await self._tx.one(_OUTCOME, id=row)
        return None if found is None else _stored(found, await self._key())

    async def get(self, row: UUID) -> Message:
        """A message, if the caller may see it; with its bytes where a link or the sender's account
        opens them. Raises NotFound.
        """
        is_machine = identity.caller().kind is Kind.SERVICE
        found = await GET.one(self._tx.one, self._tx.call, id=row, is_machine=is_machine)
        return await self._opened(found)

    async def get_unattributed(self, row: UUID) -> Message:
        """A message about nobody known, with its bytes. Raises NotFound."""
        return await self._opened(await self._tx.one(_GET_UNATTRIBUTED, id=row, **_asking()))

    async def page(
        self,
        *,
        endpoint: UUID | None,
        state: str,
        control_id: str,
        limit: int,
        after: UUID | None,
    ) -> list[Message]:
        """Messages without their bytes, newest first."""
        asked = {
            "endpoint_id": endpoint,
            "state": state,
            "control_id": control_id,
            "limit": limit,
            **_asking(),
        }
        if after is None:
            rows = await self._tx.all(_FIRST, **asked)
        else:
            rows = await self._tx.all(_NEXT, after_id=after, **asked)
        return [_message(row) for row in rows]

    async def _opened(self, found: Row | None) -> Message:
        if found is None:
            raise NotFound
        key = await self._key()
        raw = b"" if found.raw is None else open_raw(key, found.id, found.raw)
        return _message(found, raw, open_ack(key, found.id, found.ack))

    async def _repeated(
        self, endpoint: UUID, batch: Sequence[NewMessage], key: OrganizationKey
    ) -> dict[UUID, Stored]:
        rows = await self._tx.all(
            _REPEATED,
            endpoint_id=endpoint,
            applications=[one.sending_application for one in batch],
            facilities=[one.sending_facility for one in batch],
            control_ids=[one.control_id for one in batch],
            digests=[one.sha256 for one in batch],
        )
        return {batch[row.place - 1].id: _stored(row, key) for row in rows}


def _asking() -> dict[str, object]:
    """Who asks, as the statements that show messages ask for it."""
    caller = identity.caller()
    return {"is_machine": caller.kind is Kind.SERVICE, "subject": caller.subject}


def _columns(batch: Sequence[NewMessage], key: OrganizationKey) -> dict[str, list[Any]]:
    """One array a column."""
    acks = [one.acknowledgement or Acknowledgement() for one in batch]
    pairs = list(zip(batch, acks, strict=True))
    return {
        "ids": [one.id for one in batch],
        "applications": [one.sending_application for one in batch],
        "facilities": [one.sending_facility for one in batch],
        "control_ids": [one.control_id for one in batch],
        "digests": [one.sha256 for one in batch],
        "types": [one.message_type for one in batch],
        "versions": [one.version for one in batch],
        "states": [one.state.value for one in batch],
        "ack_codes": [ack.code for ack in acks],
        "charsets": [one.charset for one in batch],
        "findings": [json.dumps([finding_to_json(f) for f in one.findings]) for one in batch],
        "raws": [seal_raw(key, one.id, one.raw) for one in batch],
        "acks": [seal_ack(key, m.id, a.first) if a.first else None for m, a in pairs],
        "application_acks": [
            seal_ack(key, m.id, a.application) if a.application else None for m, a in pairs
        ],
        "partitions": [",".join(one.partitions) for one in batch],
        "patients": [one.patient_id for one in batch],
    }


def _stored(row: Row, key: OrganizationKey) -> Stored:
    """What is known of a message; no acknowledgement while it waits for processing."""
    state = MessageState(row.state)
    ack = None
    if row.ack is not None or state is not MessageState.RECEIVED:
        first = open_ack(key, row.id, row.ack)
        ack = Acknowledgement(first, open_ack(key, row.id, row.application_ack), row.ack_code)
    return Stored(row.id, state, ack, repeated=True)


def _message(row: Row, raw: bytes = b"", ack: bytes = b"") -> Message:
    return Message(
        id=row.id,
        endpoint_id=row.endpoint_id,
        control_id=row.control_id,
        sending_application=row.sending_application,
        sending_facility=row.sending_facility,
        message_type=row.message_type,
        version=row.version,
        state=MessageState(row.state),
        ack_code=row.ack_code,
        charset=row.charset,
        findings=tuple(row.findings),
        patient_id=row.patient_id,
        received_at=row.received_at,
        processed_at=row.processed_at,
        attempts=row.attempts,
        raw=raw,
        ack=ack,
    )

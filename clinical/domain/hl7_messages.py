"""A received message as the record keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from clinical.domain.hl7_findings import Condition, Finding, Place

REUSED = Finding("key.reused", Condition.DUPLICATE_KEY, False, Place("MSH", 1, 10))
"""Other bytes have come under this control id before: counters reset, so it is processed."""


class MessageState(StrEnum):
    """What became of a message."""

    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What is sent back: one answer, and in enhanced mode perhaps the application's after it."""

    first: bytes = b""
    application: bytes = b""
    code: str = ""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to store: its bytes, its header, and what was made of it.

    `partitions` are keyed digests of the numbers it names; it is empty for one that is not to
    be processed. `acknowledgement` is None while it has to wait for processing. `patient_id` is
    whom one that is not to be processed is about, if anybody known.
    """

    id: UUID
    raw: bytes
    sha256: bytes
    control_id: str
    sending_application: str
    sending_facility: str
    message_type: str
    version: str
    charset: str
    state: MessageState
    findings: tuple[Finding, ...]
    acknowledgement: Acknowledgement | None
    partitions: tuple[str, ...] = field(default=())
    patient_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a message that arrived: stored, or recognized as a repetition."""

    id: UUID
    state: MessageState
    acknowledgement: Acknowledgement | None
    repeated: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is shown."""

    id: UUID
    endpoint_id: UUID
    control_id: str
    sending_application: str
    sending_facility: str
    message_type: str
    version: str
    state: MessageState
    ack_code: str
    charset: str
    findings: tuple[Mapping[str, str], ...]
    patient_id: UUID | None
    received_at: datetime
    processed_at: datetime | None
    attempts: int
    raw: bytes = b""
    ack: bytes = b""


def finding_to_json(finding: Finding) -> dict[str, str]:
    """A finding as rows keep it and callers read it."""
    return {
        "rule": finding.rule,
        "location": str(finding.place) if finding.place else "",
        "severity": "E" if finding.rejects else "W",
        "code": str(finding.condition.value),
    }

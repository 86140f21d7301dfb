"""Findings: what is wrong with a message, where, and which code the sender is told.

A finding never quotes the message. The rule's id and the place say enough to repair it, and
both may be sent back, logged and shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from core.errors import Refusal


class Condition(IntEnum):
    """HL70357, the message error condition codes (198 and 199 are ANS additions)."""

    ACCEPTED = 0
    SEGMENT_SEQUENCE = 100
    REQUIRED_FIELD_MISSING = 101
    DATA_TYPE = 102
    TABLE_VALUE_NOT_FOUND = 103
    CARDINALITY = 198
    SYNTAX = 199
    UNSUPPORTED_MESSAGE_TYPE = 200
    UNSUPPORTED_EVENT = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION = 203
    UNKNOWN_KEY = 204
    DUPLICATE_KEY = 205
    RECORD_LOCKED = 206
    INTERNAL = 207

    @property
    def text(self) -> str:
        """The words of HL70357, sent in ERR-3.2."""
        return _TEXTS[self]

    @property
    def is_unsupported(self) -> bool:
        """Whether the message is whole but not of a kind this receiver handles."""
        return self in _UNSUPPORTED


_TEXTS: Final = {
    Condition.ACCEPTED: "Message accepted",
    Condition.SEGMENT_SEQUENCE: "Segment sequence error",
    Condition.REQUIRED_FIELD_MISSING: "Required field missing",
    Condition.DATA_TYPE: "Data type error",
    Condition.TABLE_VALUE_NOT_FOUND: "Table value not found",
    Condition.CARDINALITY: "Non-conformant cardinality",
    Condition.SYNTAX: "Other HL7 error",
    Condition.UNSUPPORTED_MESSAGE_TYPE: "Unsupported message type",
    Condition.UNSUPPORTED_EVENT: "Unsupported event code",
    Condition.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    Condition.UNSUPPORTED_VERSION: "Unsupported version id",
    Condition.UNKNOWN_KEY: "Unknown key identifier",
    Condition.DUPLICATE_KEY: "Duplicate key identifier",
    Condition.RECORD_LOCKED: "Application record locked",
    Condition.INTERNAL: "Application error",
}
_UNSUPPORTED: Final = frozenset(
    {
        Condition.UNSUPPORTED_MESSAGE_TYPE,
        Condition.UNSUPPORTED_EVENT,
        Condition.UNSUPPORTED_PROCESSING_ID,
        Condition.UNSUPPORTED_VERSION,
    }
)

# The one table from the reasons of refusals (the contract's enums) to HL70357. A reason that
# does not stand here is told as 207: the sender could not act on more.
CONDITION_OF_REASON: Final = {
    "INVALID_FIELD": Condition.DATA_TYPE,
    "NOT_FOUND": Condition.UNKNOWN_KEY,
    "PATIENT_DELETED": Condition.UNKNOWN_KEY,
    "PATIENT_MERGED": Condition.UNKNOWN_KEY,
    "PERSON_RESTRICTED": Condition.UNKNOWN_KEY,
    "IDENTIFIER_TAKEN": Condition.DUPLICATE_KEY,
    "INS_NOT_ALLOWED_HERE": Condition.TABLE_VALUE_NOT_FOUND,
    "MERGE_WITH_ITSELF": Condition.SYNTAX,
    "MERGE_INVERTED": Condition.SYNTAX,
    "ETAG_MISMATCH": Condition.RECORD_LOCKED,
    "UNAVAILABLE": Condition.INTERNAL,
    "DEADLINE_EXCEEDED": Condition.INTERNAL,
}


def condition_of(refusal: Refusal) -> Condition:
    """The HL70357 code that tells an HL7 sender of a domain refusal."""
    return CONDITION_OF_REASON.get(refusal.reason, Condition.INTERNAL)


class Place(NamedTuple):
    """A place in a message, counted from 1 as ERR-2 counts; 0 means "not narrower than this".

    A named tuple, because one is made for every field that is read.
    """

    segment: str
    sequence: int = 1
    field: int = 0
    repetition: int = 0
    component: int = 0
    subcomponent: int = 0

    def __str__(self) -> str:
        """The form people write: `PID^1^3`, or longer when a narrower place is known."""
        return self.joined("^")

    def joined(self, separator: str) -> str:
        """HL7's ERL with this component separator; trailing parts that are not known are cut."""
        numbers = (self.sequence, self.field, self.repetition, self.component, self.subcomponent)
        parts = [self.segment, *(str(number) if number else "" for number in numbers)]
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        return separator.join(parts)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a message breaks. Findings that do not reject never change the ACK.

    `limit` is how much is taken, in bytes, where a rule is about size.
    """

    rule: str
    condition: Condition
    rejects: bool
    place: Place | None = None
    limit: int = 0


PID_3: Final = Place("PID", 1, 3)
MRG_1: Final = Place("MRG", 1, 1)
# Where a refusal of the domain concerns one field of a message.
_PLACE_OF_REASON: Final = {
    "PATIENT_DELETED": PID_3,
    "PATIENT_MERGED": PID_3,
    "PERSON_RESTRICTED": PID_3,
    "IDENTIFIER_TAKEN": PID_3,
    "INS_NOT_ALLOWED_HERE": PID_3,
    "MERGE_WITH_ITSELF": MRG_1,
    "MERGE_INVERTED": MRG_1,
}

# What the findings mean that are no check of a message's form; senders read it in ERR-8.
MEANINGS: Final = {
    "key.reused": "Another message has come under this control id.",
    "patient.merged": "The patient of this number has been merged into another.",
    "patient.several": "The numbers belong to several patients.",
    "patient.deleted": "The patient of this number is deleted.",
    "patient.unknown": "No patient of this number is known.",
    "patient.no-identifier": "No number of the patient can be kept.",
    "patient.given-names-replaced": "Another first name takes the place of all given names.",
    "patient.birth-date": "The date of birth cannot be.",
    "patient.death-date": "The date of death cannot be.",
    "stay.unit-unknown": "No unit of this code is known; its people do not see the patient.",
    "stay.attending-unknown": "An attending is not known by an RPPS; they do not see the patient.",
    "stay.class-unknown": "The patient class is not in HL70004.",
    "stay.admission-time": "The time of the admission cannot be.",
    "stay.discharge-time": "The time of the discharge cannot be.",
    "stay.event-time": "The time of the event cannot be.",
    "result.outdated": "A later or more final result stands; this one is kept as superseded.",
    "result.report-time": "The time of the report cannot be.",
    "identifier.taken": "A number belongs to another patient.",
    "identifier.too-many": "There are more numbers than a patient can have; some are left out.",
    "merge.unknown": "No patient of the merged number is known.",
    "receiver.fault": "A fault of the receiver; the message is kept.",
    "receiver.transient": "The receiver cannot take it now: send it again.",
    "receiver.refused": "The receiver refuses the message.",
    "receiver.unreadable": "The message cannot be read.",
    "refused.INVALID_FIELD": "A value cannot be kept.",
    "refused.NOT_FOUND": "What the message names is not known.",
    "refused.PATIENT_DELETED": "The patient is deleted.",
    "refused.PATIENT_MERGED": "The patient has been merged into another.",
    "refused.PERSON_RESTRICTED": "The data of the patient are restricted.",
    "refused.IDENTIFIER_TAKEN": "A number belongs to another patient.",
    "refused.INS_NOT_ALLOWED_HERE": "This sort of INS is not accepted here.",
    "refused.MERGE_WITH_ITSELF": "A patient cannot be merged into itself.",
    "refused.MERGE_INVERTED": "They are merged already, the other way round.",
    "refused.ETAG_MISMATCH": "The record was changed at the same time.",
    "refused.UNAVAILABLE": "The receiver cannot take it now: send it again.",
    "refused.DEADLINE_EXCEEDED": "The receiver cannot take it now: send it again.",
}


def finding_of(refusal: Refusal) -> Finding:
    """A domain refusal as a rejecting finding, so that it can be sent in an ERR segment."""
    reason = refusal.reason
    place = _PLACE_OF_REASON.get(reason)
    return Finding(f"refused.{reason}", condition_of(refusal), rejects=True, place=place)


def rejections(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that reject, in order."""
    return tuple(finding for finding in findings if finding.rejects)

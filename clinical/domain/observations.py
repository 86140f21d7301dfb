"""Results: a code, a value, a time; a correction supersedes and never overwrites."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from clinical.domain import hl7
from clinical.domain.encounters import valued_instant
from clinical.domain.hl7_findings import Condition, Finding, Place
from clinical.domain.hl7_values import ABSENT, Moment, PartialDate, is_to_come, valued


class ValueKind(StrEnum):
    """Which of the values of a result is set; "" is none."""

    NONE = ""
    QUANTITY = "QUANTITY"
    TEXT = "TEXT"
    CODED = "CODED"
    MOMENT = "MOMENT"


class ObservationStatus(StrEnum):
    """How final a result is (HL7 table 0085)."""

    PRELIMINARY = "PRELIMINARY"
    FINAL = "FINAL"
    CORRECTED = "CORRECTED"
    CANCELLED = "CANCELLED"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"


_STATUSES: Final = {
    "F": ObservationStatus.FINAL,
    "U": ObservationStatus.FINAL,
    "V": ObservationStatus.FINAL,
    "C": ObservationStatus.CORRECTED,
    "A": ObservationStatus.CORRECTED,
    "B": ObservationStatus.CORRECTED,
    "D": ObservationStatus.ENTERED_IN_ERROR,
    "W": ObservationStatus.ENTERED_IN_ERROR,
    "X": ObservationStatus.CANCELLED,
    "N": ObservationStatus.CANCELLED,
    "": ObservationStatus.FINAL,
}
# HL70123 says it of an order, in the same letters but for this one: some results are there.
_STATUSES_OF_ORDERS: Final = {"A": "P"}
_NOT_ASKED: Final = "N"
_CONFIRMED: Final = "U"


class Finality(IntEnum):
    """How much a result counts beside another of its key."""

    TENTATIVE = 0
    FINAL = 1
    AMENDED = 2
    """Corrected or withdrawn."""


_FINALITIES: Final = {
    ObservationStatus.PRELIMINARY: Finality.TENTATIVE,
    ObservationStatus.FINAL: Finality.FINAL,
    ObservationStatus.CORRECTED: Finality.AMENDED,
    ObservationStatus.CANCELLED: Finality.AMENDED,
    ObservationStatus.ENTERED_IN_ERROR: Finality.AMENDED,
}


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a system, with its label."""

    system: str = ""
    code: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """What came out: one of a number with its unit, text, a code, a moment."""

    kind: ValueKind = ValueKind.NONE
    quantity: str = ""
    comparator: str = ""
    unit: str = ""
    text: str = ""
    coded: Coding = Coding()
    moment: datetime | None = None


Key: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Observation:
    """A result as the record has it."""

    id: UUID
    patient_id: UUID
    encounter_id: UUID | None
    code: Coding
    value: Value
    reference_range: str
    flags: tuple[str, ...]
    status: ObservationStatus
    effective_at: datetime | None
    issued_at: datetime | None
    created_at: datetime
    order_system: str = ""
    order_number: str = ""
    sub_id: str = ""
    supersedes_id: UUID | None = None
    sent_status: str = ""

    @property
    def confirms(self) -> bool:
        """Whether it makes final what was sent before, and does not say it again (HL70085 U)."""
        return self.sent_status == _CONFIRMED and self.value.kind is ValueKind.NONE

    @property
    def key(self) -> Key | None:
        """What a correction of it names, of one laboratory; None when the order has no number."""
        if not self.order_number:
            return None
        return key_of(self.order_number, self.code, self.sub_id)


def confirmed(one: Observation, before: Observation) -> Observation:
    """A result that is final as it was sent before."""
    return replace(
        one,
        value=before.value,
        reference_range=one.reference_range or before.reference_range,
        flags=one.flags or before.flags,
        effective_at=one.effective_at or before.effective_at,
    )


def key_of(order: str, code: Coding, sub_id: str) -> Key:
    """Order, code and sub-id; an observation that has no code is known by its words."""
    return order, code.system, code.code or code.display, sub_id


@dataclass(frozen=True, slots=True)
class Standing:
    """A result that nothing supersedes, by what decides whether another does.

    `order_system` is None, and `sent_status` "", where they were not kept when it came.
    """

    id: UUID
    order_system: str | None
    status: ObservationStatus
    sent_status: str
    issued_at: datetime | None

    def is_of(self, one: Observation) -> bool:
        """Whether the order of another result of its key is its own, as far as is known."""
        return self.order_system is None or self.order_system == one.order_system

    def outranks(self, one: Observation) -> bool:
        """Whether it goes on standing when another result of its key arrives.

        What is not final never stands against what is. Beside that the later report stands, and
        of one time, or where one is not known, what corrects or withdraws; else the last to
        arrive. So it does not matter in which order two of them come.
        """
        mine, other = (_finality(each.status, each.sent_status) for each in (self, one))
        if Finality.TENTATIVE in {mine, other} and mine is not other:
            return mine > other
        known, told = self.issued_at, one.issued_at
        if known is not None and told is not None and known != told:
            return known > told
        return mine > other


def _finality(status: ObservationStatus, sent: str) -> Finality:
    """Nobody has asked for it: it is cancelled, and takes nothing back."""
    return Finality.TENTATIVE if sent == _NOT_ASKED else _FINALITIES[status]


def outdated(sent: hl7.Observation) -> Finding:
    """What arrives does not stand."""
    place = Place("OBX", sent.sequence)
    return Finding("result.outdated", Condition.DUPLICATE_KEY, rejects=False, place=place)


def possible_report(report: hl7.Report, *, at: datetime) -> tuple[hl7.Report, tuple[Finding, ...]]:
    """The report without a time to come: what has one would stand against every correction."""
    if not is_to_come(valued_instant(report.issued), at=at):
        return report, ()
    place = Place("OBR", report.sequence, 22)
    finding = Finding("result.report-time", Condition.DATA_TYPE, rejects=False, place=place)
    return replace(report, issued=ABSENT), (finding,)


def observe(
    row: UUID,
    patient: UUID,
    encounter: UUID | None,
    report: hl7.Report,
    sent: hl7.Observation,
    *,
    at: datetime,
) -> Observation:
    """The result that an OBX tells of; its order says how final it is where it does not."""
    status = sent.status or _STATUSES_OF_ORDERS.get(report.status, report.status)
    return Observation(
        id=row,
        patient_id=patient,
        encounter_id=encounter,
        code=_coding(sent.code),
        value=_value(sent),
        reference_range=valued(sent.reference_range) or "",
        flags=valued(sent.abnormal_flags) or (),
        status=_STATUSES.get(status, ObservationStatus.PRELIMINARY),
        effective_at=valued_instant(sent.effective) or valued_instant(report.observed),
        issued_at=valued_instant(report.issued),
        created_at=at,
        order_system=(report.filler if report.filler_number else report.placer).system,
        order_number=report.filler_number or report.placer_number,
        sub_id=sent.sub_id,
        sent_status=status,
    )


def _coding(sent: hl7.Coded) -> Coding:
    """LOINC where one of the two codes is, and otherwise what the sender puts first."""
    if sent.loinc:
        text = sent.text if sent.loinc == sent.code else sent.other_text or sent.text
        return Coding("LN", sent.loinc, text)
    if sent.code:
        return Coding(sent.system, sent.code, sent.text)
    return Coding(sent.other_system, sent.other_code, sent.other_text or sent.text)


def _value(sent: hl7.Observation) -> Value:
    values = valued(sent.values) or ()
    if not values:
        return Value()
    if len(values) > 1:
        return Value(ValueKind.TEXT, text="\n".join(_words(one) for one in values))
    unit = valued(sent.unit)
    return _single(values[0], "" if unit is None else unit.code or unit.text)


def _single(value: hl7.Value, unit: str) -> Value:
    match value:
        case hl7.Quantity():
            return Value(ValueKind.QUANTITY, quantity=f"{value.value:f}", unit=unit)
        case hl7.Structured(comparator, first, "", None) if first is not None:
            return Value(
                ValueKind.QUANTITY, quantity=f"{first:f}", comparator=comparator, unit=unit
            )
        case hl7.Coded():
            return Value(ValueKind.CODED, coded=_coding(value))
        case Moment():
            return Value(ValueKind.MOMENT, moment=value.at_utc)
        case _:
            words = _words(value)
            return Value(ValueKind.TEXT, text=f"{words} {unit}" if unit else words)


def _words(value: hl7.Value) -> str:
    """A value in words, for what has no form of its own in the record."""
    match value:
        case hl7.Text():
            return value.text
        case hl7.Quantity():
            return f"{value.value:f}"
        case hl7.Structured(comparator, first, separator, second):
            parts = (
                comparator,
                "" if first is None else f"{first:f}",
                separator,
                "" if second is None else f"{second:f}",
            )
            return "".join(parts)
        case hl7.Coded():
            return value.text or value.code or value.other_text or value.other_code
        case PartialDate():
            return str(value)
        case Moment():
            return value.at.isoformat()
        case hl7.Attachment():
            return f"{value.type}/{value.subtype}, {len(value.content)} bytes"

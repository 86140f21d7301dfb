"""Results: a code, a value, a time; a correction supersedes and never overwrites."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from clinical.domain import hl7
from clinical.domain.encounters import valued_instant
from clinical.domain.hl7_values import Moment, PartialDate, valued


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
    "C": ObservationStatus.CORRECTED,
    "A": ObservationStatus.CORRECTED,
    "D": ObservationStatus.ENTERED_IN_ERROR,
    "W": ObservationStatus.ENTERED_IN_ERROR,
    "X": ObservationStatus.CANCELLED,
    "N": ObservationStatus.CANCELLED,
    "": ObservationStatus.FINAL,
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
    order_number: str = ""
    sub_id: str = ""
    supersedes_id: UUID | None = None

    @property
    def key(self) -> tuple[str, str, str] | None:
        """What a correction of it names; None when the order has no number."""
        if not self.order_number:
            return None
        return self.order_number, self.code.code, self.sub_id


def observe(
    row: UUID,
    patient: UUID,
    encounter: UUID | None,
    report: hl7.Report,
    sent: hl7.Observation,
    *,
    at: datetime,
) -> Observation:
    """The result that an OBX tells of."""
    return Observation(
        id=row,
        patient_id=patient,
        encounter_id=encounter,
        code=_coding(sent.code),
        value=_value(sent),
        reference_range=valued(sent.reference_range) or "",
        flags=valued(sent.abnormal_flags) or (),
        status=_STATUSES.get(sent.status, ObservationStatus.PRELIMINARY),
        effective_at=valued_instant(sent.effective) or valued_instant(report.observed),
        issued_at=valued_instant(report.issued),
        created_at=at,
        order_number=report.filler_number or report.placer_number,
        sub_id=sent.sub_id,
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

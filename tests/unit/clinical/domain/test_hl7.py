"""Domain values of messages: states, dates, findings, trust."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from clinical.domain.hl7 import Annotation, Coded, Observation, Trust, annotations_of, trust_of
from clinical.domain.hl7_findings import (
    Condition,
    Finding,
    Place,
    condition_of,
    finding_of,
    rejections,
)
from clinical.domain.hl7_values import ABSENT, ERASE, Moment, PartialDate, Precision, valued
from core.errors import NotFound, Refusal


class Unmapped(Refusal):
    """A refusal that HL7 has no word for."""

    reason = "SOMETHING_ELSE"


def test_the_three_states_stay_apart() -> None:
    """Absent, erased and empty are not the same."""
    assert len({ABSENT, ERASE, ""}) == 3
    assert [valued(state) for state in (ABSENT, ERASE, "", "x")] == [None, None, "", "x"]


@pytest.mark.parametrize(
    ("written", "text", "precision", "earliest"),
    [
        (PartialDate(1980), "1980", Precision.YEAR, date(1980, 1, 1)),
        (PartialDate(1980, 5), "1980-05", Precision.MONTH, date(1980, 5, 1)),
        (PartialDate(1980, 5, 17), "1980-05-17", Precision.DAY, date(1980, 5, 17)),
    ],
)
def test_a_date_keeps_its_precision(
    written: PartialDate, text: str, precision: Precision, earliest: date
) -> None:
    """No day or month is invented."""
    assert (str(written), written.precision, written.earliest) == (text, precision, earliest)


def test_a_moment_is_one_instant() -> None:
    """The same instant can be had in UTC."""
    paris = datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1)))

    assert Moment(paris, Precision.HOUR, offset_stated=True).at_utc == datetime(
        2026, 3, 1, 9, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("PID", 1, 3), "PID^1^3"),
        (Place("PID"), "PID^1"),
        (Place("PID", 1, 3, 2), "PID^1^3^2"),
        (Place("MSH", 1, 9, 1, 2), "MSH^1^9^1^2"),
        (Place("MSH", 1, 9, 0, 2), "MSH^1^9^^2"),
    ],
)
def test_a_place_is_written_as_err_2(place: Place, text: str) -> None:
    """Unknown parts are empty, and cut at the end."""
    assert str(place) == text


@pytest.mark.parametrize(
    ("refusal", "condition"),
    [(NotFound(), Condition.UNKNOWN_KEY), (Unmapped(), Condition.INTERNAL)],
)
def test_a_refusal_has_a_code_of_table_0357(refusal: Refusal, condition: Condition) -> None:
    """A reason that the table does not hold is told as 207."""
    assert condition_of(refusal) is condition
    assert finding_of(refusal) == Finding(f"refused.{refusal.reason}", condition, rejects=True)


def test_every_condition_has_words() -> None:
    """ERR-3.2 is never empty."""
    assert all(condition.text for condition in Condition)


def test_only_rejections_reject() -> None:
    """Warnings are left out."""
    warning = Finding("pid5.required", Condition.REQUIRED_FIELD_MISSING, rejects=False)
    error = Finding("pid.required", Condition.SEGMENT_SEQUENCE, rejects=True)

    assert rejections((warning, error)) == (error,)


@pytest.mark.parametrize(
    ("codes", "from_insi", "trust"),
    [
        (("PROV",), False, Trust.PROVISIONAL),
        (("PROV",), True, Trust.RETRIEVED),
        (("VALI",), False, Trust.VALIDATED),
        (("VALI",), True, Trust.QUALIFIED),
        (("VALI", "DOUT"), True, Trust.PROVISIONAL),
        (("VALI", "FICT"), True, Trust.PROVISIONAL),
        (("VALI", "HOMD"), True, Trust.QUALIFIED),
        ((), True, None),
    ],
)
def test_trust_is_document_and_insi(
    codes: tuple[str, ...], from_insi: bool, trust: Trust | None
) -> None:
    """Both proofs qualify; doubt or fiction makes any identity provisional."""
    assert trust_of(codes, ins_from_insi=from_insi) is trust


def test_annotations_stand_beside_trust() -> None:
    """Codes that are no annotation are left out."""
    assert annotations_of(("VALI", "HOMD", "COLP")) == {Annotation.HOMONYM, Annotation.COLLISION}


def test_a_code_is_found_in_either_system() -> None:
    """A local code with a LOINC equivalent is a LOINC code too."""
    assert Coded("GLU", "", "L", "2345-7", "", "LN").loinc == "2345-7"
    assert Coded("2345-7", "", "ln").loinc == "2345-7"
    assert Coded("mmol/L", "", "").ucum == ""


@pytest.mark.parametrize(
    ("status", "corrects"), [("F", False), ("C", True), ("D", True), ("W", True)]
)
def test_corrections_are_known_by_their_status(status: str, corrects: bool) -> None:
    """C, D and W speak of a result sent before."""
    assert Observation(code=Coded("x"), status=status).corrects is corrects

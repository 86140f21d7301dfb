"""What a stay says and whom it entitles, by the messages that came of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import clock
from tests.support.clinics import clinic
from tests.support.hl7_desks import HL7, hl7
from tests.support.hl7_messages import ANNE, GENERIC, adt, ipp, pv1

__all__ = ["clinic", "hl7"]

ADMITTED = datetime(2026, 3, 1, 9, tzinfo=UTC)


async def told(hl7: HL7, message: str) -> list[tuple[str, str]]:
    """Send a message; the rules it breaks, each with its place."""
    answer = await hl7.send(message)
    assert (answer.ack_code, answer.state) == ("AA", 2)
    return [(one.rule, one.location) for one in (await hl7.kept(answer.message)).findings]


def event(
    trigger: str, number: int = 1, stay: str | None = None, at: str = "20260301101500+0100"
) -> str:
    """A plain ADT message, without ZBE, of what happened at a time (EVN-6)."""
    message = adt(trigger, control_id=str(number), form=GENERIC, stay=stay)
    return message.replace("EVN||20260301101500+0100||||20260301100000+0100", f"EVN||||||{at}")


def hl7_time(at: datetime) -> str:
    """A time as HL7 writes it."""
    return at.strftime("%Y%m%d%H%M%S+0000")


def stay_of(hl7: HL7) -> dict[str, Any]:
    """The only stay."""
    [stay] = hl7.clinic.database.rows("SELECT * FROM encounter")
    return stay


def days_left(hl7: HL7) -> dict[str, int | None]:
    """By unit, for how many days from now its links are open; None without end."""
    found = hl7.clinic.database.rows(
        """SELECT u.code, l.ended_at FROM care_link l JOIN unit u ON u.id = l.unit_id
        ORDER BY l.id"""
    )
    return {
        row["code"]: row["ended_at"] and round((row["ended_at"] - clock.now()) / timedelta(days=1))
        for row in found
    }


@pytest.fixture
async def wards(hl7: HL7) -> Sequence[object]:
    """Two wards, and the attending of the sample messages."""
    await hl7.clinic.practitioner(rpps="10101234567")
    return [await hl7.clinic.unit(code) for code in ("CARDIO", "URG")]


@pytest.mark.usefixtures("wards")
@pytest.mark.parametrize("discharged", ["20300101", "20200101", "20260301095900+0100", "18500101"])
async def test_a_discharge_that_cannot_be_is_that_of_the_event(hl7: HL7, discharged: str) -> None:
    """To come, or before the admission: it neither keeps nor takes anybody's access."""
    now = clock.now()
    await told(hl7, event("A01"))

    found = await told(hl7, event("A03", 2, pv1(discharged=discharged), hl7_time(now)))

    assert found == [("stay.discharge-time", "PV1^1^45")]
    assert stay_of(hl7)["ended_at"] == now.replace(microsecond=0)
    assert days_left(hl7) == {"CARDIO": 30}


@pytest.mark.usefixtures("wards")
async def test_a_discharge_of_which_no_time_can_be_is_that_of_its_receipt(hl7: HL7) -> None:
    """The event's own time is checked like others."""
    await told(hl7, event("A01"))

    found = await told(hl7, event("A03", 2, pv1(discharged="20300101"), "20310101"))

    assert found == [("stay.discharge-time", "PV1^1^45"), ("stay.event-time", "EVN^1^6")]
    assert clock.now() - stay_of(hl7)["ended_at"] < timedelta(minutes=1)


@pytest.mark.parametrize("admitted", ["20400101", "19200101", "19800515", "18600101"])
async def test_an_admission_that_cannot_be_is_left_out(hl7: HL7, admitted: str) -> None:
    """To come, before the birth, or before anybody's."""
    found = await told(hl7, event("A01", 1, pv1(admitted=admitted)))

    assert ("stay.admission-time", "PV1^1^44") in found
    assert stay_of(hl7)["started_at"] == ADMITTED.replace(minute=15)


async def test_without_a_birth_date_a_life_has_its_longest(hl7: HL7) -> None:
    """More than 130 years ago nobody was admitted who is treated today."""
    unborn = replace(ANNE, born="", identifiers=(ipp("7"),))

    await hl7.send(adt("A01", unborn, form=GENERIC, stay=pv1(admitted="18950101")))

    assert stay_of(hl7)["started_at"] == ADMITTED


async def test_what_the_record_says_stays_beside_what_cannot_be(hl7: HL7) -> None:
    """An update with a wrong time changes the rest."""
    await told(hl7, event("A01"))

    wrong = pv1(admitted="20400101", discharged="20410101", patient_class="O")
    found = await told(hl7, event("A08", 2, wrong))

    stay = stay_of(hl7)
    assert [rule for rule, _ in found][:2] == ["stay.admission-time", "stay.discharge-time"]
    assert (stay["started_at"], stay["ended_at"], stay["class"]) == (ADMITTED, None, "OUTPATIENT")


@pytest.mark.parametrize(
    ("admitted", "discharged"),
    [("20260301100000+0100", "20260301"), ("20260301", "20260301"), ("202603", "2026")],
)
async def test_times_are_compared_as_precisely_as_they_are_written(
    hl7: HL7, admitted: str, discharged: str
) -> None:
    """A discharge on the day of the admission may be after it."""
    found = await told(hl7, event("A03", 1, pv1(admitted=admitted, discharged=discharged)))

    assert not {"stay.discharge-time", "stay.admission-time"} & {rule for rule, _ in found}
    assert stay_of(hl7)["status"] == "FINISHED"


async def test_who_is_born_in_a_stay_is_admitted_before(hl7: HL7) -> None:
    """A day of tolerance, as of other dates."""
    born = replace(ANNE, born="20260301", identifiers=(ipp("8"),))

    answer = await hl7.send(adt("A01", born, form=GENERIC, stay=pv1(admitted="202602282200+0100")))

    rules = [one.rule for one in (await hl7.kept(answer.message)).findings]
    assert "stay.admission-time" not in rules


NOBODY = "10109999999^X^Y^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"


@pytest.mark.usefixtures("wards")
async def test_who_and_what_is_not_known_is_told(hl7: HL7) -> None:
    """Else nobody sees the patient, and nobody is told why."""
    wrong = pv1(location="NOWHERE^1", attending=NOBODY, patient_class="Q")

    assert await told(hl7, event("A01", 1, wrong)) == [
        ("stay.unit-unknown", "PV1^1^3"),
        ("stay.attending-unknown", "PV1^1^7"),
        ("stay.class-unknown", "PV1^1^2"),
    ]
    assert await told(hl7, event("A08", 2)) == []


@pytest.mark.usefixtures("wards")
async def test_units_of_a_movement_are_told_apart(hl7: HL7) -> None:
    """A unit that is known has the stay, whichever of them it is."""
    care = await hl7.clinic.unit("2102")

    assert await told(hl7, adt("A01")) == [("stay.unit-unknown", "ZBE^1^7")]

    assert stay_of(hl7)["unit_id"] == care


@pytest.mark.usefixtures("wards")
async def test_a_stay_whose_new_unit_is_not_known_has_none(hl7: HL7) -> None:
    """Nor an attending that another has followed; where neither changes, both stay."""
    await told(hl7, event("A01"))
    before = stay_of(hl7)
    unsaid = pv1(location="", attending="")
    await told(hl7, event("A08", 2, unsaid))
    assert (stay_of(hl7)["unit_id"], stay_of(hl7)["attending_id"]) == (
        before["unit_id"],
        before["attending_id"],
    )

    await told(hl7, event("A08", 3, pv1(location="NOWHERE^1", attending=NOBODY)))

    after = stay_of(hl7)
    assert (after["location"], after["unit_id"], after["attending_id"]) == ("NOWHERE^1", None, None)


async def test_a_unit_of_a_movement_stays_while_the_place_does(hl7: HL7) -> None:
    """An update that names the same ward, which is no unit here, moves nobody."""
    unit = await hl7.clinic.unit("2101")
    await told(hl7, adt("A01"))

    assert ("stay.unit-unknown", "PV1^1^3") in await told(hl7, event("A08", 2))

    assert stay_of(hl7)["unit_id"] == unit


def in_ward(code: str) -> str:
    """A PV1 with the patient in a ward, and nobody attending."""
    return pv1(location=f"{code}^1", attending="")


@pytest.mark.usefixtures("wards")
async def test_a_ward_that_a_patient_leaves_reads_on_for_the_follow_up(hl7: HL7) -> None:
    """From the transfer on; the discharge ends the links of the last ward alone."""
    day = timedelta(days=1)
    await told(hl7, event("A01", 1, in_ward("CARDIO")))

    await told(hl7, event("A08", 2, in_ward("URG"), hl7_time(clock.now() - 3 * day)))
    assert days_left(hl7) == {"CARDIO": 27, "URG": None}
    await told(hl7, event("A08", 3, in_ward("URG"), hl7_time(clock.now())))
    assert days_left(hl7) == {"CARDIO": 27, "URG": None}

    await told(hl7, event("A03", 4, in_ward("URG"), hl7_time(clock.now())))
    assert days_left(hl7) == {"CARDIO": 27, "URG": 30}
    await told(hl7, event("A01", 5, in_ward("URG")))
    assert days_left(hl7) == {"CARDIO": 27, "URG": None}


@pytest.mark.usefixtures("wards")
async def test_a_ward_that_a_patient_comes_back_to_reads_without_end(hl7: HL7) -> None:
    """By the link that it had."""
    now = hl7_time(clock.now())
    for number, ward in enumerate(("CARDIO", "URG", "CARDIO")):
        await told(hl7, event("A08" if number else "A01", number, in_ward(ward), now))

    assert days_left(hl7) == {"CARDIO": None, "URG": 30}
    assert len(hl7.clinic.database.rows("SELECT 1 FROM care_link WHERE kind = 'ENCOUNTER'")) == 2


@pytest.mark.usefixtures("wards")
@pytest.mark.parametrize("ward", ["NOWHERE", "CARDIO", ""])
async def test_a_link_ends_only_where_a_patient_leaves(hl7: HL7, ward: str) -> None:
    """To wherever they go; a message that does not say where they are moves nobody."""
    await hl7.clinic.unit("2101")
    now = hl7_time(clock.now())
    await told(hl7, adt("A01"))

    await told(hl7, event("A08", 2, pv1(location=ward, attending=""), now))

    left = 30 if ward == "NOWHERE" else None
    assert days_left(hl7) == {"2101": left, "CARDIO": left}
    attending = "SELECT ended_at FROM care_link WHERE kind = 'ENCOUNTER' AND unit_id IS NULL"
    assert hl7.clinic.database.rows(attending) == [{"ended_at": None}]


@pytest.mark.usefixtures("wards")
async def test_a_movement_may_leave_a_unit_and_stay_in_the_place(hl7: HL7) -> None:
    """ZBE-7 says who is responsible; the place is the same."""
    await hl7.clinic.unit("2101")
    await hl7.clinic.unit("2103")
    await told(hl7, adt("A01"))
    movement = adt("A08", control_id="2").replace("^^^2101", "^^^2103")

    await told(
        hl7,
        movement.replace(
            "ZBE|MVT1^CHU-X^1.2.250.1.999.1^ISO|20260301100000+0100",
            f"ZBE|MVT2|{hl7_time(clock.now())}",
        ),
    )

    assert days_left(hl7) == {"2101": 30, "CARDIO": None, "2103": None}


@pytest.mark.usefixtures("wards")
async def test_a_transfer_before_the_admission_is_that_of_its_receipt(hl7: HL7) -> None:
    """Else an old time would take the ward's access at once."""
    await told(hl7, event("A01", 1, in_ward("CARDIO")))

    await told(hl7, event("A08", 2, in_ward("URG"), "20200101"))

    assert days_left(hl7) == {"CARDIO": 30, "URG": None}


@pytest.mark.usefixtures("wards")
async def test_a_discharge_that_is_corrected_ends_its_links_anew(hl7: HL7) -> None:
    """Later or earlier, while they are open."""
    now, day = clock.now(), timedelta(days=1)
    await told(hl7, event("A01", 1, in_ward("CARDIO")))
    await told(hl7, event("A03", 2, in_ward("CARDIO"), hl7_time(now - 9 * day)))
    assert days_left(hl7) == {"CARDIO": 21}

    await told(hl7, event("A08", 3, pv1(discharged=hl7_time(now - 4 * day)), hl7_time(now)))

    assert days_left(hl7) == {"CARDIO": 26}

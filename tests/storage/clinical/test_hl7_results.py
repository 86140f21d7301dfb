"""Which result of an order stands, when several of them have come."""

from itertools import permutations

import pytest

from clinical.servicers.records import Records
from core import identity
from core.database.pages import PAGE_BYTES, PageTokens
from core.ids import new_id
from medhub.clinical.v1.record_service_pb2 import ListObservationsRequest
from tests.support.clinics import clinic, enter
from tests.support.hl7_desks import HL7, hl7
from tests.support.hl7_messages import GLUCOSE, adt, obx, oru
from tests.support.postgres import PAGE_KEY

__all__ = ["clinic", "hl7"]


async def report(
    hl7: HL7, number: int, status: str, value: str, at: str, *, order: str = "F77"
) -> list[str]:
    """Send one glucose, reported at an hour of a day ("" does not say); the rules it breaks."""
    issued = f"20260301{at}+0100" if at else ""
    result = obx(1, "NM", GLUCOSE, value, status=status)
    sent = oru((result,), control_id=f"R{number}", issued=issued, order=f"{order}^LABO")
    answer = await hl7.send(sent)
    assert answer.ack_code == "AA"
    return [one.rule for one in (await hl7.kept(answer.message)).findings]


def results(hl7: HL7, order: str = "F77", *, stand: bool = True) -> list[str]:
    """The values of an order that stand, or of those superseded, in the order of arrival."""
    asked = f"""SELECT quantity FROM observation
        WHERE order_number = %s AND (superseded_by_id IS NULL) = {stand} ORDER BY id"""
    return [row["quantity"] for row in hl7.clinic.database.rows(asked, order)]


async def test_what_is_older_or_not_final_replaces_nothing(hl7: HL7) -> None:
    """It is kept as superseded by what stands, and a finding says so."""
    await hl7.send(adt("A28"))

    assert await report(hl7, 1, "F", "7.1", "1200") == []
    assert await report(hl7, 2, "P", "14.2", "1105") == ["result.outdated"]
    assert (results(hl7), results(hl7, stand=False)) == (["7.1"], ["14.2"])

    assert await report(hl7, 3, "C", "7.3", "1200") == []
    assert await report(hl7, 4, "F", "7.1", "1200") == ["result.outdated"]
    assert await report(hl7, 5, "I", "", "1500") == ["result.outdated"]
    assert (results(hl7), results(hl7, stand=False)) == (["7.3"], ["7.1", "14.2", "7.1", ""])
    [corrected] = hl7.clinic.database.rows("SELECT id FROM observation WHERE quantity = '7.3'")
    late = "SELECT superseded_by_id FROM observation ORDER BY id DESC LIMIT 2"
    assert [row["superseded_by_id"] for row in hl7.clinic.database.rows(late)] == [
        corrected["id"],
        corrected["id"],
    ]


async def test_what_is_confirmed_keeps_its_value(hl7: HL7) -> None:
    """A final result that is not sent again (OBX-11 U) is the one that was sent before."""
    await hl7.send(adt("A28"))
    await report(hl7, 1, "P", "7.1", "1000")

    assert await report(hl7, 2, "U", "", "1100") == []

    asked = "SELECT status, quantity, unit FROM observation WHERE superseded_by_id IS NULL"
    [stands] = hl7.clinic.database.rows(asked)
    assert (stands["status"], stands["quantity"]) == ("FINAL", "7.1")
    assert (results(hl7), results(hl7, stand=False)) == (["7.1"], ["7.1"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("P", "1", "1100"), ("F", "2", "1000")),
        (("N", "", "1200"), ("F", "2", "1000")),
        (("P", "1", "1000"), ("R", "2", "1100")),
        (("F", "1", "1000"), ("F", "2", "1100")),
        (("F", "1", "1000"), ("C", "2", "1000")),
        (("F", "1", "1000"), ("D", "2", "1000")),
        (("F", "1", "1000"), ("X", "", "1100")),
        (("C", "1", "1000"), ("C", "2", "1100")),
        (("C", "1", "1000"), ("F", "2", "1100")),
        (("C", "1", "1000"), ("W", "2", "1100")),
        (("D", "1", "1000"), ("F", "2", "1100")),
        (("F", "1", ""), ("C", "2", "1000")),
        (("F", "1", "1000"), ("C", "2", "")),
        (("P", "1", "1000"), ("F", "2", "")),
    ],
)
async def test_the_order_of_arrival_does_not_matter(
    hl7: HL7, one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """Whichever of two comes first, the second of each pair stands."""
    await hl7.send(adt("A28"))

    await report(hl7, 1, *one)
    await report(hl7, 2, *other)
    assert results(hl7) == [other[1]]

    await report(hl7, 3, *other, order="F78")
    await report(hl7, 4, *one, order="F78")
    assert results(hl7, "F78") == [other[1]]


async def test_of_three_the_same_stands_in_any_order(hl7: HL7) -> None:
    """A preliminary result, the final one and its correction."""
    sent = (("P", "1", "0900"), ("F", "2", "1000"), ("C", "3", "1000"))
    await hl7.send(adt("A28"))

    for turn, order in enumerate(permutations(sent)):
        for number, told in enumerate(order):
            await report(hl7, 10 * turn + number, *told, order=f"F{turn}")
        assert results(hl7, f"F{turn}") == ["3"], order


@pytest.mark.parametrize("at", ["1000", ""])
async def test_of_equals_the_last_to_arrive_stands(hl7: HL7, at: str) -> None:
    """Reported at one time, or nobody knows when."""
    await hl7.send(adt("A28"))

    for number, value in enumerate("123"):
        assert await report(hl7, number, "F", value, at) == []

    assert (results(hl7), results(hl7, stand=False)) == (["3"], ["1", "2"])


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ("F77^RADIO", GLUCOSE),
        ("F77^LABO", "2345-7^Glucose^L"),
        ("F77^LABO", "^Glucose"),
    ],
)
async def test_results_of_others_are_left_alone(hl7: HL7, order: str, code: str) -> None:
    """Another laboratory may have the number, and another system the code."""
    await hl7.send(adt("A28"))
    await report(hl7, 1, "F", "7.1", "1200")
    await hl7.send(oru((obx(1, "NM", "^Sodium", "140"),), control_id="2"))

    await hl7.send(oru((obx(1, "NM", code, "5.4"),), control_id="3", order=order))
    await hl7.send(oru((obx(1, "NM", code, "5.5", status="C"),), control_id="4", order=order))

    assert results(hl7) == ["7.1", "140", "5.5"]


async def test_one_laboratory_is_known_by_its_oid_whatever_its_name(hl7: HL7) -> None:
    """As other issuers are."""
    await hl7.send(adt("A28"))

    for number, name in enumerate(("LABO", "LAB")):
        order = f"F77^{name}^1.2.250.1.999.2^ISO"
        value = obx(1, "NM", GLUCOSE, str(number))
        await hl7.send(oru((value,), control_id=f"R{number}", order=order))

    assert results(hl7) == ["1"]


async def test_a_report_time_to_come_is_not_taken(hl7: HL7) -> None:
    """Else what has it would stand against every correction."""
    await hl7.send(adt("A28"))
    far = obx(1, "NM", GLUCOSE, "9.9")

    answer = await hl7.send(oru((far,), issued="20990101"))
    await report(hl7, 2, "C", "7.3", "1200")

    [finding] = (await hl7.kept(answer.message)).findings
    assert (finding.rule, finding.location) == ("result.report-time", "OBR^1^22")
    assert results(hl7) == ["7.3"]


async def test_an_order_says_how_final_its_results_are(hl7: HL7) -> None:
    """OBR-25, where OBX-11 is empty."""
    await hl7.send(adt("A28"))
    await report(hl7, 1, "F", "7.1", "1200")

    await hl7.send(oru((obx(1, "NM", GLUCOSE, "14.2", status=""),), control_id="2", status="P"))

    assert results(hl7) == ["7.1"]


async def test_a_page_of_long_reports_ends_early(hl7: HL7) -> None:
    """No page is larger than a client takes; all of them are shown in the end."""
    user = new_id()
    await hl7.clinic.practitioner(user, rpps="10101234567")
    await hl7.send(adt("A01"))
    texts = [f"{number} " + "x" * (PAGE_BYTES // 4) for number in range(5)]
    reports = tuple(
        obx(number, "TX", f"R{number}^report^L", text) for number, text in enumerate(texts, 1)
    )
    sent = await hl7.send(oru(reports, control_id="R1"))
    patient = (await hl7.kept(sent.message)).patient
    records = Records(hl7.clinic.store, PageTokens(PAGE_KEY))
    organization = identity.caller().organization
    assert organization is not None
    enter(organization, user)

    pages: list[list[str]] = []
    token = ""
    while not pages or token:
        asked = ListObservationsRequest(patient=patient, page_token=token)
        page = await records.ListObservations(asked)
        pages.append([one.text for one in page.observations])
        token = page.next_page_token

    assert sorted(text for page in pages for text in page) == texts
    assert [len(page) for page in pages] == [3, 2]

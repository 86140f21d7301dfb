"""Hl7V2Service over a real database: messages in, acknowledgements out, facts in the record."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from clinical.domain.identifiers import MOST_IDENTIFIERS
from clinical.domain.patients import delete, undelete
from clinical.servicers.patients import Patients
from clinical.servicers.records import Records
from core import clock, identity
from core.database.pages import PageTokens
from core.errors import NotFound
from core.ids import name_of, new_id
from medhub.clinical.v1.hl7_pb2 import HL7_MESSAGE_STATE_PROCESSED
from medhub.clinical.v1.patient_service_pb2 import GetPatientRequest
from medhub.clinical.v1.record_service_pb2 import (
    GetEncounterRequest,
    ListEncountersRequest,
    ListObservationsRequest,
)
from tests.support.clinics import clinic, enter
from tests.support.hl7_desks import HL7, hl7
from tests.support.hl7_messages import (
    ANNE,
    ANNE_WITH_INS,
    GLUCOSE,
    adt,
    ipp,
    joined,
    merge,
    msh,
    obx,
    oru,
    pv1,
)
from tests.support.postgres import PAGE_KEY

__all__ = ["clinic", "hl7"]

RPPS = "10101234567"
BOB = replace(ANNE, identifiers=(ipp("200002"),), names="BERNARD^BOB^BOB^^^^L", sex="M")


def rows(hl7: HL7, table: str) -> list[dict[str, object]]:
    """The rows of a table, oldest first."""
    return hl7.clinic.database.rows(f"SELECT * FROM {table} ORDER BY 2")


async def deleted(hl7: HL7, *, deleted: bool) -> None:
    """Delete the oldest patient, or show them again."""
    [first, *_] = rows(hl7, "patient")
    async with hl7.clinic.store.begin() as work:
        [before] = await work.patients.lock_any(UUID(str(first["id"])))
        at = clock.now()
        after = delete(before, at=at) if deleted else undelete(before, at=at)
        await work.patients.save(before, after)


async def doctor(hl7: HL7, *units: object) -> object:
    """A user who is the attending of the sample messages, in the caller's organization."""
    user = new_id()
    await hl7.clinic.practitioner(user, *units, rpps=RPPS)  # type: ignore[arg-type]
    return user


def organization() -> object:
    """The caller's organization."""
    found = identity.caller().organization
    assert found is not None
    return found


async def test_an_admission_makes_patient_and_stay_and_links_who_cares(hl7: HL7) -> None:
    """AA comes when the facts are in the record; attending and unit may read it."""
    unit = await hl7.clinic.unit("2101")
    user, nurse = await doctor(hl7), new_id()
    await hl7.clinic.practitioner(nurse, unit)

    answer = await hl7.send(adt("A01"))

    assert (answer.ack_code, answer.state) == ("AA", 2)
    kept = await hl7.kept(answer.message)
    records = Records(hl7.clinic.store, PageTokens(PAGE_KEY))
    patients = Patients(hl7.clinic.store, PageTokens(PAGE_KEY))
    asked = GetEncounterRequest()
    for reader in (user, nurse):
        enter(organization(), reader)  # type: ignore[arg-type]
        patient = await patients.GetPatient(GetPatientRequest(name=kept.patient))
        assert (patient.birth_name, patient.used_name) == ("MARTIN", "DURAND")
        assert patient.birth_given_names == "ANNE MARIE JEANNE"
        assert patient.identifiers[0].system == "1.2.250.1.999.1"
        [stay] = (
            await records.ListEncounters(ListEncountersRequest(patient=patient.name))
        ).encounters
        assert stay.status == 2
        assert stay.unit == name_of("units", unit)
        asked = GetEncounterRequest(name=stay.name)
        assert await records.GetEncounter(asked) == stay
    enter(organization())  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        await patients.GetPatient(GetPatientRequest(name=kept.patient))
    with pytest.raises(NotFound):
        await records.GetEncounter(asked)


async def test_the_bytes_are_kept_and_sealed(hl7: HL7) -> None:
    """GetMessage shows exactly what came; no row holds it in clear."""
    message = adt("A28").encode()

    answer = await hl7.send(message)

    assert (await hl7.kept(answer.message)).raw == message
    [held] = rows(hl7, "hl7_bytes")
    assert b"MARTIN" not in bytes(held["raw"])  # type: ignore[call-overload]
    events = [one for one in rows(hl7, "medhub.audit_outbox") if one["entity"] == "hl7_message"]
    assert events
    assert "MARTIN" not in str(events)


async def test_a_repeated_message_gets_the_same_answer(hl7: HL7) -> None:
    """Nothing changes, and nothing is recorded a second time."""
    first = await hl7.send(adt("A01"))
    before = len(rows(hl7, "medhub.audit_outbox"))

    again = await hl7.send(adt("A01"))

    assert again.repeated_message
    assert (again.ack, again.message) == (first.ack, first.message)
    assert len(rows(hl7, "medhub.audit_outbox")) == before
    assert len(rows(hl7, "encounter")) == 1


async def test_a_control_id_used_again_is_processed_and_flagged(hl7: HL7) -> None:
    """Senders reset their counters: other bytes are another message, with finding 205."""
    await hl7.send(adt("A28"))

    other = await hl7.send(adt("A28", BOB))

    assert other.ack_code == "AA"
    kept = await hl7.kept(other.message)
    assert ("key.reused", "205") in [(one.rule, one.code) for one in kept.findings]
    assert len(rows(hl7, "patient")) == 2


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
async def test_control_ids_differ_by_every_letter(hl7: HL7, charset: str) -> None:
    """Letters beyond ASCII are kept as they came, and tell one message from another."""
    first = await hl7.send(adt("A28", control_id="PRÉ1").encode(charset))

    other = await hl7.send(adt("A28", BOB, control_id="PRÈ1").encode(charset))

    kept = [await hl7.kept(one.message) for one in (first, other)]
    assert [one.control_id for one in kept] == ["PRÉ1", "PRÈ1"]
    assert "key.reused" not in {finding.rule for one in kept for finding in one.findings}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"not HL7 at all", "AR"),
        (adt("A28").replace("UNICODE UTF-8", "KLINGON").encode(), "AR"),
        (adt("A28").replace("ADT^A28", "ADT^A99").encode(), "AR"),
        (adt("A28", replace(ANNE, identifiers=())).encode(), "AE"),
        (oru().encode(), "AE"),
    ],
)
async def test_a_refused_message_is_kept(hl7: HL7, message: bytes, code: str) -> None:
    """The call succeeds, the answer is negative, and the bytes can be looked at."""
    answer = await hl7.send(message)

    assert (answer.ack_code, answer.state) == (code, 4)
    kept = await hl7.kept(answer.message)
    assert kept.raw == message
    assert kept.findings[-1].severity == "E"
    assert rows(hl7, "patient") == []
    assert rows(hl7, "hl7_work") == []


async def test_an_update_changes_only_what_it_says(hl7: HL7) -> None:
    """An empty field changes nothing, and `""` erases."""
    await hl7.send(adt("A28"))

    await hl7.send(adt("A31", replace(ANNE, names="MARTIN^^^^^^L", born=""), control_id="2"))
    [patient] = rows(hl7, "patient")
    assert (patient["birth_given_names"], patient["birth_date"]) == (
        "ANNE MARIE JEANNE",
        "1980-05-17",
    )

    await hl7.send(adt("A31", replace(ANNE, born='""'), control_id="3"))
    [patient] = rows(hl7, "patient")
    assert patient["birth_date"] == ""
    assert patient["revision"] == 2  # The first message changed nothing.


async def test_a_null_name_leaves_the_name_whole(hl7: HL7) -> None:
    """A person has one: the finding says that none came. Parts that can be missing are erased."""
    names = ("birth_name", "used_name", "birth_given_names", "first_birth_given_name")
    await hl7.send(adt("A28"))

    nameless = await hl7.send(adt("A31", replace(ANNE, names='""'), control_id="2"))
    [kept] = rows(hl7, "patient")
    parts = 'MARTIN^""^""^^^^L~""^^^^^^D'
    await hl7.send(adt("A31", replace(ANNE, names=parts), control_id="3"))
    [erased] = rows(hl7, "patient")

    assert nameless.ack_code == "AA"
    assert [kept[name] for name in names] == ["MARTIN", "DURAND", "ANNE MARIE JEANNE", "ANNE"]
    found = (await hl7.kept(nameless.message)).findings
    assert [(one.rule, one.location) for one in found] == [("pid5.required", "PID^1^5")]
    assert [erased[name] for name in names] == ["MARTIN", "", "", ""]


async def test_a_discharge_ends_the_stay_and_in_time_its_links(hl7: HL7) -> None:
    """Whoever cared still reads for the follow-up, and no longer."""
    await doctor(hl7)
    await hl7.send(adt("A01"))

    await hl7.send(adt("A03", stay=pv1(discharged="20260305100000+0100"), control_id="2"))

    [stay] = rows(hl7, "encounter")
    assert stay["status"] == "FINISHED"
    [link] = rows(hl7, "care_link")
    assert (link["ended_at"] - stay["ended_at"]).days == 30  # type: ignore[operator]


async def test_results_are_added_and_corrected(hl7: HL7) -> None:
    """A correction supersedes; the list leaves out what is superseded unless asked for it."""
    user = await doctor(hl7)
    await hl7.send(adt("A01"))
    await hl7.send(oru())
    corrected = obx(1, "NM", GLUCOSE, "6.10", unit="mmol/L^mmol/L^UCUM", status="C")
    answer = await hl7.send(oru((corrected,), control_id="2"))
    patient = (await hl7.kept(answer.message)).patient
    enter(organization(), user)  # type: ignore[arg-type]
    records = Records(hl7.clinic.store, PageTokens(PAGE_KEY))

    listed = await records.ListObservations(ListObservationsRequest(patient=patient, code="2345-7"))
    whole = await records.ListObservations(
        ListObservationsRequest(patient=patient, show_superseded=True)
    )

    [glucose] = listed.observations
    assert (glucose.quantity.value, glucose.quantity.unit) == ("6.10", "mmol/L")
    assert glucose.code.system == "LN"
    assert glucose.supersedes
    assert len(whole.observations) == 5
    cells = next(one for one in whole.observations if one.code.code == "6690-2")
    assert (cells.quantity.comparator, cells.quantity.value) == (">", "100")
    comment = next(one for one in whole.observations if one.code.code == "8251-1")
    assert comment.text == "Hémolyse légère\nContrôler"


async def test_a_merge_by_message_sends_later_messages_to_the_survivor(hl7: HL7) -> None:
    """What still comes for the duplicate lands on the survivor, with a finding."""
    user = await doctor(hl7)
    await hl7.send(adt("A28"))
    await hl7.send(adt("A28", BOB, control_id="2"))

    merged = await hl7.send(merge(control_id="3"))
    again = await hl7.send(merge(control_id="4"))
    late = await hl7.send(adt("A01", BOB, control_id="5"))

    assert (merged.ack_code, again.ack_code, late.ack_code) == ("AA", "AA", "AA")
    kept = await hl7.kept(late.message)
    assert kept.patient == (await hl7.kept(merged.message)).patient
    assert "patient.merged" in [one.rule for one in kept.findings]
    assert len(rows(hl7, "patient_link")) == 1
    enter(organization(), user)  # type: ignore[arg-type]
    patients = Patients(hl7.clinic.store, PageTokens(PAGE_KEY))
    assert (await patients.GetPatient(GetPatientRequest(name=kept.patient))).name == kept.patient


async def test_a_merge_of_an_unknown_loser_is_refused(hl7: HL7) -> None:
    """204, kept, and the survivor is not made either."""
    answer = await hl7.send(merge())

    assert answer.ack_code == "AE"
    assert b"|204^" in answer.ack
    assert rows(hl7, "patient") == []


@pytest.mark.parametrize(
    "message", [adt("A08", control_id="2"), adt("A28", control_id="2"), oru(control_id="2")]
)
async def test_a_message_about_a_deleted_patient_is_refused(hl7: HL7, message: str) -> None:
    """204: it hides nothing in their record and makes no second one; after the undelete it is
    taken.
    """
    await hl7.send(adt("A28"))
    await deleted(hl7, deleted=True)

    answer = await hl7.send(message)

    assert (answer.ack_code, b"|204^" in answer.ack) == ("AE", True)
    assert b"The patient of this number is deleted." in answer.ack
    assert [one["revision"] for one in rows(hl7, "patient")] == [2]
    assert rows(hl7, "observation") == []
    await deleted(hl7, deleted=False)
    assert (await hl7.send(message.replace("|2|P|", "|3|P|"))).ack_code == "AA"


async def test_a_merged_number_of_a_deleted_patient_is_refused_too(hl7: HL7) -> None:
    """Whoever was merged into them is they."""
    await hl7.send(adt("A28"))
    await hl7.send(adt("A28", BOB, control_id="2"))
    await hl7.send(merge(control_id="3"))
    await deleted(hl7, deleted=True)

    answer = await hl7.send(adt("A31", BOB, control_id="4"))

    assert (answer.ack_code, b"|204^" in answer.ack) == ("AE", True)


async def test_an_ins_of_the_wrong_sort_is_refused(hl7: HL7) -> None:
    """A test INS among real ones rejects the message."""
    answer = await hl7.send(adt("A28", ANNE_WITH_INS))

    assert answer.ack_code == "AE"
    assert "ins.tenant-kind" in [one.rule for one in (await hl7.kept(answer.message)).findings]


async def test_a_patient_gets_no_more_numbers_than_the_contract_allows(hl7: HL7) -> None:
    """However they come, in one message or in several; those left out are a finding."""
    many = replace(ANNE, identifiers=tuple(ipp(f"{i}") for i in range(60)))
    more = replace(ANNE, identifiers=tuple(ipp(f"{i}") for i in (0, *range(100, 131))))

    first = await hl7.send(adt("A28", many))
    again = await hl7.send(adt("A31", more, control_id="2"))

    assert (first.ack_code, again.ack_code) == ("AA", "AA")
    for message in (first.message, again.message):
        assert [one.rule for one in (await hl7.kept(message)).findings] == ["identifier.too-many"]
    kept = [one["position"] for one in rows(hl7, "patient_identifier")]
    assert sorted(kept) == [*range(MOST_IDENTIFIERS)]  # type: ignore[type-var]


async def test_twenty_admissions_at_once_make_one_patient(hl7: HL7) -> None:
    """Each sender is answered AA, and the patient is there once."""
    call = identity.call()

    async def one(number: int) -> str:
        identity.enter(call)
        return (await hl7.send(adt("A04", control_id=str(number)))).ack_code

    codes = await asyncio.gather(*(one(number) for number in range(20)))

    assert codes == ["AA"] * 20
    assert len(rows(hl7, "patient")) == 1
    assert len(rows(hl7, "encounter")) == 1


async def test_stored_is_answered_before_it_is_processed(hl7: HL7) -> None:
    """At STORED the answer comes with the commit; the queue does the rest, in order."""
    await hl7.open("ACK_POINT_STORED", "fast")

    first = await hl7.send(adt("A28"))
    second = await hl7.send(adt("A31", replace(ANNE, sex="M"), control_id="2"))

    assert (first.ack_code, first.state) == ("AA", 1)
    assert (await hl7.send(adt("A28"))).ack == first.ack
    assert rows(hl7, "patient") == []
    await hl7.emptied()
    [patient] = rows(hl7, "patient")
    assert patient["sex"] == "MALE"
    kept = await hl7.kept(second.message)
    assert (kept.state, kept.ack, kept.attempts) == (2, second.ack, 1)


async def test_a_patients_messages_keep_their_order_and_others_pass(hl7: HL7) -> None:
    """While the first of a patient is held, the second waits and another patient's goes on."""
    await hl7.open("ACK_POINT_STORED", "fast")
    names = [f"MARTIN^N{n}^N{n}^^^^L" for n in range(10)]
    for n, name in enumerate(names):
        person = replace(ANNE, names=name)
        await hl7.send(adt("A31", person, control_id=str(n)))
    await hl7.send(adt("A28", BOB, control_id="bob"))

    await hl7.emptied()

    found = {row["birth_name"]: row for row in rows(hl7, "patient")}
    assert found["MARTIN"]["first_birth_given_name"] == "N9"
    assert found["MARTIN"]["revision"] == 10
    assert "BERNARD" in found


async def test_a_fault_of_ours_is_kept_and_told(hl7: HL7, monkeypatch: pytest.MonkeyPatch) -> None:
    """AE with 207, state FAILED; what had begun is undone and nobody behind it waits."""

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("clinical.servicers.hl7_effects.hear_of_stay", fail)
        answer = await hl7.send(adt("A01"))

    assert (answer.ack_code, answer.state) == ("AE", 3)
    assert b"|207^" in answer.ack
    assert rows(hl7, "patient") == []
    assert (await hl7.send(adt("A01", control_id="2"))).ack_code == "AA"


async def test_enhanced_mode_gives_both_answers(hl7: HL7) -> None:
    """MSH-15 and MSH-16 govern: CA when it is stored, AA when it is processed."""
    both = await hl7.send(adt("A28", accept="AL", application="AL"))
    none = await hl7.send(adt("A28", accept="NE", application="NE", control_id="2"))

    assert (both.ack_code, b"MSA|AA" in both.application_ack) == ("CA", True)
    assert (none.ack, none.ack_code, none.state) == (b"", "", 2)


async def test_asking_for_an_answer_in_unknown_words_is_answered_and_found(hl7: HL7) -> None:
    """Too many answers are safer than none; the finding tells who reads the messages."""
    answer = await hl7.send(adt("A28", accept="XX", application="YY"))

    assert (answer.ack_code, b"MSA|AA" in answer.application_ack) == ("CA", True)
    found = (await hl7.kept(answer.message)).findings
    assert [(one.rule, one.location, one.severity) for one in found] == [
        ("msh15.table", "MSH^1^15", "W"),
        ("msh15.table", "MSH^1^16", "W"),
    ]


@pytest.mark.parametrize(("kind", "accept", "code"), [("ACK", "", ""), ("MCF", "AL", "CA")])
async def test_an_acknowledgement_is_kept_and_not_acknowledged(
    hl7: HL7, kind: str, accept: str, code: str
) -> None:
    """But for an accept ACK, where it asks: otherwise two systems would answer for ever."""
    answer = await hl7.send(joined([msh(kind, accept=accept), "MSA|AA|1"]))

    assert (bool(answer.ack), answer.ack_code, answer.application_ack) == (bool(code), code, b"")
    assert answer.state == HL7_MESSAGE_STATE_PROCESSED
    assert (await hl7.kept(answer.message)).raw

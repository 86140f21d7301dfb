"""PatientService over a real database, called as plain functions."""

import asyncio
from uuid import uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from clinical.domain.identifiers import IdentifierTaken, InsNotAllowedHere
from clinical.domain.ins import NIR_TEST, TenantKind
from clinical.domain.merges import MergeInverted, MergeWithItself
from clinical.domain.patients import PatientDeleted, PatientMerged, PatientNotDeleted
from clinical.servicers.patients import Patients
from core import identity
from core.errors import (
    EtagMismatch,
    InvalidField,
    RequestIdReused,
    Unavailable,
)
from medhub.clinical.v1 import patient_pb2, patient_service_pb2
from medhub.clinical.v1.patient_pb2 import Patient
from medhub.clinical.v1.patient_service_pb2 import (
    CreatePatientRequest,
    DeletePatientRequest,
    GetPatientRequest,
    ListPatientsRequest,
    UndeletePatientRequest,
    UpdatePatientRequest,
)
from tests.support.clinics import Clinic, clinic
from tests.support.hl7_messages import TEST_INS
from tests.support.patient_desks import anne, create, merge, numbered, patients

__all__ = ["clinic", "patients"]


async def test_what_was_created_is_read_again(patients: Patients) -> None:
    """A patient comes back whole, identifiers in their order."""
    made = await create(patients, numbered("1"), numbered("2", "1.2.3"))

    read = await patients.GetPatient(GetPatientRequest(name=made.name))

    assert read == made
    assert [one.value for one in read.identifiers] == ["1", "2"]
    assert read.identifiers[0].use == patient_pb2.IDENTIFIER_USE_OFFICIAL


async def test_a_number_lies_sealed_and_never_in_the_outbox(
    patients: Patients, clinic: Clinic
) -> None:
    """Neither the row nor the audit record holds the number in clear."""
    await create(patients, numbered("SECRET-4711"))

    rows = clinic.database.rows("SELECT * FROM patient_identifier")
    events = clinic.database.rows("SELECT * FROM medhub.audit_outbox")

    assert b"SECRET-4711" not in bytes(rows[0]["value"])
    assert "SECRET-4711" not in str(events)
    assert {event["entity"] for event in events} >= {"patient", "patient_identifier", "care_link"}


async def test_of_64_creates_of_one_number_one_succeeds(patients: Patients) -> None:
    """The others learn that the identifier is taken, and which one it is."""
    call = identity.call()

    async def one(number: int) -> str:
        identity.enter(call)
        while True:
            try:
                await create(patients, numbered(f"own-{number}"), numbered("shared"))
            except IdentifierTaken as taken:
                return taken.metadata["index"]
            except Unavailable:
                # Connections are scarce and the machine is busy: a caller tries again.
                await asyncio.sleep(0.05)
            else:
                return "made"

    answers = await asyncio.gather(*(one(number) for number in range(64)))

    assert sorted(answers) == ["1"] * 63 + ["made"]


async def test_a_repeated_create_answers_what_the_first_made(patients: Patients) -> None:
    """The same request_id makes one patient, and the repeat answers the first revision."""
    call, request_id = identity.call(), str(uuid4())
    call.request_id, call.request_hash = request_id, b"one"
    made = await create(patients, numbered("1"))
    call.request_id = ""
    update = Patient(name=made.name, used_name="Durand")
    await patients.UpdatePatient(UpdatePatientRequest(patient=update))

    call.request_id = request_id
    again = await create(patients, numbered("1"))

    assert again == made
    call.request_hash = b"other"
    with pytest.raises(RequestIdReused):
        await create(patients, numbered("1"))


async def test_a_repeat_after_a_merge_answers_what_it_did(patients: Patients) -> None:
    """A patient merged since is answered as the first call left them, not as the survivor."""
    call, request_id = identity.call(), str(uuid4())
    call.request_id, call.request_hash = request_id, b"one"
    made = await create(patients, numbered("1"))
    call.request_id = ""
    await merge(patients, await create(patients, numbered("2")), made)

    call.request_id = request_id

    assert await create(patients, numbered("1")) == made


async def test_a_rehearsal_keeps_nothing(patients: Patients, clinic: Clinic) -> None:
    """validate_only answers as if, and leaves no row and no record."""
    request = CreatePatientRequest(patient=anne(numbered("1")), validate_only=True)

    answer = await patients.CreatePatient(request)

    assert answer.birth_name == "Martin"
    assert clinic.database.rows("SELECT * FROM patient") == []
    assert clinic.database.rows("SELECT * FROM medhub.audit_outbox") == []


async def test_an_update_changes_what_the_mask_names(patients: Patients) -> None:
    """Other fields of the message change nothing."""
    made = await create(patients, numbered("1"))
    update = Patient(name=made.name, etag=made.etag, used_name="Durand", birth_name="No")

    after = await patients.UpdatePatient(
        UpdatePatientRequest(patient=update, update_mask=FieldMask(paths=["used_name"]))
    )

    assert (after.birth_name, after.used_name, after.etag) == ("Martin", "Durand", "2")
    with pytest.raises(EtagMismatch):
        await patients.UpdatePatient(UpdatePatientRequest(patient=update))
    update.etag = ""
    with pytest.raises(InvalidField):
        await patients.UpdatePatient(
            UpdatePatientRequest(patient=update, update_mask=FieldMask(paths=["nonsense"]))
        )


async def test_identifiers_are_replaced_and_freed(patients: Patients) -> None:
    """A number that a patient gives up may be another's; order is kept."""
    made = await create(patients, numbered("1"), numbered("2"))
    update = Patient(name=made.name, identifiers=[numbered("3"), numbered("2")])

    after = await patients.UpdatePatient(
        UpdatePatientRequest(patient=update, update_mask=FieldMask(paths=["identifiers"]))
    )

    assert [one.value for one in after.identifiers] == ["3", "2"]
    assert (await patients.GetPatient(GetPatientRequest(name=made.name))) == after
    await create(patients, numbered("1"))
    with pytest.raises(IdentifierTaken):
        await create(patients, numbered("3"))


async def test_a_deleted_patient_can_be_shown_again(patients: Patients) -> None:
    """Deleting hides from lists, frees the numbers, and can be undone."""
    made = await create(patients, numbered("1"))

    gone = await patients.DeletePatient(DeletePatientRequest(name=made.name, etag=made.etag))

    assert gone.HasField("delete_time")
    assert not (await patients.ListPatients(ListPatientsRequest())).patients
    shown = await patients.ListPatients(ListPatientsRequest(show_deleted=True))
    assert [one.name for one in shown.patients] == [made.name]
    back = await patients.UndeletePatient(UndeletePatientRequest(name=made.name))
    assert not back.HasField("delete_time")
    with pytest.raises(PatientNotDeleted):
        await patients.UndeletePatient(UndeletePatientRequest(name=made.name))


async def test_nothing_changes_of_a_deleted_patient(patients: Patients) -> None:
    """An update and a merge, from either side or at the end of a chain, wait for the undelete."""
    made, other, merged = [await create(patients, numbered(value)) for value in "abc"]
    await merge(patients, made, merged)
    await patients.DeletePatient(DeletePatientRequest(name=made.name, etag=made.etag))
    change = UpdatePatientRequest(patient=Patient(name=made.name, used_name="Durand"))

    for survivor, duplicate in ((made, other), (other, made), (merged, other)):
        with pytest.raises(PatientDeleted):
            await merge(patients, survivor, duplicate)
    with pytest.raises(PatientDeleted):
        await patients.UpdatePatient(change)

    await patients.UndeletePatient(UndeletePatientRequest(name=made.name))
    assert (await patients.UpdatePatient(change)).used_name == "Durand"
    assert await merge(patients, made, other)


async def test_undeleting_finds_the_number_taken(patients: Patients) -> None:
    """What another patient has taken since is not taken back."""
    made = await create(patients, numbered("1"))
    await patients.DeletePatient(DeletePatientRequest(name=made.name, etag=made.etag))
    await create(patients, numbered("1"))

    with pytest.raises(IdentifierTaken):
        await patients.UndeletePatient(UndeletePatientRequest(name=made.name))


async def test_the_sort_of_ins_depends_on_the_organization(
    patients: Patients, clinic: Clinic
) -> None:
    """A test INS is refused until the organization says that it rehearses."""
    ins = patient_pb2.PatientIdentifier(
        system=NIR_TEST, type=patient_pb2.IDENTIFIER_TYPE_INS, value=TEST_INS
    )
    with pytest.raises(InsNotAllowedHere):
        await create(patients, ins)

    async with clinic.store.begin() as work:
        await work.settings.put_tenant_kind(TenantKind.TEST)

    assert (await create(patients, ins)).identifiers[0].value == TEST_INS


@pytest.mark.parametrize(
    ("value", "check"),
    [
        (TEST_INS, patient_pb2.IDENTIFIER_CHECK_KEY_CORRECT),
        (TEST_INS[:13], patient_pb2.IDENTIFIER_CHECK_KEY_MISSING),
        (TEST_INS[:13] + "01", patient_pb2.IDENTIFIER_CHECK_KEY_WRONG),
    ],
)
async def test_the_key_of_an_ins_is_told(
    patients: Patients, clinic: Clinic, value: str, check: int
) -> None:
    """A wrong key is kept and marked, for whoever wrote it and whoever reads it; what the caller
    says of it counts for nothing.
    """
    async with clinic.store.begin() as work:
        await work.settings.put_tenant_kind(TenantKind.TEST)
    ins = patient_pb2.PatientIdentifier(
        system=NIR_TEST,
        type=patient_pb2.IDENTIFIER_TYPE_INS,
        value=value,
        check=patient_pb2.IDENTIFIER_CHECK_KEY_CORRECT,
    )

    made = await create(patients, numbered("1"))
    changed = await patients.UpdatePatient(
        UpdatePatientRequest(patient=Patient(name=made.name, identifiers=[ins, numbered("1")]))
    )

    assert [one.check for one in changed.identifiers] == [check, 0]
    assert await patients.GetPatient(GetPatientRequest(name=made.name)) == changed


async def test_a_merge_stands_and_chains_resolve(patients: Patients) -> None:
    """Repeating succeeds, the inverse and a second survivor are refused, chains end in one."""
    a, b, c = [await create(patients, numbered(value)) for value in "abc"]

    first = await merge(patients, b, a)

    assert await merge(patients, b, a) == first
    with pytest.raises(MergeInverted):
        await merge(patients, a, b)
    with pytest.raises(MergeWithItself):
        await merge(patients, a, a)
    with pytest.raises(PatientMerged):
        await merge(patients, c, a)
    await merge(patients, c, b)
    assert (await patients.GetPatient(GetPatientRequest(name=a.name))).name == c.name
    with pytest.raises(MergeInverted):
        await merge(patients, a, c)
    with pytest.raises(PatientMerged):
        await patients.UpdatePatient(
            UpdatePatientRequest(patient=Patient(name=a.name, used_name="X"))
        )


async def test_opposite_merges_at_once_end_in_one(patients: Patients) -> None:
    """Two callers who merge crosswise wait for each other; one is told that it is inverted."""
    a, b = [await create(patients, numbered(value)) for value in "ab"]
    call = identity.call()

    async def one(survivor: Patient, duplicate: Patient) -> str:
        identity.enter(call)
        try:
            await merge(patients, survivor, duplicate)
        except MergeInverted:
            return "inverted"
        return "merged"

    answers = await asyncio.gather(one(a, b), one(b, a))

    assert sorted(answers) == ["inverted", "merged"]


@pytest.mark.parametrize("born", [(1980, 13, 1), (1980, 2, 30), (1980, 0, 4), (12, 1, 1)])
async def test_absurd_dates_are_refused(patients: Patients, born: tuple[int, int, int]) -> None:
    """A date that no calendar or no patient has is an invalid field."""
    year, month, day = born
    person = anne()
    person.birth_date.CopyFrom(Date(year=year, month=month, day=day))

    with pytest.raises(InvalidField):
        await patients.CreatePatient(patient_service_pb2.CreatePatientRequest(patient=person))


@pytest.mark.parametrize("sign", ["\a", "\x1b", "\u202e", "\u2066"])
async def test_control_characters_are_in_no_name_and_no_number(
    patients: Patients, sign: str
) -> None:
    """Neither of a new patient, nor by a change, nor in the reason of a merge."""
    made, other = await create(patients), await create(patients)
    name = UpdatePatientRequest(
        patient=Patient(name=made.name, used_name=f"Cu{sign}rie"),
        update_mask=FieldMask(paths=["used_name"]),
    )
    asked = patient_service_pb2.MergePatientsRequest(
        survivor=made.name, duplicate=other.name, reason=f"on{sign}e"
    )

    for refused in (
        create(patients, birth_name=f"Cu{sign}rie"),
        create(patients, numbered(f"1{sign}2")),
        patients.UpdatePatient(name),
        patients.MergePatients(asked),
    ):
        with pytest.raises(InvalidField):
            await refused

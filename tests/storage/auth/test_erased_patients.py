"""What auth does when a patient is erased: it holds grants about them, and others follow it."""

from uuid import UUID

from auth.storage.subject_data import holdings
from core.contract import everything
from core.ids import name_of, new_id
from core.subject.erasure import Erasure
from core.subject.person import Person
from core.subject.receipts import Record
from tests.support.credentials import Auth
from tests.support.emergencies import doctor_of, emergency, told


def erasure(auth: Auth) -> Erasure:
    """What erases persons from auth."""
    everything()
    return Erasure(holdings(), auth.keyring)


async def erase(auth: Auth, patient: UUID) -> None:
    """Erase a patient as compliance has it done."""
    person, request = Person("patient", (patient,)), name_of("erasureRequests", new_id())
    async with auth.database.begin() as tx:
        plan = await erasure(auth).plan(tx, person, None)
        await erasure(auth).execute(tx, request, plan.digest, person, None)


def naming(auth: Auth, patient: UUID) -> int:
    """How many rows of grants and of the state name a patient."""
    rows = auth.rows(
        "SELECT 1 FROM auth_state WHERE event::text LIKE %s"
        " UNION ALL SELECT 1 FROM access_grant WHERE patient_id::text = %s",
        f"%{patient}%",
        str(patient),
    )
    return len(rows)


async def test_no_server_knows_a_grant_about_who_was_erased(auth: Auth) -> None:
    """It has ended for who follows, and the state names the patient no more; others stay."""
    doctor, token = await doctor_of(auth)
    assert doctor.subject is not None
    patient, other = new_id(), new_id()
    await emergency(auth, patient)
    await emergency(auth, other)

    await erase(auth, patient)

    [left] = (await told(auth)).grants.of(doctor.subject, doctor.organization)
    assert left.grant.patient == other
    assert [each.grant.patient for each in (await auth.proving.prove(token)).grants] == [other]
    assert naming(auth, patient) == 0


async def test_a_follower_hears_of_it(auth: Auth) -> None:
    """By an event of the commit in which the rows went."""
    doctor, _ = await doctor_of(auth)
    assert doctor.subject is not None
    made = await emergency(auth, new_id())
    state = await told(auth)
    patient = UUID(made.patient.removeprefix("patients/"))

    await erase(auth, patient)

    async with auth.store.begin() as tx:
        heard = await tx.state.since(state.revision)
    assert heard.revision == state.revision + 1
    [(_, event)] = heard.events
    assert (event["grant"], event["revoked"]) == (made.name.removeprefix("accessGrants/"), True)
    assert str(patient) not in str(event)


async def test_a_restore_does_it_again(auth: Auth) -> None:
    """Row and state came back with the backup, and go."""
    await doctor_of(auth)
    made = await emergency(auth, new_id())
    patient = UUID(made.patient.removeprefix("patients/"))
    await erase(auth, patient)
    [row] = auth.rows("SELECT * FROM erasure_receipt")
    record = Record(
        row["request_id"], row["plan_digest"], tuple(row["persons"]), tuple(row["erased"]),
        row["executed_at"], row["receipt"],
    )  # fmt: skip
    auth.rewrite("DELETE FROM erasure_receipt")
    await emergency(auth, patient)

    async with auth.database.begin() as tx:
        again = await erasure(auth).redo(tx, record)

    assert again == 1
    assert naming(auth, patient) == 0

"""Which of the caller's grants a method takes, and what the record of access says of them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from core.contract import Method, everything
from core.database.access import AccessRecord
from core.identity import Call, Caller, Grant, Kind
from core.ids import name_of, new_id
from core.rpc.audit import record_access
from core.rpc.authorize import grants_for
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as patients

GIVEN = Grant(new_id(), new_id(), break_glass=False)
TAKEN = Grant(new_id(), new_id(), break_glass=True)
HOLDER = Caller(Kind.USER, new_id(), new_id(), grants=(TAKEN, GIVEN))
_PATIENTS = "medhub.clinical.v1.PatientService"


def method(name: str) -> Method:
    """A method of the contract."""
    return everything().methods[f"/{_PATIENTS}/{name}"]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("GetPatient", (GIVEN, TAKEN)),
        ("ListPatients", (GIVEN,)),
        ("UpdatePatient", ()),
        ("DeletePatient", ()),
        ("MergePatients", ()),
        ("LookupPatientIdentities", ()),
    ],
)
def test_a_method_takes_what_its_contract_says(name: str, taken: tuple[Grant, ...]) -> None:
    """What reads a record takes what was given; an emergency, where it says so."""
    assert grants_for(method(name), HOLDER) == taken
    assert grants_for(method(name), replace(HOLDER, grants=())) == ()


class _Kept:
    """Keeps records in memory."""

    def __init__(self) -> None:
        self.records: list[AccessRecord] = []

    async def record(self, records: Any) -> None:
        self.records += records


async def test_the_record_says_which_grant_opened_whom() -> None:
    """Whom a link opens is told as ever, an emergency stands in clear."""
    linked, given, taken = new_id(), new_id(), new_id()
    call = Call("GetPatient", HOLDER, opened={given: GIVEN, taken: TAKEN})
    page = patients.ListPatientsResponse(
        patients=[patient_pb2.Patient(name=name_of("patients", p)) for p in (linked, given, taken)]
    )
    kept = _Kept()

    await record_access(kept, method("ListPatients"), call, None, page)

    told: dict[UUID, Any] = {each.subjects[0]: dict(each.detail) for each in kept.records}
    assert told == {
        linked: {},
        given: {"grant": name_of("accessGrants", GIVEN.id)},
        taken: {"grant": name_of("accessGrants", TAKEN.id), "break_glass": True},
    }

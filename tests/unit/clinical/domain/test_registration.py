"""Whom a message is about, and what it makes of them."""

from typing import Any

import pytest
from buf.validate import validate_pb2

from clinical.domain.hl7 import PatientIdentity
from clinical.domain.hl7 import Sex as Hl7Sex
from clinical.domain.hl7_values import ERASE, Moment, PartialDate, Precision
from clinical.domain.identifiers import (
    MOST_IDENTIFIERS,
    IdentifierType,
    IdentifierUse,
    PatientIdentifier,
)
from clinical.domain.patients import Sex, Traits
from clinical.domain.registration import (
    MERGED,
    SEVERAL,
    TOO_MANY,
    Holder,
    Named,
    are_one,
    identifiers_after,
    name_patient,
    possible_traits,
    replaces_given_names,
    traits_after,
)
from core.clock import now
from core.ids import new_id
from medhub.clinical.v1 import patient_pb2

IPP = PatientIdentifier("CHU-X", IdentifierType.PI, "1")
OTHER = PatientIdentifier("CHU-Y", IdentifierType.PI, "2")
INS = PatientIdentifier("1.2.250.1.213.1.4.8", IdentifierType.INS, "280057505604212")
ANNE = Traits(birth_name="Martin", birth_date="1980-05-17", sex=Sex.FEMALE)
A, B = Holder(new_id(), new_id()), Holder(new_id(), new_id())


def numbers(system: str, count: int) -> tuple[PatientIdentifier, ...]:
    """Numbers of one issuer."""
    return tuple(PatientIdentifier(system, IdentifierType.PI, f"{i}") for i in range(count))


def alone(holder: Holder) -> Holder:
    """Somebody who was merged into nobody."""
    return Holder(holder.living, holder.living)


def test_the_hospitals_own_number_decides() -> None:
    """An INS that says otherwise is not followed."""
    named = name_patient((INS, IPP), {0: alone(B), 1: alone(A)})

    assert named == Named(A.living)


def test_an_ins_alone_names_somebody_with_care() -> None:
    """Whoever applies it checks the traits."""
    assert name_patient((INS, IPP), {0: alone(A)}) == Named(A.living, by_ins=True)
    assert are_one(ANNE, Traits(birth_name="MARTIN", birth_date="1980-05-17", sex=Sex.FEMALE))
    assert not are_one(ANNE, Traits(birth_name="MARTIN", birth_date="1980-05-17", sex=Sex.MALE))
    assert not are_one(ANNE, Traits(birth_name="X", birth_date="1980-05-17", sex=Sex.FEMALE))


def test_what_is_odd_is_a_finding() -> None:
    """Numbers of two people, and the number of somebody who was merged."""
    assert name_patient((), {}) == Named(None)
    assert name_patient((IPP, OTHER), {0: alone(A), 1: alone(B)}).findings == (SEVERAL,)
    assert name_patient((IPP,), {0: A}) == Named(A.living, findings=(MERGED,))


def test_absent_changes_nothing_and_erased_erases() -> None:
    """The birth name alone is never erased."""
    quiet = traits_after(ANNE, PatientIdentity(()))
    erased = traits_after(ANNE, PatientIdentity((), birth_name=ERASE, birth_date=ERASE, sex=ERASE))

    assert quiet == ANNE
    assert erased == Traits(birth_name="Martin")


def test_values_are_taken_over() -> None:
    """With the precision they came in."""
    died = Moment(now(), Precision.DAY, offset_stated=True)
    sent = PatientIdentity(
        (),
        first_birth_given="Anne",
        birth_date=PartialDate(1980, 5),
        sex=Hl7Sex.AMBIGUOUS,
        died=died,
    )

    after = traits_after(ANNE, sent)

    assert (after.birth_date, after.sex) == ("1980-05", Sex.OTHER)
    assert after.birth_given_names == after.first_birth_given_name == "Anne"
    assert after.death_date == died.at.date().isoformat()
    assert traits_after(after, PatientIdentity((), is_dead=False)).death_date == ""


def test_a_new_ins_makes_the_one_before_old() -> None:
    """Both stay; another hospital's number stands beside."""
    newer = PatientIdentifier(INS.system, IdentifierType.INS, "280057505604213")

    after, findings = identifiers_after((IPP, INS), (IPP, newer, OTHER))

    assert not findings
    assert [(one.value, one.use) for one in after] == [
        ("1", IdentifierUse.OFFICIAL),
        (INS.value, IdentifierUse.OLD),
        (newer.value, IdentifierUse.OFFICIAL),
        ("2", IdentifierUse.OFFICIAL),
    ]
    assert identifiers_after((IPP, INS), (INS, IPP)) == ((IPP, INS), ())


def test_numbers_beyond_the_bound_are_left_out_and_told() -> None:
    """What is known stays; of the new an INS has its place first, then they come as sent."""
    known, sent = numbers("CHU-X", MOST_IDENTIFIERS - 2), numbers("CHU-Y", 3)

    after, findings = identifiers_after(known, (*sent, INS))

    assert after == (*known, sent[0], INS)
    assert findings == (TOO_MANY,)
    assert identifiers_after(after, (*known, sent[0], INS)) == (after, ())


@pytest.mark.parametrize("more", [0, 41])
def test_a_full_list_stays_as_it_is(more: int) -> None:
    """Also one of more numbers: an INS for which there is no room makes none before it old."""
    known = (INS, *numbers("CHU-X", MOST_IDENTIFIERS - 1 + more))
    newer = PatientIdentifier(INS.system, IdentifierType.INS, "280057505604213")

    assert identifiers_after(known, (newer, OTHER)) == (known, (TOO_MANY,))


def test_the_bound_is_that_of_the_contract() -> None:
    """Whatever can be read can be written back."""
    options: Any = patient_pb2.Patient.DESCRIPTOR.fields_by_name["identifiers"].GetOptions()

    assert options.Extensions[validate_pb2.field].repeated.max_items == MOST_IDENTIFIERS


def test_another_first_name_alone_replaces_the_list() -> None:
    """The list and its first name never contradict each other; the same name keeps the list."""
    known = Traits(birth_name="X", birth_given_names="Marc Jean", first_birth_given_name="Marc")
    other = PatientIdentity((), first_birth_given="Marcel")
    same = PatientIdentity((), first_birth_given="MARC")

    after = traits_after(known, other)

    assert replaces_given_names(known, other)
    assert after.birth_given_names == after.first_birth_given_name == "Marcel"
    assert not replaces_given_names(known, same)
    assert traits_after(known, same).birth_given_names == "Marc Jean"


def test_a_date_that_cannot_be_is_not_taken() -> None:
    """It is a finding, and what was known stays."""
    sent = Traits(birth_name="Martin", birth_date="2999-01-01", sex=Sex.MALE)

    after, findings = possible_traits(ANNE, sent, at=now())

    assert (after.birth_date, after.sex) == ("1980-05-17", Sex.MALE)
    assert [one.rule for one in findings] == ["patient.birth-date"]

"""PID to a patient's identity, in its French and its generic forms."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clinical.domain.hl7 import (
    Identifier,
    Issuer,
    PatientIdentity,
    Sex,
    Trust,
)
from clinical.domain.hl7_values import ABSENT, ERASE, PartialDate
from clinical.domain.ins import NIR_TEST, Ins
from clinical.formats.hl7v2.ack import Verdict
from clinical.formats.hl7v2.reader import Terms
from tests.support import hl7_messages as messages
from tests.support.hl7_messages import ANNE
from tests.support.hl7_readings import event_of, reading_of, rules_of

CHU = Issuer("CHU-X", "1.2.250.1.999.1", "ISO")


def _patient(**changes: str) -> PatientIdentity:
    return event_of(messages.adt("A31", replace(ANNE, **changes))).patient  # type: ignore[arg-type]


def test_a_french_identity_is_read_whole() -> None:
    """Identifiers with issuers, names at birth and in use, traits, status."""
    patient = event_of(messages.adt("A28", messages.ANNE_WITH_INS)).patient

    ins_issuer = Issuer("ASIP-SANTE-INS-NIR", NIR_TEST, "ISO")
    assert patient == PatientIdentity(
        identifiers=(
            Identifier("100001", CHU, "PI"),
            Identifier(messages.TEST_INS, ins_issuer, "INS", PartialDate(2010, 12, 7)),
        ),
        ins=Ins(messages.TEST_INS, NIR_TEST),
        ins_from_insi=True,
        birth_name="MARTIN",
        first_birth_given="ANNE",
        birth_given_names="ANNE MARIE JEANNE",
        used_name="DURAND",
        used_given_name="ANNE",
        birth_date=PartialDate(1980, 5, 17),
        sex=Sex.FEMALE,
        birth_cog="75056",
        status_codes=("VALI",),
        updated=patient.updated,
    )
    assert patient.trust is Trust.QUALIFIED


def test_a_generic_identity_has_its_birth_name_where_a_maiden_name_is() -> None:
    """With M and L, L is the name in use; XPN-3 follows XPN-2."""
    patient = event_of(messages.adt("A04", messages.GENERIC_ANNE, form=messages.GENERIC)).patient

    assert (patient.birth_name, patient.used_name) == ("MARTIN", "DURAND")
    assert (patient.first_birth_given, patient.birth_given_names) == ("ANNE", "ANNE MARIE")


@pytest.mark.parametrize(
    ("names", "birth_name", "given_names", "used_name"),
    [
        ("", ABSENT, ABSENT, ABSENT),
        ('""', ABSENT, ABSENT, ABSENT),
        ('""~""', ABSENT, ABSENT, ABSENT),
        ('""~DURAND^^^^^^D', ABSENT, ABSENT, "DURAND"),
        ("MARTIN", "MARTIN", ABSENT, ABSENT),
        ("MARTIN^ANNE", "MARTIN", ABSENT, ABSENT),
        ('MARTIN^ANNE^""^^^^L', "MARTIN", ERASE, ABSENT),
        ('MARTIN^^^^^^L~""^^^^^^D', "MARTIN", ABSENT, ERASE),
        ("MARTIN^ANNE^ANNE,MARIE^^^^L", "MARTIN", "ANNE MARIE", ABSENT),
        ("MARTIN^ANNE^ANNETTE^^^^L", "MARTIN", "ANNE ANNETTE", ABSENT),
        ("D'A\\T\\B&de^ANNE^^^^^L", "D'A&B", ABSENT, ABSENT),
    ],
)
def test_names_keep_their_states(
    names: str, birth_name: object, given_names: object, used_name: object
) -> None:
    """An empty or null name changes nothing, and a part of it that is null erases."""
    patient = _patient(names=names)

    assert (patient.birth_name, patient.birth_given_names, patient.used_name) == (
        birth_name,
        given_names,
        used_name,
    )


def test_an_update_with_empty_fields_erases_nothing() -> None:
    """The classic disaster does not happen."""
    patient = _patient(names="", born="", sex="", address="", status="", updated="")

    assert patient == PatientIdentity(identifiers=(Identifier("100001", CHU, "PI"),))


@pytest.mark.parametrize("sign", ["\a", "\x1b", "\\X1B\\", "\u202e", "\u2069"])
def test_a_name_or_number_with_controls_is_left_out(sign: str) -> None:
    """Without them it could be another's: it is a finding, and the rest takes effect."""
    spoilt = f"10{sign}0001^^^CHU-X&1.2.250.1.999.1&ISO^PI"
    person = replace(
        ANNE, names=f"MAR{sign}TIN^ANNE^^^^^L", identifiers=(ANNE.identifiers[0], spoilt)
    )

    reading = reading_of(messages.adt("A28", person))

    patient = event_of(messages.adt("A28", person)).patient
    assert (patient.birth_name, patient.first_birth_given) == (ABSENT, "ANNE")
    assert patient.identifiers == (Identifier("100001", CHU, "PI"),)
    assert rules_of(reading).count("message.controls") == 2


def test_an_update_with_null_fields_erases() -> None:
    """`""` is a statement."""
    null = '""'
    patient = _patient(born=null, sex=null, status=null, died=null, dead=null)

    states = (patient.birth_date, patient.sex, patient.status_codes)
    assert states == (ERASE,) * 3
    assert (patient.died, patient.is_dead) == (ERASE, ERASE)


@pytest.mark.parametrize(
    ("born", "written"),
    [("1980", PartialDate(1980)), ("198005", PartialDate(1980, 5)), ("19800230", ABSENT)],
)
def test_a_birth_date_keeps_its_precision(born: str, written: object) -> None:
    """A day that never was is a finding and changes nothing."""
    assert _patient(born=born).birth_date == written


def test_a_death_is_read() -> None:
    """PID-29 and PID-30."""
    patient = _patient(died="202603010415+0100", dead="Y")

    assert patient.is_dead is True
    assert patient.died is not ABSENT
    assert patient.died is not ERASE
    assert patient.died.at_utc == datetime(2026, 3, 1, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cx", "rule", "verdict"),
    [
        (messages.ins_of_test("280057505604274"), "ins.key", Verdict.ACCEPTED),
        (messages.ins_of_test("2800575056042"), "ins.key-missing", Verdict.ACCEPTED),
        (messages.ins_of_test("28005"), "ins.shape", Verdict.ACCEPTED),
        ("280057505604273^^^X^INS", "ins.authority", Verdict.ACCEPTED),
        ("280057505604273^^^N&1.2.250.1.213.1.4.8&ISO^INS", "ins.tenant-kind", Verdict.ERROR),
    ],
)
def test_a_wrong_ins_is_a_finding(cx: str, rule: str, verdict: Verdict) -> None:
    """A test tenant refuses real authorities; other faults are noted, and the patient is read."""
    reading = reading_of(messages.adt("A28", replace(ANNE, identifiers=(messages.ipp("1"), cx))))

    assert rules_of(reading) == [rule]
    assert str(reading.findings[0].place) == "PID^1^3^2"
    assert reading.verdict is verdict


def test_a_production_tenant_refuses_a_test_ins() -> None:
    """Nobody else enforces it."""
    reading = reading_of(messages.adt("A28", messages.ANNE_WITH_INS), Terms())

    assert (rules_of(reading), reading.verdict) == (["ins.tenant-kind"], Verdict.ERROR)

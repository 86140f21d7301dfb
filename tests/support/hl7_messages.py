"""Builders of HL7 v2 messages about people who do not exist.

Every INS is made here, under the TEST authority only. Values are given as HL7 text, so that a
test can write any of the three states of a field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clinical.domain.ins import NIR_TEST, key_of

CR = "\r"
# A woman born in May 1980 in Paris (75056), who never lived.
TEST_BODY = "2800575056042"
TEST_INS = TEST_BODY + key_of(TEST_BODY)
IPP_ISSUER = "CHU-X&1.2.250.1.999.1&ISO"


def ipp(value: str, issuer: str = IPP_ISSUER) -> str:
    """A hospital's patient number as a CX."""
    return f"{value}^^^{issuer}^PI"


def ins_of_test(matricule: str = TEST_INS) -> str:
    """An INS of the test authority as a CX, in the form of PAM France."""
    return f"{matricule}^^^ASIP-SANTE-INS-NIR&{NIR_TEST}&ISO^INS^^20101207"


@dataclass(frozen=True)
class Form:
    """How a sender writes: the French profile or plain HL7."""

    version: str
    country: str
    charset: str
    profile: str


FRENCH = Form("2.5^FRA^2.11", "FRA", "UNICODE UTF-8", "2.11^IHE_FRANCE-2.11-PAM")
GENERIC = Form("2.3", "", "", "")


def segment(name: str, fields: dict[int, str]) -> str:
    """A segment from its fields by number, empty where none is given."""
    last = max(fields, default=0)
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def msh(
    kind: str,
    control_id: str = "M0001",
    form: Form = FRENCH,
    *,
    accept: str = "",
    application: str = "",
    processing_id: str = "P",
) -> str:
    """An MSH; `accept` and `application` are MSH-15 and MSH-16."""
    fields = {
        3: "GAM",
        4: "CHU-X",
        5: "MEDHUB",
        6: "HUB",
        7: "20260301101500+0100",
        9: kind,
        10: control_id,
        11: processing_id,
        12: form.version,
        15: accept,
        16: application,
        17: form.country,
        18: form.charset,
        21: form.profile,
    }
    return "MSH|^~\\&|" + segment("", {number - 2: text for number, text in fields.items()})[1:]


@dataclass(frozen=True)
class Person:
    """The fields of PID as HL7 text; "" is absent and '""' erases."""

    identifiers: tuple[str, ...] = (ipp("100001"),)
    names: str = "MARTIN^ANNE^ANNE MARIE JEANNE^^^^L~DURAND^ANNE^^^^^D"
    born: str = "19800517"
    sex: str = "F"
    address: str = "^^PARIS^^75056^FRA^BDL^^75056"
    account: str = ""
    died: str = ""
    dead: str = ""
    status: str = "VALI"
    updated: str = "20260228120000+0100"

    def pid(self) -> str:
        """The PID segment."""
        fields = {
            1: "1",
            3: "~".join(self.identifiers),
            5: self.names,
            7: self.born,
            8: self.sex,
            11: self.address,
            18: self.account,
            29: self.died,
            30: self.dead,
            32: self.status,
            33: self.updated,
        }
        return segment("PID", {number: text for number, text in fields.items() if text})


ANNE = Person()
ANNE_WITH_INS = replace(ANNE, identifiers=(ipp("100001"), ins_of_test()))
GENERIC_ANNE = Person(
    names="DURAND^ANNE^MARIE^^^^L~MARTIN^ANNE^MARIE^^^^M", address="", status="", updated=""
)


def pv1(
    visit: str = "V0001^^^CHU-X&1.2.250.1.999.1&ISO^VN",
    *,
    patient_class: str = "I",
    location: str = "CARDIO^12^1^CHU-X",
    attending: str = "10101234567^HOUSE^GREGORY^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS",
    admitted: str = "20260301100000+0100",
    discharged: str = "",
) -> str:
    """A PV1 segment."""
    fields = {
        1: "1",
        2: patient_class,
        3: location,
        7: attending,
        19: visit,
        44: admitted,
        45: discharged,
    }
    return segment("PV1", {number: text for number, text in fields.items() if text})


def zbe(trigger: str = "A01", action: str = "INSERT") -> str:
    """A French movement segment."""
    fields = {
        1: "MVT1^CHU-X^1.2.250.1.999.1^ISO",
        2: "20260301100000+0100",
        4: action,
        5: "N",
        6: trigger,
        7: "CARDIOLOGIE^^^^^CHU-X&1.2.250.1.999.1&ISO^UF^^^2101",
        8: "SOINS^^^^^CHU-X&1.2.250.1.999.1&ISO^UF^^^2102",
        9: "M",
    }
    return segment("ZBE", fields)


ZFD = segment("ZFD", {3: "Y", 4: "N", 5: "INSI", 6: "20211201"})
_STRUCTURES = {"A01": "ADT_A01", "A03": "ADT_A03", "A04": "ADT_A01", "A08": "ADT_A01"}


def joined(segments: Sequence[str], terminator: str = CR) -> str:
    """Segments as a message, each of them ended."""
    return "".join(one + terminator for one in segments)


def adt(
    trigger: str,
    person: Person = ANNE,
    *,
    control_id: str = "M0001",
    form: Form = FRENCH,
    stay: str | None = None,
    accept: str = "",
    application: str = "",
) -> str:
    """An ADT message about one patient; A01, A03, A04 and A08 have a PV1, French ones a ZBE."""
    structure = _STRUCTURES.get(trigger, "ADT_A05")
    kind = f"ADT^{trigger}^{structure}" if form is FRENCH else f"ADT^{trigger}"
    lines = [
        msh(kind, control_id, form, accept=accept, application=application),
        "EVN||20260301101500+0100||||20260301100000+0100",
        person.pid(),
    ]
    if trigger in _STRUCTURES:
        lines.append(pv1() if stay is None else stay)
        lines += [zbe(trigger)] if form is FRENCH else []
    if any(NIR_TEST in identifier for identifier in person.identifiers):
        lines.append(ZFD)
    return joined(lines)


def merge(
    survivor: Person = ANNE,
    loser: str = ipp("200002"),
    *,
    control_id: str = "M0040",
    form: Form = FRENCH,
) -> str:
    """An A40: `loser` (a CX) is merged into the survivor."""
    kind = "ADT^A40^ADT_A39" if form is FRENCH else "ADT^A40"
    lines = [msh(kind, control_id, form), "EVN||20260301101500+0100", survivor.pid()]
    return joined([*lines, segment("MRG", {1: loser})])


def obx(
    number: int,
    kind: str,
    code: str,
    value: str,
    *,
    unit: str = "",
    reference_range: str = "",
    flags: str = "",
    status: str = "F",
    at: str = "20260301080000+0100",
) -> str:
    """One OBX."""
    fields = {
        1: str(number),
        2: kind,
        3: code,
        5: value,
        6: unit,
        7: reference_range,
        8: flags,
        11: status,
        14: at,
    }
    return segment("OBX", {position: text for position, text in fields.items() if text})


GLUCOSE = "2345-7^Glucose^LN^GLU^Glycémie^L"
DEFAULT_OBSERVATIONS = (
    obx(1, "NM", GLUCOSE, "5.40", unit="mmol/L^mmol/L^UCUM", reference_range="4.1-5.9", flags="N"),
    obx(2, "SN", "6690-2^Leukocytes^LN", ">^100", unit="10*9/L^^UCUM", flags="HH"),
    obx(3, "CWE", "883-9^ABO group^LN", "A^A^L"),
    obx(4, "TX", "8251-1^Comment^LN", "Hémolyse légère~Contrôler"),
)


def oru(
    observations: Sequence[str] = DEFAULT_OBSERVATIONS,
    person: Person = ANNE,
    *,
    control_id: str = "R0001",
    form: Form = FRENCH,
    status: str = "F",
    order: str = "F77^LABO",
    issued: str = "20260301093000+0100",
) -> str:
    """An ORU^R01 with one order: `order` is its filler's number, `issued` when it was reported."""
    kind = "ORU^R01^ORU_R01" if form is FRENCH else "ORU^R01"
    obr = {
        1: "1",
        2: "P77^LABO",
        3: order,
        4: "24323-8^Comprehensive metabolic panel^LN",
        7: "20260301080000+0100",
        22: issued,
        25: status,
    }
    lines = [msh(kind, control_id, form), person.pid(), pv1(), f"ORC|RE|P77^LABO|{order}"]
    return joined([*lines, segment("OBR", obr), *observations])

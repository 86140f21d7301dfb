"""HL7 v2 messages of the demonstration, about people who do not exist.

Everybody here has an INS of the test authority; a few letters and numbers set runs apart, so
that the story can be told again on the same data.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from clinical.domain.ins import NIR_TEST, key_of

ISSUER = "SAINT-LUC&1.2.250.1.999.7&ISO"
SYSTEM = "1.2.250.1.999.7"


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody invented. `born` is `YYYYMMDD`, `sex` is F or M, `body` an INS without its key."""

    ipp: str
    name: str
    given: str
    born: str
    sex: str
    body: str = ""

    def pid(self) -> str:
        """The PID segment."""
        numbers = [f"{self.ipp}^^^{ISSUER}^PI"]
        if self.body:
            ins = self.body + key_of(self.body)
            numbers.append(f"{ins}^^^ASIP-SANTE-INS-NIR&{NIR_TEST}&ISO^INS")
        name = f"{self.name}^{self.given}^{self.given}^^^^L"
        return f"PID|1||{'~'.join(numbers)}||{name}||{self.born}|{self.sex}"


@dataclass(frozen=True, slots=True)
class Result:
    """One measured value: a LOINC code, its label, a decimal, a UCUM unit, a normal range."""

    code: str
    label: str
    value: str
    unit: str
    normal: str
    flag: str = ""

    def obx(self, number: int, at: str) -> str:
        """The OBX segment."""
        return (
            f"OBX|{number}|NM|{self.code}^{self.label}^LN||{self.value}|{self.unit}|"
            f"{self.normal}|{self.flag}|||F|||{at}"
        )


def header(kind: str, control_id: str, at: datetime) -> str:
    """The MSH segment of the demonstration's sender."""
    return (
        f"MSH|^~\\&|GAM|SAINT-LUC|MEDHUB|HUB|{_stamp(at)}||{kind}|{control_id}|P|"
        "2.5^FRA^2.11|||||FRA|UNICODE UTF-8"
    )


def admission(
    patient: Patient, control_id: str, *, visit: str, unit: str, attending: str, at: datetime
) -> bytes:
    """ADT^A01: a stay begins, under a unit's code and an attending doctor's RPPS number."""
    doctor = f"{attending}^DOCTEUR^^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS"
    fields = {2: "I", 3: f"{unit}^101^1", 7: doctor, 19: visit, 44: _stamp(at)}
    pv1 = "PV1|1|" + "|".join(fields.get(n, "") for n in range(2, 45))
    return _joined(
        header("ADT^A01^ADT_A01", control_id, at), f"EVN||{_stamp(at)}", patient.pid(), pv1
    )


def results(
    patient: Patient, control_id: str, *, visit: str, values: tuple[Result, ...], at: datetime
) -> bytes:
    """ORU^R01: results of a laboratory."""
    pv1 = "PV1|1|I" + "|" * 17 + visit
    obr = f"OBR|1|{control_id}|{control_id}|18719-5^Chimie^LN|||{_stamp(at)}"
    observed = (v.obx(n, _stamp(at)) for n, v in enumerate(values, 1))
    return _joined(header("ORU^R01^ORU_R01", control_id, at), patient.pid(), pv1, obr, *observed)


def new_identity(patient: Patient, control_id: str, at: datetime) -> bytes:
    """ADT^A28: somebody becomes known, without a stay."""
    event = f"EVN||{_stamp(at)}"
    return _joined(header("ADT^A28^ADT_A05", control_id, at), event, patient.pid(), "PV1|1|N")


def merge(survivor: Patient, duplicate: Patient, control_id: str, at: datetime) -> bytes:
    """ADT^A40: two identities are one person."""
    mrg = f"MRG|{duplicate.ipp}^^^{ISSUER}^PI"
    event = f"EVN||{_stamp(at)}"
    return _joined(header("ADT^A40^ADT_A39", control_id, at), event, survivor.pid(), mrg)


def now() -> datetime:
    """The present second."""
    return datetime.now(UTC).replace(microsecond=0)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S+0000")


def _joined(*segments: str) -> bytes:
    return ("\r".join(segments) + "\r").encode()

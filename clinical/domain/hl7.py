"""What an HL7 v2 message tells us, once its syntax is behind us.

Fields that a message can change have the three states of `hl7_values`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias

from clinical.domain.hl7_values import ABSENT, Moment, PartialDate, State, valued
from clinical.domain.ins import Ins


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who assigned an identifier: HL7's HD, any part of which may be "" (not said)."""

    namespace: str = ""
    oid: str = ""
    oid_type: str = ""

    @property
    def system(self) -> str:
        """What tells it from others: its OID, or its name where it has none."""
        return self.oid or self.namespace


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier: its value, issuer and type (HL70203: PI, AN, VN, INS…; "" not said)."""

    value: str
    issuer: Issuer = Issuer()
    type: str = ""
    valid_from: PartialDate | None = None
    valid_until: PartialDate | None = None


class Sex(Enum):
    """Administrative sex, HL70001."""

    FEMALE = "F"
    MALE = "M"
    OTHER = "O"
    UNKNOWN = "U"
    AMBIGUOUS = "A"
    NOT_APPLICABLE = "N"


class Trust(Enum):
    """How far an identity is trusted (RNIV): neither proof, INSi only, document only, both."""

    PROVISIONAL = "PROV"
    RETRIEVED = "RECUP"
    VALIDATED = "VALI"
    QUALIFIED = "QUAL"


class Annotation(Enum):
    """Warnings that stand beside the trust in an identity, and are not part of it."""

    HOMONYM = "homonym"
    DOUBTFUL = "doubtful"
    FICTITIOUS = "fictitious"
    DUPLICATE = "duplicate"
    COLLISION = "collision"


# PID-32 mixes status and annotation in one table (HL70445 as France extends it).
_ANNOTATIONS: Final = {
    "HOMD": Annotation.HOMONYM,
    "HOMA": Annotation.HOMONYM,
    "DOUB": Annotation.DOUBTFUL,
    "DOUT": Annotation.DOUBTFUL,
    "FICT": Annotation.FICTITIOUS,
    "DPOT": Annotation.DUPLICATE,
    "DOUA": Annotation.DUPLICATE,
    "COLP": Annotation.COLLISION,
    "COLV": Annotation.COLLISION,
}


def annotations_of(codes: tuple[str, ...]) -> frozenset[Annotation]:
    """The annotations among the codes of PID-32."""
    return frozenset(_ANNOTATIONS[code] for code in codes if code in _ANNOTATIONS)


def trust_of(codes: tuple[str, ...], *, ins_from_insi: bool) -> Trust | None:
    """The trust that PID-32 claims, or None when it claims none.

    A doubtful or fictitious identity is provisional whatever else is said. `ins_from_insi` is
    whether the sender says that the INSi service gave the INS (ZFD-5).
    """
    annotations = annotations_of(codes)
    if annotations & {Annotation.DOUBTFUL, Annotation.FICTITIOUS}:
        return Trust.PROVISIONAL
    if "VALI" in codes:
        return Trust.QUALIFIED if ins_from_insi else Trust.VALIDATED
    if "PROV" in codes:
        return Trust.RETRIEVED if ins_from_insi else Trust.PROVISIONAL
    return None


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """Who a message is about. `identifiers` holds every one of PID-3, the INS included."""

    identifiers: tuple[Identifier, ...]
    ins: Ins | None = None
    ins_from_insi: bool = False
    birth_name: State[str] = ABSENT
    first_birth_given: State[str] = ABSENT
    birth_given_names: State[str] = ABSENT
    used_name: State[str] = ABSENT
    used_given_name: State[str] = ABSENT
    birth_date: State[PartialDate] = ABSENT
    sex: State[Sex] = ABSENT
    birth_cog: State[str] = ABSENT
    status_codes: State[tuple[str, ...]] = ABSENT
    updated: State[Moment] = ABSENT
    died: State[Moment] = ABSENT
    is_dead: State[bool] = ABSENT

    @property
    def trust(self) -> Trust | None:
        """The trust that the sender claims for this identity, or None."""
        return trust_of(valued(self.status_codes) or (), ins_from_insi=self.ins_from_insi)


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A person who cares, as a message names them; `rpps` is "" unless the id is an RPPS."""

    identifier: Identifier
    family: str = ""
    given: str = ""
    rpps: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a patient lies (HL7's PL): `unit` is the point of care."""

    unit: str = ""
    room: str = ""
    bed: str = ""
    facility: Issuer = Issuer()


@dataclass(frozen=True, slots=True)
class Movement:
    """ZBE, the French movement: its id, time, action, nature and responsible units."""

    identifiers: tuple[Identifier, ...]
    at: State[Moment] = ABSENT
    action: str = ""
    original_trigger: str = ""
    medical_unit: str = ""
    care_unit: str = ""
    nature: str = ""


@dataclass(frozen=True, slots=True)
class Encounter:
    """A stay or visit as PV1 and PID-18 describe it; `encounter_class` is HL70004 (I, O, E…)."""

    visit: State[Identifier] = ABSENT
    account: State[Identifier] = ABSENT
    encounter_class: State[str] = ABSENT
    location: State[Location] = ABSENT
    attending: State[tuple[Practitioner, ...]] = ABSENT
    admitted: State[Moment] = ABSENT
    discharged: State[Moment] = ABSENT
    movement: Movement | None = None


class Trigger(Enum):
    """The events that clinical understands."""

    ADMIT = "A01"
    DISCHARGE = "A03"
    REGISTER = "A04"
    UPDATE = "A08"
    ADD_PERSON = "A28"
    UPDATE_PERSON = "A31"
    MERGE = "A40"
    RESULTS = "R01"


@dataclass(frozen=True, slots=True)
class PatientEvent:
    """An ADT event about one patient and, where PV1 says so, one encounter."""

    trigger: Trigger
    patient: PatientIdentity
    encounter: Encounter | None
    occurred: State[Moment] = ABSENT
    recorded: State[Moment] = ABSENT


@dataclass(frozen=True, slots=True)
class Merge:
    """One A40 pair: what PID-3 names survives, what MRG-1 names is merged into it."""

    survivor: PatientIdentity
    loser: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class Merges:
    """An A40 message: at least one pair, in the order of the message."""

    pairs: tuple[Merge, ...]
    occurred: State[Moment] = ABSENT


@dataclass(frozen=True, slots=True)
class Coded:
    """A code with its text and system, and the same in a second system when given (CWE)."""

    code: str = ""
    text: str = ""
    system: str = ""
    other_code: str = ""
    other_text: str = ""
    other_system: str = ""

    def in_system(self, *systems: str) -> str:
        """The code in the first of its two systems that is named, or ""."""
        if self.system.upper() in systems:
            return self.code
        return self.other_code if self.other_system.upper() in systems else ""

    @property
    def loinc(self) -> str:
        """The LOINC code, or ""."""
        return self.in_system("LN", "LOINC")

    @property
    def ucum(self) -> str:
        """The UCUM unit, or "" when the sender does not say that its unit is UCUM."""
        return self.in_system("UCUM")


@dataclass(frozen=True, slots=True)
class Text:
    """A value in words (ST, TX, FT, and whatever could not be read as what it claims to be)."""

    text: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, exactly as many digits as were sent."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Structured:
    """SN: `>100`, `10-20`, `1:128`, `2+`; a part that was not sent is "" or None."""

    comparator: str
    first: Decimal | None
    separator: str
    second: Decimal | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """ED: bytes carried in the message, decoded, with the type the sender gave."""

    type: str
    subtype: str
    content: bytes


Value: TypeAlias = Text | Quantity | Structured | Coded | PartialDate | Moment | Attachment


@dataclass(frozen=True, slots=True)
class Observation:
    """One OBX. `status` is HL70085: C corrects an earlier value, D deletes it, W retracts it.

    `sequence` is its place among those of the message.
    """

    code: Coded
    sub_id: str = ""
    value_type: str = ""
    values: State[tuple[Value, ...]] = ABSENT
    unit: State[Coded] = ABSENT
    reference_range: State[str] = ABSENT
    abnormal_flags: State[tuple[str, ...]] = ABSENT
    status: str = ""
    effective: State[Moment] = ABSENT
    notes: tuple[str, ...] = ()
    sequence: int = 1

    @property
    def corrects(self) -> bool:
        """Whether it replaces or withdraws an observation sent before."""
        return self.status in {"C", "D", "W"}


@dataclass(frozen=True, slots=True)
class Report:
    """One OBR with its observations; `status` is HL70123 (F final, C corrected, X cancelled…).

    `sequence` is its place among those of the message.
    """

    code: Coded
    placer_number: str = ""
    filler_number: str = ""
    placer: Issuer = Issuer()
    filler: Issuer = Issuer()
    observed: State[Moment] = ABSENT
    issued: State[Moment] = ABSENT
    status: str = ""
    observations: tuple[Observation, ...] = ()
    notes: tuple[str, ...] = ()
    sequence: int = 1


@dataclass(frozen=True, slots=True)
class PatientResults:
    """The reports of one patient."""

    patient: PatientIdentity
    encounter: Encounter | None
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """An ORU^R01: one group for each patient, in the order of the message."""

    groups: tuple[PatientResults, ...]


Content: TypeAlias = PatientEvent | Merges | Results

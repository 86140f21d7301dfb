"""The INS: the national health identity of a person in France (matricule and its key).

Sources: ANS, "Référentiel INS"; the arithmetic is that of the NIR. Nothing here raises on a
wrong matricule: published examples sometimes carry a wrong key, so what is wrong is a finding,
and the endpoint's policy decides whether it warns or rejects.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

NIR: Final = "1.2.250.1.213.1.4.8"
NIA: Final = "1.2.250.1.213.1.4.9"
NIR_TEST: Final = "1.2.250.1.213.1.4.10"
NIR_DEMONSTRATION: Final = "1.2.250.1.213.1.4.11"

# Letters stand only in the department of birth: Corsica is 2A or 2B since 1976.
_SHAPE = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6}(?:[0-9]{2})?", re.ASCII)
_CORSICA: Final = {"2A": "19", "2B": "18"}
_BODY = 13


class TenantKind(Enum):
    """Whether an organization treats real people, or only rehearses."""

    PRODUCTION = "production"
    TEST = "test"


class InsFault(Enum):
    """What is wrong with an INS; the value is the rule's id in findings."""

    SHAPE = "ins.shape"
    KEY_MISSING = "ins.key-missing"
    KEY = "ins.key"
    AUTHORITY = "ins.authority"
    TENANT_KIND = "ins.tenant-kind"


_REAL: Final = frozenset({NIR, NIA})
_REHEARSAL: Final = frozenset({NIR_TEST, NIR_DEMONSTRATION})
INS_OIDS: Final = _REAL | _REHEARSAL


@dataclass(frozen=True, slots=True)
class Ins:
    """A matricule as 15 characters (13 when its key was not sent), and who assigned it."""

    matricule: str
    oid: str

    @property
    def body(self) -> str:
        """The 13 characters that the key protects."""
        return self.matricule[:_BODY]

    @property
    def key(self) -> str:
        """The two key digits, or "" when they were not sent."""
        return self.matricule[_BODY:]

    @property
    def is_temporary(self) -> bool:
        """Whether the number is a NIA, which its holder will exchange for a NIR."""
        return self.oid == NIA

    def __repr__(self) -> str:
        """Hide the number: a repr ends in logs, and a matricule must not."""
        return f"Ins(matricule='…', oid={self.oid!r})"


def key_of(body: str) -> str:
    """The key of 13 characters: 97 - (N mod 97), N being 19 for 2A and 18 for 2B.

    Raises ValueError for anything that is not the body of a matricule.
    """
    if len(body) != _BODY or not _SHAPE.fullmatch(body):
        raise ValueError("not the 13 characters of a matricule")
    department = body[5:7]
    digits = body[:5] + _CORSICA.get(department, department) + body[7:]
    return f"{97 - int(digits) % 97:02d}"


def normalized(text: str) -> str:
    """The matricule without the spaces people type, letters in capitals."""
    return "".join(text.split()).upper()


def key_fault_of(ins: Ins) -> InsFault | None:
    """What is wrong with the number itself, whoever assigned it; None when its key is right."""
    if not _SHAPE.fullmatch(ins.matricule):
        return InsFault.SHAPE
    if not ins.key:
        return InsFault.KEY_MISSING
    return InsFault.KEY if key_of(ins.body) != ins.key else None


def faults_of(ins: Ins, tenant: TenantKind) -> tuple[InsFault, ...]:
    """Everything wrong with an INS that an organization of this kind receives, or ()."""
    of_number = key_fault_of(ins)
    faults = [] if of_number is None else [of_number]
    if ins.oid not in INS_OIDS:
        faults.append(InsFault.AUTHORITY)
    elif ins.oid not in (_REAL if tenant is TenantKind.PRODUCTION else _REHEARSAL):
        faults.append(InsFault.TENANT_KIND)
    return tuple(faults)

"""PID (with ZFD) to a patient's identity, in its French and its generic forms."""

from collections.abc import Callable
from typing import Final, TypeVar

from clinical.domain.hl7 import Identifier, PatientIdentity, Sex
from clinical.domain.hl7_values import ABSENT, State, Unvalued
from clinical.domain.ins import INS_OIDS, NIR, NIR_TEST, Ins, InsFault, faults_of, normalized
from clinical.formats.hl7v2.message import NULL, Components, Segment
from clinical.formats.hl7v2.reader import Reader

T = TypeVar("T")

# The name at birth stands under B or M where a sender has both; France puts it under L (HL70200).
_BIRTH_TYPES: Final = ("B", "M", "L", "", "U")
_USED_TYPES: Final = ("D", "L")
_SEXES: Final = {sex.value: sex for sex in Sex}
_YES_NO: Final = {"Y": True, "N": False}
# These leave no number worth keeping as an INS; the identifier itself is kept.
_NO_INS: Final = frozenset({InsFault.SHAPE, InsFault.AUTHORITY})


def identity_of(reader: Reader, pid: Segment, zfd: Segment | None = None) -> PatientIdentity:
    """Who PID is about. What is missing or wrong is noted; nothing is invented."""
    identifiers = _identifiers(reader, pid)
    birth, used = _names(reader, pid)
    return PatientIdentity(
        identifiers=identifiers,
        ins=_ins(reader, pid, identifiers),
        ins_from_insi=zfd is not None and reader.text(zfd, 5).upper() == "INSI",
        birth_name=_part(reader, pid, birth, 1),
        first_birth_given=_part(reader, pid, birth, 2),
        birth_given_names=_given_names(reader, pid, birth),
        used_name=_part(reader, pid, used, 1),
        used_given_name=_part(reader, pid, used, 2),
        birth_date=reader.date(pid.first(7), 1, pid.place(7)),
        sex=_from_table(reader, pid, 8, _SEXES.get, "pid8.table"),
        birth_cog=_birthplace(reader, pid),
        status_codes=reader.codes(pid, 32),
        updated=reader.moment(pid, 33),
        died=reader.moment(pid, 29),
        is_dead=_from_table(reader, pid, 30, _YES_NO.get, "pid30.table"),
    )


def _identifiers(reader: Reader, pid: Segment) -> tuple[Identifier, ...]:
    """PID-3, or PID-2 as the oldest senders have it."""
    identifiers = reader.identifiers(pid, 3)
    if not identifiers:
        identifiers = reader.identifiers(pid, 2)
        rule = "pid3.in-pid2" if identifiers else "pid3.required"
        reader.checks.broken(rule, pid.place(2 if identifiers else 3))
    return identifiers


def _ins(reader: Reader, pid: Segment, identifiers: tuple[Identifier, ...]) -> Ins | None:
    """The INS in use: a NIR before a NIA, and the first of several."""
    found: list[Ins] = []
    for repetition, identifier in enumerate(identifiers, start=1):
        if identifier.type != "INS" and identifier.issuer.oid not in INS_OIDS:
            continue
        ins = Ins(normalized(identifier.value), identifier.issuer.oid)
        faults = faults_of(ins, reader.terms.tenant)
        for fault in faults:
            reader.checks.broken(fault.value, pid.place(3, repetition))
        if not _NO_INS.intersection(faults):
            found.append(ins)
    if len(found) > 1:
        reader.checks.broken("ins.several", pid.place(3))
    found.sort(key=lambda ins: ins.oid not in {NIR, NIR_TEST})
    return found[0] if found else None


def _names(reader: Reader, pid: Segment) -> tuple[Components | None, Components | None]:
    """The repetitions of PID-5 that hold the birth name and the name in use."""
    by_type: dict[str, Components] = {}
    for name in pid.each(5):
        # A person has a name: one that is null as a whole names nobody, and erases nothing.
        if name.raw != NULL:
            by_type.setdefault(name.text(7).upper(), name)
    birth = next((by_type[kind] for kind in _BIRTH_TYPES if kind in by_type), None)
    used = next((by_type[kind] for kind in _USED_TYPES if kind in by_type), None)
    if birth is None:
        reader.checks.broken("pid5.required", pid.place(5))
    return birth, None if used is birth else used


def _part(reader: Reader, pid: Segment, name: Components | None, part: int) -> State[str]:
    return reader.name(name, part, pid.place(5)) if name else ABSENT


def _given_names(reader: Reader, pid: Segment, birth: Components | None) -> State[str]:
    """All given names of the birth certificate, spaces between.

    French senders put the whole list in XPN-3, generic ones only the names after the first.
    Where XPN-3 is empty the list was not sent: the first name alone is not the list.
    """
    first, rest = _part(reader, pid, birth, 2), _part(reader, pid, birth, 3)
    if isinstance(rest, Unvalued) or isinstance(first, Unvalued):
        return rest
    rest = " ".join(rest.replace(",", " ").split())
    return rest if f"{rest} ".startswith(f"{first} ") else f"{first} {rest}"


def _from_table(
    reader: Reader, pid: Segment, number: int, find: Callable[[str], T | None], rule: str
) -> State[T]:
    """A field whose value must stand in a table; another one is noted and changes nothing."""
    code = reader.field(pid, number)
    if isinstance(code, Unvalued):
        return code
    value = find(code.upper())
    if value is None:
        reader.checks.broken(rule, pid.place(number))
        return ABSENT
    return value


def _birthplace(reader: Reader, pid: Segment) -> State[str]:
    """The INSEE code in the PID-11 repetition of type BDL (place of birth), component 9."""
    for repetition, address in enumerate(pid.each(11), start=1):
        if address.text(7).upper() == "BDL":
            return reader.name(address, 9, pid.place(11, repetition))
    return ABSENT

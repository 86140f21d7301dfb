"""ORU^R01 (results) to domain values."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from clinical.domain.hl7 import (
    Coded,
    Issuer,
    Observation,
    PatientResults,
    Report,
    Results,
    Value,
)
from clinical.domain.hl7_findings import Place
from clinical.domain.hl7_values import ABSENT, ERASE, State
from clinical.formats.hl7v2.adt import encounter_of
from clinical.formats.hl7v2.identity import identity_of
from clinical.formats.hl7v2.message import NULL, Message, Segment
from clinical.formats.hl7v2.reader import Reader
from clinical.formats.hl7v2.values import value_of

# HL70085; D and W withdraw a result, C corrects it.
STATUSES: Final = frozenset("ABCDFINOPRSUVWX")


def read_results(message: Message, reader: Reader) -> Results | None:
    """The results of each patient; None when PID is missing (a finding says so)."""
    before, groups = _split(message.segments, "PID")
    if not groups:
        reader.checks.broken("pid.required", Place("PID"))
        return None
    _check_no_stray(reader, before)
    return Results(tuple(_group(reader, group) for group in groups))


def _split(
    segments: Sequence[Segment], name: str
) -> tuple[Sequence[Segment], list[Sequence[Segment]]]:
    """What stands before the first segment of a name, and the runs that begin with one."""
    starts = [index for index, segment in enumerate(segments) if segment.name == name]
    if not starts:
        return segments, []
    ends = [*starts[1:], len(segments)]
    runs = [segments[start:end] for start, end in zip(starts, ends, strict=True)]
    return segments[: starts[0]], runs


def _check_no_stray(reader: Reader, segments: Sequence[Segment]) -> None:
    """An OBX outside an OBR belongs to no order: nobody can say what was examined."""
    for segment in segments:
        if segment.name == "OBX":
            reader.checks.broken("obr.required", segment.place())


def _group(reader: Reader, group: Sequence[Segment]) -> PatientResults:
    head, orders = _split(group, "OBR")
    _check_no_stray(reader, head)
    if not orders:
        reader.checks.broken("obr.required", Place("OBR"))
    pid = head[0]
    pv1 = next((segment for segment in head if segment.name == "PV1"), None)
    zfd = next((segment for segment in head if segment.name == "ZFD"), None)
    return PatientResults(
        patient=identity_of(reader, pid, zfd),
        encounter=encounter_of(reader, pid, pv1),
        reports=tuple(_report(reader, order) for order in orders),
    )


def _report(reader: Reader, order: Sequence[Segment]) -> Report:
    head, observations = _split(order, "OBX")
    obr = head[0]
    if not obr.field(4):
        reader.checks.broken("obr4.required", obr.place(4))
    report = Report(
        code=reader.coded(obr.first(4), obr.place(4)),
        placer_number=reader.text(obr, 2),
        filler_number=reader.text(obr, 3),
        placer=_issuer(reader, obr, 2),
        filler=_issuer(reader, obr, 3),
        observed=reader.moment(obr, 7),
        issued=reader.moment(obr, 22),
        status=reader.text(obr, 25).upper(),
        notes=_notes(head),
        sequence=obr.sequence,
    )
    read = tuple(_observation(reader, run, report) for run in observations)
    return replace(report, observations=read)


def _issuer(reader: Reader, obr: Segment, number: int) -> Issuer:
    """Who gave an order its number (EI)."""
    return next((one.issuer for one in reader.entities(obr, number)), Issuer())


def _observation(reader: Reader, run: Sequence[Segment], report: Report) -> Observation:
    """One OBX with its notes; where it has no time of its own, it has that of its order."""
    obx = run[0]
    code = reader.coded(obx.first(3), obx.place(3))
    if not code.code and not code.text and not code.other_code:
        reader.checks.broken("obx3.required", obx.place(3))
    status = reader.text(obx, 11).upper()
    if status not in STATUSES:
        reader.checks.broken("obx11.table", obx.place(11))
    effective = reader.moment(obx, 14)
    return Observation(
        code=code,
        sub_id=reader.text(obx, 4),
        value_type=reader.text(obx, 2).upper(),
        values=_values(reader, obx),
        unit=_unit(reader, obx),
        reference_range=reader.field(obx, 7),
        abnormal_flags=reader.codes(obx, 8),
        status=status,
        effective=report.observed if effective is ABSENT else effective,
        notes=_notes(run),
        sequence=obx.sequence,
    )


def _values(reader: Reader, obx: Segment) -> State[tuple[Value, ...]]:
    if obx.field(5) == NULL:
        return ERASE
    kind = reader.text(obx, 2).upper()
    values = (
        value_of(reader, obx, kind, raw, obx.place(5, repetition))
        for repetition, raw in enumerate(obx.repetitions(5), start=1)
        if raw
    )
    return tuple(values) or ABSENT


def _unit(reader: Reader, obx: Segment) -> State[Coded]:
    if obx.field(6) == NULL:
        return ERASE
    unit = reader.coded(obx.first(6), obx.place(6))
    return ABSENT if unit == Coded() else unit


def _notes(run: Sequence[Segment]) -> tuple[str, ...]:
    """The comments (NTE-3) of a run, one text for each repetition."""
    return tuple(
        segment.whole(raw)
        for segment in run
        if segment.name == "NTE"
        for raw in segment.repetitions(3)
        if raw and raw != NULL
    )

"""Times of a stay that cannot be: they would decide who sees the patient, and for how long."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from clinical.domain import hl7
from clinical.domain.encounters import Encounter, valued_instant
from clinical.domain.hl7 import PatientEvent, Trigger
from clinical.domain.hl7_findings import Condition, Finding, Place
from clinical.domain.hl7_values import (
    ABSENT,
    CLOCKS_DIFFER,
    ERASE,
    Moment,
    State,
    is_to_come,
    valued,
)

LONGEST_LIFE: Final = timedelta(days=130 * 365.25)
"""Nobody who is treated today was in hospital earlier; who lived longest reached 122 years."""

_ADMISSION: Final = Finding(
    "stay.admission-time", Condition.DATA_TYPE, rejects=False, place=Place("PV1", 1, 44)
)
_DISCHARGE: Final = Finding(
    "stay.discharge-time", Condition.DATA_TYPE, rejects=False, place=Place("PV1", 1, 45)
)


def possible_times(
    sent: hl7.Encounter, known: Encounter | None, *, born: str, at: datetime
) -> tuple[hl7.Encounter, tuple[Finding, ...]]:
    """The stay as sent, without an admission and a discharge that cannot be; each is a finding.

    `known` is what the record has of it, `born` the date of birth as precisely as it is known.
    """
    earliest = _earliest(born, at=at)
    findings = []
    if not _may_be(sent.admitted, earliest, at=at):
        sent = replace(sent, admitted=ABSENT)
        findings.append(_ADMISSION)
    since = valued_instant(sent.admitted)
    if since is None and known is not None and sent.admitted is not ERASE:
        since = known.started_at
    if not _may_be(sent.discharged, since or earliest, at=at):
        sent = replace(sent, discharged=ABSENT)
        findings.append(_DISCHARGE)
    return sent, tuple(findings)


def time_of(
    event: PatientEvent, known: Encounter | None, *, born: str, at: datetime
) -> tuple[datetime, tuple[Finding, ...]]:
    """When an event happened: ZBE-2, EVN-6 or EVN-2, whichever can be, or else its receipt.

    A discharge does not come before its admission. What is passed over is a finding.
    """
    since = _earliest(born, at=at)
    if event.trigger is Trigger.DISCHARGE and event.encounter is not None:
        admitted = valued_instant(event.encounter.admitted) or (known and known.started_at)
        since = admitted or since
    findings: list[Finding] = []
    for place, moment in _times_of(event):
        if _may_be(moment, since, at=at):
            return moment.at_utc, tuple(findings)
        findings.append(Finding("stay.event-time", Condition.DATA_TYPE, rejects=False, place=place))
    return max(at, since), tuple(findings)


def since_admission(occurred_at: datetime, stay: Encounter, *, at: datetime) -> datetime:
    """When something happened in a stay: not before it, so rather when it was received."""
    before = stay.started_at is not None and occurred_at < stay.started_at
    return at if before else occurred_at


def _times_of(event: PatientEvent) -> Iterable[tuple[Place, Moment]]:
    movement = event.encounter.movement if event.encounter else None
    told = (
        (Place("ZBE", 1, 2), valued(movement.at) if movement else None),
        (Place("EVN", 1, 6), valued(event.occurred)),
        (Place("EVN", 1, 2), valued(event.recorded)),
    )
    return ((place, moment) for place, moment in told if moment is not None)


def _earliest(born: str, *, at: datetime) -> datetime:
    """Before it, a day's tolerance included, the patient was nowhere."""
    long_ago = at - LONGEST_LIFE
    if not born:
        return long_ago
    year, month, day = (int(part) for part in (born + "-01-01"[len(born) - 4 :]).split("-"))
    return max(long_ago, datetime(year, month, day, tzinfo=UTC) - CLOCKS_DIFFER)


def _may_be(state: State[Moment], since: datetime, *, at: datetime) -> bool:
    """Whether a time lies between `since` and now; what holds none is not wrong."""
    moment = valued(state)
    if moment is None:
        return True
    return moment.may_be_since(since) and not is_to_come(moment.at_utc, at=at)

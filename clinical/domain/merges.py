"""Merges: both patients stay, and reads of the duplicate resolve to the survivor."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clinical.domain.patients import Patient, PatientMerged, check_present
from core.errors import InvalidField, Refusal
from core.texts import has_controls, said


class MergeWithItself(Refusal):
    """Survivor and duplicate are one patient."""

    reason = "MERGE_WITH_ITSELF"


class MergeInverted(Refusal):
    """The survivor has itself been merged into the duplicate."""

    reason = "MERGE_INVERTED"


@dataclass(frozen=True, slots=True)
class PatientLink:
    """One merge, as it was asked for: it can be undone exactly."""

    id: UUID
    survivor: UUID
    duplicate: UUID
    reason: str
    source: str
    created_at: datetime


def check_distinct(survivor: UUID, duplicate: UUID) -> None:
    """Raises MergeWithItself."""
    if survivor == duplicate:
        raise MergeWithItself


def check_reason(reason: str) -> None:
    """Raises InvalidField for a reason with control characters, and for one that says nothing."""
    if has_controls(reason):
        raise InvalidField(field="reason", rule="text.control")
    if not said(reason):
        raise InvalidField(field="reason", rule="text.blank")


def decide_merge(survivor: Patient, duplicate: Patient) -> UUID | None:
    """Whom the duplicate's readers are sent to, or None when this merge stands already.

    `survivor_id` of a patient is the end of its chain, so a merge into a patient that was itself
    merged lands on the one that lives, and no cycle can form. Raises MergeInverted, PatientMerged
    for a duplicate that was merged into somebody else, and PatientDeleted for either.
    """
    living = survivor.survivor_id or survivor.id
    if living == duplicate.id:
        raise MergeInverted
    if duplicate.survivor_id is None:
        check_present(survivor)
        check_present(duplicate)
        return living
    if duplicate.survivor_id == living:
        return None
    raise PatientMerged

"""What entitles somebody to a patient's record."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from core.errors import InvalidField, Refusal

FOLLOW_UP: Final = timedelta(days=30)
"""How long those who cared in a stay still read after its end: results arrive late, and the
letter to the treating doctor has to be written (CSP R1112-1-2)."""


class CareLinkKind(StrEnum):
    """Where an entitlement comes from."""

    CARE_TEAM = "CARE_TEAM"
    ENCOUNTER = "ENCOUNTER"
    REFERRAL = "REFERRAL"
    REGISTRATION = "REGISTRATION"


class CareLinkExists(Refusal):
    """A live link of the same kind between the same two exists."""

    reason = "CARE_LINK_EXISTS"


@dataclass(frozen=True, slots=True)
class CareLink:
    """Exactly one of practitioner, unit and user is entitled; the first two are in the contract.

    A user stands alone only where whoever took a patient in is no practitioner.
    """

    id: UUID
    patient_id: UUID
    kind: CareLinkKind
    started_at: datetime
    practitioner_id: UUID | None = None
    unit_id: UUID | None = None
    user_id: UUID | None = None
    encounter_id: UUID | None = None
    ended_at: datetime | None = None


def check_entitled(link: CareLink) -> None:
    """Raises InvalidField unless exactly one practitioner or unit is named."""
    if (link.practitioner_id is None) == (link.unit_id is None):
        raise InvalidField(field="care_link.practitioner", rule="care_link.one_of")
    if link.ended_at is not None and link.ended_at <= link.started_at:
        raise InvalidField(field="care_link.end_time", rule="care_link.end_after_start")


def end(link: CareLink, *, at: datetime) -> CareLink:
    """The link ended; one that has ended already keeps its end."""
    if link.ended_at is not None and link.ended_at <= at:
        return link
    return replace(link, ended_at=at)

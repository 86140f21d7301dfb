"""Practitioners and units of an organization."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.errors import Refusal


class PractitionerExists(Refusal):
    """Another practitioner of the organization has the RPPS number or the user."""

    reason = "PRACTITIONER_EXISTS"


class UnitExists(Refusal):
    """Another unit of the organization has the code."""

    reason = "UNIT_EXISTS"


class SelfEntitlementRefused(Refusal):
    """Whoever made a practitioner of themselves would open the records of its units."""

    reason = "SELF_ENTITLEMENT_REFUSED"


@dataclass(frozen=True, slots=True)
class Practitioner:
    """Somebody who cares; `rpps` is "" and `user_id` None when there is none."""

    id: UUID
    display_name: str
    rpps: str
    user_id: UUID | None
    units: tuple[UUID, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """A medical or care unit, with the code that HL7 messages name it by."""

    id: UUID
    code: str
    display_name: str
    created_at: datetime


def refuse_self(practitioner: Practitioner, registrar: UUID | None) -> None:
    """Two people entitle somebody, never one alone. Raises SelfEntitlementRefused."""
    if practitioner.user_id is not None and practitioner.user_id == registrar:
        raise SelfEntitlementRefused

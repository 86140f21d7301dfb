"""A restriction of a person's data: told to every service, and lifted in every service."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from compliance.domain.access_requests import Requester
from core.errors import Refusal


class RestrictionNotActive(Refusal):
    """Only a restriction of a known person, which nobody has lifted yet, is lifted."""

    reason = "RESTRICTION_NOT_ACTIVE"


class Ground(StrEnum):
    """Why (GDPR article 18(1))."""

    ACCURACY = "ACCURACY"
    UNLAWFUL = "UNLAWFUL"
    CLAIMS = "CLAIMS"
    OBJECTION = "OBJECTION"


class State(StrEnum):
    """How far a restriction has come."""

    PENDING = "PENDING"
    INCOMPLETE = "INCOMPLETE"
    ACTIVE = "ACTIVE"
    LIFTING = "LIFTING"
    LIFTED = "LIFTED"
    UNKNOWN_PERSON = "UNKNOWN_PERSON"


class PartState(StrEnum):
    """What is known of a service."""

    WAITING = "WAITING"
    RESTRICTED = "RESTRICTED"
    LIFTED = "LIFTED"


@dataclass(frozen=True, slots=True)
class Lifting:
    """Who had a restriction lifted, and when."""

    by: Requester
    at: datetime


@dataclass(frozen=True, slots=True)
class Restriction:
    """A restriction, and every identity of the patient that was found so far."""

    id: UUID
    patient_id: UUID
    ground: Ground
    requester: Requester
    created_at: datetime
    state: State = State.PENDING
    lifting: Lifting | None = None
    retry_at: datetime | None = None
    identities: tuple[UUID, ...] = ()

    @property
    def as_entered(self) -> "Restriction":
        """As it was when it was entered, whatever has become of it since."""
        return Restriction(self.id, self.patient_id, self.ground, self.requester, self.created_at)

    @property
    def as_lifted(self) -> "Restriction":
        """As it was when somebody had it lifted."""
        return replace(self.as_entered, state=State.LIFTING, lifting=self.lifting)


@dataclass(frozen=True, slots=True)
class Told:
    """What one service has been told."""

    service: str
    state: PartState = PartState.WAITING
    failures: int = 0
    last_failure: str = ""

    def failed(self, failure: str) -> "Told":
        """It could not be told."""
        return replace(self, failures=self.failures + 1, last_failure=failure)


def lifted(restriction: Restriction, by: Requester, at: datetime) -> Restriction:
    """It is to end, also where not every service has heard of it. Raises RestrictionNotActive."""
    if restriction.state not in (State.PENDING, State.INCOMPLETE, State.ACTIVE):
        raise RestrictionNotActive(metadata={"state": restriction.state.value})
    return replace(restriction, state=State.LIFTING, lifting=Lifting(by, at), retry_at=None)


def all_are(state: PartState, parts: Mapping[str, Told], services: Collection[str]) -> bool:
    """Whether every service there is, is in this state."""
    there = {name for name, part in parts.items() if part.state is state}
    return bool(services) and set(services) <= there

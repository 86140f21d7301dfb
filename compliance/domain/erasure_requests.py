"""A person's request for erasure: what has to be so before anything goes, and when all is done."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from compliance.domain.access_requests import Deadline, Requester, deadlines
from core.errors import EtagMismatch, Refusal

OWN = "compliance"
"""This service, which plans and erases last: the trail lives as long as what it speaks of."""

REGIME = "eu.gdpr"
"""Of the clocks of an access request the one that runs on an erasure too."""


class ErasureNotPlanned(Refusal):
    """There is no plan that waits to be confirmed."""

    reason = "ERASURE_NOT_PLANNED"


class State(StrEnum):
    """How far a request has come."""

    PENDING = "PENDING"
    PLANNING = "PLANNING"
    PLANNED = "PLANNED"
    ERASING = "ERASING"
    INCOMPLETE = "INCOMPLETE"
    COMPLETE = "COMPLETE"
    UNKNOWN_PERSON = "UNKNOWN_PERSON"


class PartState(StrEnum):
    """What is known of a service's part."""

    WAITING = "WAITING"
    PLANNED = "PLANNED"
    ERASED = "ERASED"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who answers for a plan, and since when."""

    by: Requester
    at: datetime


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """A request, and every identity of the patient that was found so far."""

    id: UUID
    patient_id: UUID
    requester: Requester
    received_at: datetime
    created_at: datetime
    state: State = State.PENDING
    revision: int = 1
    confirmation: Confirmation | None = None
    completed_at: datetime | None = None
    retry_at: datetime | None = None
    identities: tuple[UUID, ...] = ()

    @property
    def etag(self) -> str:
        """The revision, as callers hold it (AIP-154)."""
        return str(self.revision)

    @property
    def as_entered(self) -> "ErasureRequest":
        """As it was when it was entered, whatever has become of it since."""
        return ErasureRequest(
            self.id, self.patient_id, self.requester, self.received_at, self.created_at
        )

    def as_confirmed(self, revision: int) -> "ErasureRequest":
        """As it was when the plan of this revision was confirmed."""
        entered, state = self.as_entered, State.ERASING
        return replace(entered, state=state, revision=revision, confirmation=self.confirmation)


@dataclass(frozen=True, slots=True)
class Keeps:
    """What the law keeps in a service: until a moment, or None as long as the ground holds."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one service would do and has done. Plan and receipt are kept as they came."""

    service: str
    state: PartState = PartState.WAITING
    failures: int = 0
    last_failure: str = ""
    digest: bytes = b""
    plan: bytes = b""
    keeps: Keeps | None = None
    receipt: bytes = b""

    @property
    def is_erased(self) -> bool:
        """It has signed for its plan."""
        return self.state is PartState.ERASED

    @property
    def is_planned(self) -> bool:
        """It has said what it would do, or has done it."""
        return self.state in (PartState.PLANNED, PartState.ERASED)

    def planned(self, plan: bytes, digest: bytes, keeps: Keeps | None) -> "Part":
        """It has said what it would do."""
        return Part(
            self.service,
            PartState.PLANNED,
            last_failure=self.last_failure,
            plan=plan,
            digest=digest,
            keeps=keeps,
            receipt=self.receipt,
        )

    def erased(self, receipt: bytes) -> "Part":
        """It has signed for its plan."""
        state = PartState.ERASED
        return replace(self, state=state, receipt=receipt, failures=0, last_failure="")

    def failed(self, failure: str) -> "Part":
        """It could not be asked. A plan that it has is still one."""
        state = PartState.PLANNED if self.plan else PartState.MISSING
        return replace(self, state=state, failures=self.failures + 1, last_failure=failure)

    def to_be_planned(self, why: str = "") -> "Part":
        """Its plan does not hold (any more); what it has signed for stays true."""
        return Part(self.service, last_failure=why, receipt=self.receipt)


Parts = Mapping[str, Part]


def erasure_deadlines(received_at: datetime) -> tuple[Deadline, ...]:
    """Every clock that runs on a request for erasure."""
    return tuple(one for one in deadlines(received_at) if one.regime == REGIME)


def confirmed(request: ErasureRequest, etag: str, by: Requester, at: datetime) -> ErasureRequest:
    """The plan of this etag is to be carried out. Raises ErasureNotPlanned, EtagMismatch."""
    if request.state is not State.PLANNED:
        raise ErasureNotPlanned(metadata={"state": request.state.value})
    if etag != request.etag:
        raise EtagMismatch
    return replace(request, state=State.ERASING, confirmation=Confirmation(by, at))


def in_order(services: Iterable[str]) -> list[str]:
    """The order in which services plan and erase: this one last."""
    return sorted(services, key=lambda name: (name == OWN, name))


def kept_elsewhere(parts: Parts) -> Keeps | None:
    """What the other services keep by law, until the latest of their dates."""
    kept = [part.keeps for name, part in parts.items() if name != OWN and part.keeps is not None]
    if not kept:
        return None
    dates = [one.until for one in kept]
    return Keeps(None if None in dates else max(date for date in dates if date is not None))


def all_planned(parts: Parts, services: Collection[str]) -> bool:
    """Whether every service there is has said what it would do."""
    planned = {name for name, part in parts.items() if part.is_planned}
    return bool(services) and set(services) <= planned


def all_erased(parts: Parts, services: Collection[str]) -> bool:
    """Whether every service there is has signed for its plan."""
    erased = {name for name, part in parts.items() if part.state is PartState.ERASED}
    return bool(services) and set(services) <= erased

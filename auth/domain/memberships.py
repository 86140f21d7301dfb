"""Memberships: what a person is in an organization, and when one cannot change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from auth.domain.bindings import Held
from auth.domain.refusals import LastAdministrator, NotAMember
from auth.domain.roles import ADMINISTRATOR
from core.errors import EtagMismatch


class State(StrEnum):
    """What a membership is."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    INVITED = "invited"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in an organization. No user: invited, and not accepted yet."""

    id: UUID
    organization: UUID
    user: UUID | None
    email: str
    display_name: str
    held: Held
    suspended_at: datetime | None
    # Until when it can be accepted; None: it was.
    invitation_expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int

    @property
    def active(self) -> bool:
        """Whether it lets somebody in."""
        return self.user is not None and self.suspended_at is None

    @property
    def administers(self) -> bool:
        """Whether it lets an administrator in; one for a time leaves nobody when it is over."""
        return self.active and ADMINISTRATOR in self.held.roles

    @property
    def acceptable(self) -> bool:
        """Whether somebody invited may still accept it."""
        return self.user is None and self.suspended_at is None

    def state(self, at: datetime) -> State:
        """What it is at a moment."""
        if self.suspended_at is not None:
            return State.SUSPENDED
        if self.user is not None:
            return State.ACTIVE
        open_still = self.invitation_expires_at is not None and at < self.invitation_expires_at
        return State.INVITED if open_still else State.EXPIRED


@dataclass(frozen=True, slots=True)
class Choice:
    """An organization that a person can work in."""

    organization: UUID
    display_name: str


def choose(choices: Sequence[Choice], wanted: UUID | None) -> UUID | None:
    """The organization of a new session: the one asked for, the only one, or none.

    Raises NotAMember when the one asked for is not among them.
    """
    if wanted is None:
        return choices[0].organization if len(choices) == 1 else None
    if all(choice.organization != wanted for choice in choices):
        raise NotAMember
    return wanted


def check_etag(held: int, given: str) -> None:
    """Raises EtagMismatch when somebody changed the object in between."""
    if str(held) != given:
        raise EtagMismatch


def keep_an_administrator(membership: Membership, held: Held, others: int, *, active: bool) -> None:
    """Refuse a change after which nobody administers the organization.

    `others` counts the administrators besides this member who can log in. An administrator for a
    time does not count: nobody would be there when it is over. Raises LastAdministrator.
    """
    stays = ADMINISTRATOR in held.roles and active
    if membership.administers and not stays and not others:
        raise LastAdministrator

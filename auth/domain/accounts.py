"""People's own accounts: what they say of themselves, and for how long a mailed token is good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Purpose(StrEnum):
    """What a token in a mail does."""

    REGISTER = "REGISTER"
    VERIFY = "VERIFY"
    CHANGE = "CHANGE"
    RESET = "RESET"


LIVES: Mapping[Purpose, timedelta] = {
    Purpose.REGISTER: timedelta(hours=24),
    Purpose.VERIFY: timedelta(hours=24),
    Purpose.CHANGE: timedelta(hours=24),
    Purpose.RESET: timedelta(minutes=20),
}
"""How long each is good: who resets a password waits for the mail, and nobody else needs longer."""

KEEP_ACTIVITY = timedelta(days=180)
"""Half a year of one's own acts; the trail of the organizations keeps its own, for longer."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account."""

    id: UUID
    email: str
    password_hash: str
    disabled_at: datetime | None
    deactivated: bool
    email_verified_at: datetime | None
    display_name: str
    language: str
    time_zone: str
    preferences: Mapping[str, str]
    created_at: datetime
    revision: int

    @property
    def enabled(self) -> bool:
        """Whether anybody can log in with it."""
        return self.disabled_at is None

    @property
    def resettable(self) -> bool:
        """Whether a mail may lead to a new password.

        The address must be proven: an organization may have invited another than the person's, and
        handed them the token itself. What an operator has shut stays so.
        """
        return self.email_verified_at is not None and (self.enabled or self.deactivated)


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done with an account, or tried."""

    id: UUID
    user: UUID
    act: str
    at: datetime
    outcome: str
    peer: str
    by_others: bool

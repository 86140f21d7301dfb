"""Keys of service accounts: several at once while a program changes from one to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.domain.ed25519 import is_sound
from auth.domain.refusals import LastKey, TooManyKeys
from core.errors import InvalidField

MOST_KEYS = 5
"""Each is tried on an assertion, so there are few; a change from one to the next needs two."""


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A public key of a service account."""

    id: UUID
    account: UUID
    public_key: bytes
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def proves(self, at: datetime) -> bool:
        """Whether it is still good."""
        return self.expires_at is None or at < self.expires_at


def unusable(field: str) -> InvalidField:
    """The refusal of a key that proves nothing, or proves an account already: not told which.

    Who brings a key has not shown that it is theirs, and would learn whose it is.
    """
    usable = "a public key of Ed25519 that can be used, and that no account has had before"
    return InvalidField(field=field, rule="public_key", description=usable)


def check_sound(public_key: bytes, *, field: str) -> None:
    """Refuse a key under which anybody can sign. Raises InvalidField."""
    if not is_sound(public_key):
        raise unusable(field)


def check_room(held: Sequence[ServiceKey]) -> None:
    """Whether another key may be added to these. Raises TooManyKeys."""
    if len(held) >= MOST_KEYS:
        raise TooManyKeys


def check_left(held: Sequence[ServiceKey], removed: ServiceKey, at: datetime) -> None:
    """Whether a key may be removed from these. Raises LastKey.

    One that has expired may always go, since it is no loss.
    """
    others = [key for key in held if key.id != removed.id]
    if removed.proves(at) and not any(key.proves(at) for key in others):
        raise LastKey

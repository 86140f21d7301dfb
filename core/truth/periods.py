"""Roles that are held for a time: which of them hold at a moment, and until when that is so.

No event tells that a period begins or ends. Each server knows the periods beforehand and compares
them with its own clock at the call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RolePeriod:
    """A role held from a moment on and before another; None: without that bound."""

    role: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the role is held at that moment. The end itself lies outside."""
        begun = self.starts_at is None or self.starts_at <= at
        return begun and (self.ends_at is None or at < self.ends_at)


def held(roles: tuple[str, ...], periods: Sequence[RolePeriod], at: datetime) -> tuple[str, ...]:
    """The roles held at a moment: those without a period, and those whose period it is."""
    if not periods:
        return roles
    return tuple(sorted({*roles, *(each.role for each in periods if each.holds(at))}))


def next_boundary(periods: Sequence[RolePeriod], at: datetime) -> datetime | None:
    """The first moment after `at` at which a period begins or ends; None: nothing changes."""
    bounds = [each for period in periods for each in (period.starts_at, period.ends_at)]
    return min((each for each in bounds if each is not None and each > at), default=None)

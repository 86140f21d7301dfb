"""Bindings: which role a member holds, and when.

A period begins at a moment and ends before another. That one begins or ends is no change of a
row: whoever asks compares it with the present.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import InvalidField

MOST_BINDINGS = 50
"""Of one member: every server that they call keeps them."""

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Binding:
    """A role held from a moment on and before another; None: without that bound."""

    role: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def order(self) -> tuple[str, datetime, datetime]:
        """Its place among others: by role, beginning and end."""
        return self.role, self.starts_at or _BEGINNING, self.ends_at or _END

    def holds(self, at: datetime) -> bool:
        """Whether the role is held at that moment."""
        return (self.starts_at or _BEGINNING) <= at < (self.ends_at or _END)

    def covers(self, other: "Binding", at: datetime) -> bool:
        """Whether, from `at` on, this is held whenever the other is."""
        begun = (self.starts_at or _BEGINNING) <= max(other.starts_at or _BEGINNING, at)
        return begun and (other.ends_at or _END) <= (self.ends_at or _END)


@dataclass(frozen=True, slots=True)
class Held:
    """The roles of a member, sorted: those without a period, and those with one."""

    roles: tuple[str, ...] = ()
    timed: tuple[Binding, ...] = ()

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """All of it, sorted."""
        every = (*map(Binding, self.roles), *self.timed)
        return tuple(sorted(every, key=lambda each: each.order))

    def at(self, at: datetime) -> tuple[str, ...]:
        """The roles held at a moment, sorted."""
        if not self.timed:
            return self.roles
        return tuple(sorted({*self.roles, *(each.role for each in self.timed if each.holds(at))}))

    def throughout(self, period: Binding, at: datetime) -> tuple[str, ...]:
        """The roles held, from `at` on, for the whole of a period."""
        timed = (each.role for each in self.timed if each.covers(period, at))
        return tuple(sorted({*self.roles, *timed}))

    def beyond(self, before: "Held", at: datetime) -> list[Binding]:
        """What this gives, from `at` on, that was not held before."""
        return [
            each
            for each in self.bindings
            if not any(old.role == each.role and old.covers(each, at) for old in before.bindings)
        ]


def held_from(bindings: Iterable[Binding], at: datetime, *, field: str) -> Held:
    """What these bindings give from `at` on. Those that are over, or said twice, are left out.

    Raises InvalidField for a period that ends before it begins.
    """
    given: set[Binding] = set()
    for each in bindings:
        if each.starts_at and each.ends_at and each.ends_at <= each.starts_at:
            raise InvalidField(field=field, rule="period")
        if each.ends_at is None or each.ends_at > at:
            begun = each.starts_at is None or each.starts_at <= at
            given.add(Binding(each.role, None if begun else each.starts_at, each.ends_at))
    roles = {each.role for each in given if each == Binding(each.role)}
    timed = (each for each in given if each.role not in roles)
    return Held(tuple(sorted(roles)), tuple(sorted(timed, key=lambda each: each.order)))

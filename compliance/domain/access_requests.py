"""A person's request for access: its clocks, and when what was gathered is the whole."""

import calendar
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.errors import InvalidField, Refusal
from core.ids import name_of

REFLECTION = timedelta(hours=48)
"""A time to think it over, before health data is given (CSP L.1111-7)."""

FRENCH_TERM = timedelta(days=8)
"""By when at the latest (CSP L.1111-7, R.1111-1). For what is older than five years the same
articles allow two months; a request is about everything, so the shorter term is kept."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=10)
"""Before services that are missing are asked again: doubled each time."""

RIGHTS_SINCE = datetime(2018, 5, 25, tzinfo=UTC)
"""GDPR article 99(2): an earlier request was not of this law, and its date is a slip."""

MOST_ATTEMPTS = 1_200
"""At ten minutes each a little more than the eight days of the law; then people must see to it."""


class PackageNotReady(Refusal):
    """The request is not complete, so there is no package of it."""

    reason = "ACCESS_PACKAGE_NOT_READY"


class State(StrEnum):
    """How far a request has come."""

    PENDING = "PENDING"
    GATHERING = "GATHERING"
    INCOMPLETE = "INCOMPLETE"
    COMPLETE = "COMPLETE"
    UNKNOWN_PERSON = "UNKNOWN_PERSON"


class AnswerState(StrEnum):
    """What is known of a service's answer."""

    WAITING = "WAITING"
    GATHERED = "GATHERED"
    MISSING = "MISSING"


class Standing(StrEnum):
    """What a service says of whether it registers the person."""

    KNOWN = "KNOWN"
    UNKNOWN = "UNKNOWN"
    NOT_REGISTERED_HERE = "NOT_REGISTERED_HERE"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A clock that the law sets, with its article."""

    regime: str
    earliest_at: datetime | None
    due_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Requester:
    """Who entered a request: a user, or a service account."""

    kind: str
    id: UUID

    @property
    def name(self) -> str:
        """`users/…` or `serviceAccounts/…`."""
        return name_of("users" if self.kind == "user" else "serviceAccounts", self.id)


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A request, and every identity of the patient that was found so far."""

    id: UUID
    patient_id: UUID
    requester: Requester
    received_at: datetime
    created_at: datetime
    key_name: str
    state: State = State.PENDING
    completed_at: datetime | None = None
    retry_at: datetime | None = None
    identities: tuple[UUID, ...] = ()

    @property
    def as_entered(self) -> "AccessRequest":
        """As it was when it was entered, whatever has become of it since."""
        return replace(self, state=State.PENDING, completed_at=None, retry_at=None, identities=())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service has answered so far. `tables` is what it told of them, for the manifest."""

    service: str
    ordinal: int
    state: AnswerState = AnswerState.WAITING
    failures: int = 0
    last_failure: str = ""
    record_count: int = 0
    sha256: bytes | None = None
    gathered_at: datetime | None = None
    tables: tuple[dict[str, Any], ...] = ()

    def failed(self, failure: str) -> "Answer":
        """It could not be asked, or did not answer whole."""
        state, failures = AnswerState.MISSING, self.failures + 1
        return replace(self, state=state, failures=failures, last_failure=failure)

    @property
    def asked_anew(self) -> "Answer":
        """What it has answered is not enough any more."""
        return Answer(self.service, self.ordinal)


def received(
    stated: datetime | None, now: datetime, field: str = "access_request.receive_time"
) -> datetime:
    """When the clocks start. Raises InvalidField for a moment that cannot be."""
    if stated is not None and stated > now:
        raise InvalidField(field=field, rule="not_in_the_future")
    if stated is not None and stated < RIGHTS_SINCE:
        raise InvalidField(field=field, rule="not_before_the_law")
    return stated or now


def deadlines(received_at: datetime) -> tuple[Deadline, ...]:
    """Every clock that runs on a request for a patient's data, by regime.

    How the law counts holidays and the ends of months is not settled; this is its strictest
    reading, to the second of the receipt.
    """
    return (
        Deadline("eu.gdpr", None, _a_month_after(received_at), "GDPR article 12(3)"),
        Deadline(
            "fr.csp",
            received_at + REFLECTION,
            received_at + FRENCH_TERM,
            "CSP articles L.1111-7, R.1111-1",
        ),
    )


def due(clocks: Collection[Deadline]) -> datetime:
    """The earliest deadline rules."""
    return min(clock.due_at for clock in clocks)


def earliest(clocks: Collection[Deadline]) -> datetime:
    """Before the latest of these the person is not given anything."""
    return max(clock.earliest_at for clock in clocks if clock.earliest_at is not None)


def standing_of(told: Iterable[Standing]) -> Standing:
    """Whether the person is known, from what the services say; one that registers them decides."""
    said = set(told)
    for decisive in (Standing.KNOWN, Standing.UNKNOWN):
        if decisive in said:
            return decisive
    return Standing.NOT_REGISTERED_HERE


def is_whole(standing: Standing, answers: Collection[Answer], services: Collection[str]) -> bool:
    """Whether the answers are everything: of a person who is known, of every service there is."""
    gathered = {one.service for one in answers if one.state is AnswerState.GATHERED}
    return standing is Standing.KNOWN and bool(services) and set(services) <= gathered


def retry_at(now: datetime, attempt: int) -> datetime | None:
    """When to ask again after this attempt; None: no more by itself."""
    if attempt >= MOST_ATTEMPTS:
        return None
    doublings = min(attempt - 1, 20)
    return now + min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _a_month_after(moment: datetime) -> datetime:
    """The same day of the next month, or its last where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))

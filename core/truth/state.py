"""What the auth service says is true now, as far as this server has heard.

Epochs are revisions, not times: a token is dead when the revision it was issued at lies below
an epoch that applies to it. Scopes combine by MAX, so none can mask another.

What this version cannot read may be what shuts somebody out. So it is never passed over: from
then on nothing here decides (see StateEvent in the contract).
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet

from core import clock
from core.truth.grants import Grants
from core.truth.periods import RolePeriod, held
from core.truth.proof import SKEW, Claims, Key
from medhub.auth.v1 import auth_state_pb2 as wire
from medhub.auth.v1.membership_pb2 import RoleBinding

# A revoked session or an epoch is forgotten when no token that it kills can still be valid;
# the table is swept this often (in applied messages), since sweeping at each would cost more.
_SWEEP_EVERY = 256
# Principals remembered at once; whoever drops out is asked for again at their next call.
MAX_MEMBERSHIPS = 100_000
_END = datetime.max.replace(tzinfo=UTC)
_NO_EPOCH = (0, datetime.min.replace(tzinfo=UTC))
# What a snapshot replaces, whole or not at all.
_REPLACED = (
    "keys",
    "sessions_revoked",
    "global_epoch",
    "subject_epochs",
    "membership_epochs",
    "organization_epochs",
    "organizations_suspended",
    "roles",
    "memberships",
    "grants",
)
_KEY_STATES = frozenset({
    wire.KEY_STATE_ACTIVE,
    wire.KEY_STATE_RETIRED,
    wire.KEY_STATE_REVOKED,
})  # fmt: skip
_log = logging.getLogger("medhub.truth")


@dataclass(frozen=True, slots=True)
class Membership:
    """The roles somebody holds in an organization, as known at a revision.

    `roles` are those without a period.
    """

    roles: tuple[str, ...]
    revision: int
    ended: bool = False
    periods: tuple[RolePeriod, ...] = ()

    def held(self, at: datetime) -> tuple[str, ...]:
        """The roles held at a moment."""
        return held(self.roles, self.periods, at)


@dataclass
class State:
    """The streamed truth. Not for several threads: one event loop applies and reads it."""

    revision: int = 0
    # Grows with every applied change, so that a verdict can tell whether it is still current.
    version: int = 0
    # When, on the loop's monotonic clock, the newest proven checkpoint was asked for.
    # Never, while something was told that is not understood.
    proven_at: float = float("-inf")
    # False from the first event that this version cannot read until a snapshot that it can.
    understood: bool = True
    keys: dict[str, Key] = field(default_factory=dict)
    sessions_revoked: dict[UUID, datetime] = field(default_factory=dict)
    global_epoch: int = 0
    subject_epochs: dict[UUID, tuple[int, datetime]] = field(default_factory=dict)
    membership_epochs: dict[tuple[UUID, UUID], tuple[int, datetime]] = field(default_factory=dict)
    organization_epochs: dict[UUID, int] = field(default_factory=dict)
    organizations_suspended: set[UUID] = field(default_factory=set)
    roles: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    memberships: dict[tuple[UUID, UUID | None], Membership] = field(default_factory=dict)
    # All that are open, unlike memberships: nobody is asked for what is not here.
    grants: Grants = field(default_factory=Grants)
    changed: list[Callable[[], None]] = field(default_factory=list)
    # An answer of auth older than this may miss changes of memberships that were forgotten here.
    forgotten_at: int = 0
    # As `proven_at`, while that says never.
    _heard_at: float = float("-inf")
    _parts: list[wire.StateEvent] = field(default_factory=list)
    _applied: int = 0

    def apply_snapshot(self, part: wire.Snapshot) -> None:
        """Take a part of a snapshot; with the last one the whole replaces what was known."""
        self._parts.extend(part.events)
        if not part.last:
            return
        events, self._parts = self._parts, []
        fresh = State()
        understood = fresh._take_all(events, part.revision)
        for name in _REPLACED:
            setattr(self, name, getattr(fresh, name))
        # What happened to memberships up to this revision is no longer known one by one.
        self.forgotten_at = part.revision
        if understood:
            self.understood = True
        else:
            self.misunderstood()
        self._moved_to(part.revision)

    def begin_snapshot(self) -> None:
        """Forget the parts of a snapshot that did not come to its end."""
        self._parts = []

    def apply_delta(self, delta: wire.Delta) -> bool:
        """Apply one commit. False: an event before it is missing, and nothing was applied."""
        if delta.previous_revision != self.revision:
            return False
        if not self._take_all(delta.events, delta.revision):
            self.misunderstood()
        self._moved_to(delta.revision)
        return True

    def misunderstood(self) -> None:
        """Note that auth told what this version cannot read: nothing here decides any more.

        Auth is asked at each call, until a snapshot that is understood whole.
        """
        if self.understood:
            _log.error("auth tells what this version does not understand; it is asked at each call")
            self._heard_at = self.proven_at
        self.understood = False
        self.proven_at = float("-inf")

    def prove(self, revision: int, asked_at: float) -> bool:
        """Note that at `asked_at` the database stood at `revision`. False: we are behind it."""
        if revision > self.revision:
            return False
        if not self.understood:
            self._heard_at = max(self._heard_at, asked_at)
        elif asked_at > self.proven_at:
            self.proven_at = asked_at
        return True

    @property
    def heard_at(self) -> float:
        """When the newest checkpoint was asked for that we were not behind, understood or not."""
        return self.proven_at if self.understood else self._heard_at

    def learn(self, subject: UUID, organization: UUID | None, found: Membership) -> Membership:
        """Keep a membership that was asked for, unless the stream has told a newer one.

        `found` must not be older than `forgotten_at`.
        """
        known = self.memberships.get((subject, organization))
        if known is None or known.revision < found.revision:
            self._remember(subject, organization, found)
            return found
        return known

    def _remember(self, subject: UUID, organization: UUID | None, found: Membership) -> None:
        place = (subject, organization)
        if len(self.memberships) >= MAX_MEMBERSHIPS and place not in self.memberships:
            oldest = self.memberships.pop(next(iter(self.memberships)))
            self.forgotten_at = max(self.forgotten_at, oldest.revision)
        self.memberships[place] = found

    def dead(self, claims: Claims) -> bool:
        """Whether something says that a token of these claims must not be accepted."""
        if claims.session is not None and claims.session in self.sessions_revoked:
            return True
        if claims.service_key is not None and claims.service_key in self.sessions_revoked:
            return True
        key = self.keys.get(claims.kid)
        if key is None or not key.verifies(clock.now()):
            return True
        if claims.organization in self.organizations_suspended:
            return True
        return claims.revision < self._epoch(claims)

    def _epoch(self, claims: Claims) -> int:
        """The greatest of all scopes that the token is in: none hides another."""
        epoch = max(self.global_epoch, self.subject_epochs.get(claims.subject, _NO_EPOCH)[0])
        if claims.actor is not None:
            epoch = max(epoch, self.subject_epochs.get(claims.actor, _NO_EPOCH)[0])
        if claims.organization is not None:
            place = (claims.subject, claims.organization)
            epoch = max(
                epoch,
                self.organization_epochs.get(claims.organization, 0),
                self.membership_epochs.get(place, _NO_EPOCH)[0],
            )
        return epoch

    def permissions(self, organization: UUID | None, roles: Iterable[str]) -> frozenset[str]:
        """What these roles give in the organization."""
        own = str(organization) if organization else ""
        given: set[str] = set()
        for role in roles:
            given |= self.roles.get(("", role), frozenset())
            if own:
                given |= self.roles.get((own, role), frozenset())
        return frozenset(given)

    def _take_all(self, events: Iterable[wire.StateEvent], revision: int) -> bool:
        """Take in what is understood, also beside what is not. False: something is not."""
        understood = True
        for event in events:
            understood = self._take(event, revision) and understood
        return understood

    def _take(self, event: wire.StateEvent, revision: int) -> bool:
        """Take an event in. False: it is not understood, and not taken in."""
        change = event.WhichOneof("change")
        if change is None or not _known(event) or not _known(getattr(event, change)):
            return False
        try:
            getattr(self, f"_{change}")(getattr(event, change), revision)
        except (ValueError, OverflowError):
            return False
        return True

    def _moved_to(self, revision: int) -> None:
        self.revision = revision
        self.version += 1
        self._applied += 1
        if self._applied % _SWEEP_EVERY == 0:
            self._sweep(clock.now() - SKEW)
        for notify in self.changed:
            notify()

    def _session_revoked(self, event: wire.SessionRevoked, _revision: int) -> None:
        self.sessions_revoked[UUID(event.session_id)] = _forget_at(event)

    def _subject_epoch(self, event: wire.SubjectEpoch, _revision: int) -> None:
        subject = UUID(event.subject_id)
        epoch, until = self.subject_epochs.get(subject, _NO_EPOCH)
        self.subject_epochs[subject] = (max(epoch, event.epoch), max(until, _forget_at(event)))

    def _membership_changed(self, event: wire.MembershipChanged, revision: int) -> None:
        organization = UUID(event.organization_id) if event.organization_id else None
        told = Membership(
            roles=tuple(event.roles),
            revision=revision,
            ended=event.ended,
            periods=periods_from_proto(event.bindings),
        )
        self._remember(UUID(event.subject_id), organization, told)

    def _membership_epoch(self, event: wire.MembershipEpoch, _revision: int) -> None:
        place = (UUID(event.subject_id), UUID(event.organization_id))
        epoch, until = self.membership_epochs.get(place, _NO_EPOCH)
        self.membership_epochs[place] = (max(epoch, event.epoch), max(until, _forget_at(event)))

    def _global_epoch(self, event: wire.GlobalEpoch, _revision: int) -> None:
        self.global_epoch = max(self.global_epoch, event.epoch)

    def _organization_epoch(self, event: wire.OrganizationEpoch, _revision: int) -> None:
        organization = UUID(event.organization_id)
        before = self.organization_epochs.get(organization, 0)
        self.organization_epochs[organization] = max(before, event.epoch)
        if event.suspended:
            self.organizations_suspended.add(organization)
        else:
            self.organizations_suspended.discard(organization)

    def _key_changed(self, event: wire.KeyChanged, _revision: int) -> None:
        if event.state not in _KEY_STATES:
            raise ValueError("a state of keys that is not known")
        self.keys[event.kid] = Key(
            kid=event.kid,
            algorithm=event.algorithm,
            public_key=event.public_key,
            not_after=_utc(event.not_after) if event.HasField("not_after") else None,
            revoked=event.state == wire.KEY_STATE_REVOKED,
        )

    def _role_changed(self, event: wire.RoleChanged, _revision: int) -> None:
        place = (event.organization_id, event.role)
        if event.permissions:
            self.roles[place] = frozenset(event.permissions)
        else:
            self.roles.pop(place, None)

    def _access_grant_changed(self, event: wire.AccessGrantChanged, _revision: int) -> None:
        self.grants.take(event)

    def _sweep(self, now: datetime) -> None:
        for session in [s for s, until in self.sessions_revoked.items() if until < now]:
            del self.sessions_revoked[session]
        for subject in [s for s, (_, until) in self.subject_epochs.items() if until < now]:
            del self.subject_epochs[subject]
        self.grants.sweep(now)
        for place in [p for p, (_, until) in self.membership_epochs.items() if until < now]:
            del self.membership_epochs[place]


def periods_from_proto(bindings: Iterable[RoleBinding]) -> tuple[RolePeriod, ...]:
    """The periods of roles. Raises ValueError for one of which not everything is known here."""
    periods = []
    for each in bindings:
        if not _known(each):
            raise ValueError("a binding that is not known whole")
        starts_at = _utc(each.start_time) if each.HasField("start_time") else None
        ends_at = _utc(each.end_time) if each.HasField("end_time") else None
        periods.append(RolePeriod(each.role, starts_at, ends_at))
    return tuple(periods)


def _known(message: Message) -> bool:
    """Whether every field of it is known here: one that is not may narrow what the rest says."""
    unknown: Any = UnknownFieldSet(message)
    return len(unknown) == 0


def _forget_at(event: wire.SessionRevoked | wire.SubjectEpoch | wire.MembershipEpoch) -> datetime:
    """When the event may be forgotten; one that does not say is kept."""
    return _utc(event.forget_time) if event.HasField("forget_time") else _END


def _utc(moment: Timestamp) -> datetime:
    return moment.ToDatetime(tzinfo=UTC)

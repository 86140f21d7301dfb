"""What a simulation's database holds at one moment, and what of it is true of a token."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from auth.domain.access_grants import AccessGrant, GrantKind, State
from auth.storage.keys import SigningKey
from auth.storage.principals import ServiceStanding
from core.identity import Kind
from core.truth import Claims

Json = dict[str, Any]


@dataclass
class Member:
    """A membership's row."""

    roles: tuple[str, ...]
    suspended: bool = False


@dataclass(frozen=True)
class Session:
    """A session's row. `revision` is the auth state's when it was opened."""

    user: UUID
    organization: UUID
    expires_at: datetime
    revision: int
    ended: bool = False


@dataclass
class Rows:
    """Everything that is committed, at one moment."""

    revision: int = 1
    events: list[tuple[int, datetime, Json]] = field(default_factory=list)
    state: dict[str, tuple[int, datetime | None, Json]] = field(default_factory=dict)
    keys: dict[str, SigningKey] = field(default_factory=dict)
    # By address; a person's row is whether the account is disabled.
    addresses: dict[str, UUID] = field(default_factory=dict)
    disabled: dict[UUID, bool] = field(default_factory=dict)
    suspended: dict[UUID, bool] = field(default_factory=dict)
    members: dict[tuple[UUID, UUID], Member] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    accounts: dict[UUID, ServiceStanding] = field(default_factory=dict)
    roles: dict[tuple[UUID | None, str], frozenset[str]] = field(default_factory=dict)
    # Revisions below which tokens are dead, by whom they are of; never forgotten here.
    epochs: dict[object, int] = field(default_factory=dict)
    # Revisions below which sessions have ended, by organization; None: everywhere.
    session_epochs: dict[UUID | None, int] = field(default_factory=dict)
    # Access to single patients, each with the organization that it is of.
    grants: dict[UUID, tuple[UUID, AccessGrant]] = field(default_factory=dict)

    def copied(self) -> "Rows":
        """For a commit to write into: nobody sees it before it is whole."""
        return Rows(**{name: copy.copy(value) for name, value in vars(self).items()})

    def gives(self, claims: Claims) -> frozenset[str] | None:
        """What a token opens by these rows, whenever it expires; None when it is dead.

        Said from the rows alone, in words of its own: it is what the protocol is held against.
        """
        key = self.keys.get(claims.kid)
        if key is None or key.state == "revoked":
            return None
        subject, organization = claims.subject, claims.organization
        scopes = (None, subject, organization, claims.actor, (subject, organization))
        if claims.revision < max(self.epochs.get(each, 0) for each in scopes):
            return None
        if claims.organization is not None and self.suspended.get(claims.organization, True):
            return None
        own = self._roles_of(claims)
        if own is None:
            return None
        given = self._given(claims.organization, own)
        if claims.actor is None:
            return given
        actor = self.accounts.get(claims.actor)
        if actor is None or not actor.enabled:
            return None
        return given & self._given(None, actor.roles)

    def opens(self, claims: Claims, patient: UUID, at: datetime) -> bool:
        """Whether a grant opens this patient's record to whoever shows the token, at a moment."""
        return self.gives(claims) is not None and any(
            (place, grant.grantee, grant.patient) == (claims.organization, claims.subject, patient)
            and grant.state(at) is State.OPEN
            and (claims.actor is None or grant.kind is GrantKind.EXPLICIT)
            for place, grant in self.grants.values()
        )

    def _roles_of(self, claims: Claims) -> tuple[str, ...] | None:
        if claims.kind == Kind.SERVICE:
            account = self.accounts.get(claims.subject)
            return account.roles if account is not None and account.enabled else None
        # A session that is not there yet has not ended: its token was made before it was committed.
        session = self.sessions.get(claims.session or claims.subject)
        if (session is not None and self.has_ended(session)) or self.disabled.get(
            claims.subject, True
        ):
            return None
        if claims.organization is None:
            return ()
        member = self.members.get((claims.subject, claims.organization))
        return member.roles if member is not None and not member.suspended else None

    def has_ended(self, session: Session) -> bool:
        """Whether it was ended, by itself or with others."""
        epochs = (self.session_epochs.get(each, 0) for each in (None, session.organization))
        return session.ended or session.revision < max(epochs)

    def _given(self, organization: UUID | None, roles: Iterable[str]) -> frozenset[str]:
        built_in = [self.roles.get((None, role), frozenset()) for role in roles]
        own = [self.roles.get((organization, role), frozenset()) for role in roles]
        return frozenset().union(*built_in, *own)


def note(rows: Rows, revision: int, told: Json) -> None:
    """What an event makes true besides the rows that its maker wrote."""
    match told["kind"]:
        case "subject_epoch":
            rows.epochs[UUID(told["subject"])] = revision
        case "organization_epoch":
            rows.epochs[UUID(told["organization"])] = revision
        case "membership_epoch":
            rows.epochs[UUID(told["subject"]), UUID(told["organization"])] = revision
        case "global_epoch":
            rows.epochs[None] = revision
        case "role_changed":
            place = UUID(told["organization"]) if told["organization"] else None
            rows.roles[place, told["role"]] = frozenset(told["permissions"])

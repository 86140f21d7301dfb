"""Changes of the auth state, as rows keep them and as servers follow them.

Each event says the whole of what it is about, so the latest one of a `key` replaces the
earlier ones: the state is the latest event of every key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

from auth.domain.bindings import Binding

Json: TypeAlias = dict[str, object]


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


@dataclass(frozen=True, slots=True)
class SessionRevoked:
    """A session has ended, or a program's key was removed; its tokens are dead."""

    kind: ClassVar[str] = "session_revoked"
    session: UUID
    forget_at: datetime | None

    @property
    def key(self) -> str:
        """One per session."""
        return session_key(self.session)

    def to_json(self) -> Json:
        """As the row keeps it."""
        return {"session": str(self.session), "forget_at": _text(self.forget_at)}


@dataclass(frozen=True, slots=True)
class SubjectEpoch:
    """Tokens of a person or program from before this event are dead."""

    kind: ClassVar[str] = "subject_epoch"
    subject: UUID
    forget_at: datetime | None

    @property
    def key(self) -> str:
        """One per subject."""
        return subject_key(self.subject)

    def to_json(self) -> Json:
        """As the row keeps it; the epoch is the revision of the row."""
        return {"subject": str(self.subject), "forget_at": _text(self.forget_at)}


@dataclass(frozen=True, slots=True)
class MembershipChanged:
    """The roles that somebody holds in an organization, whole. None: a server of the platform.

    `roles` are those without a period.
    """

    kind: ClassVar[str] = "membership_changed"
    subject: UUID
    organization: UUID | None
    roles: tuple[str, ...]
    ended: bool
    forget_at: datetime | None
    timed: tuple[Binding, ...] = ()

    @property
    def key(self) -> str:
        """One per subject and organization."""
        return f"membership/{self.organization or ''}/{self.subject}"

    def to_json(self) -> Json:
        """As the row keeps it."""
        return {
            "subject": str(self.subject),
            "organization": str(self.organization or ""),
            "roles": list(self.roles),
            "ended": self.ended,
            "timed": [
                {
                    "role": each.role,
                    "starts_at": _text(each.starts_at),
                    "ends_at": _text(each.ends_at),
                }
                for each in self.timed
            ],
        }


@dataclass(frozen=True, slots=True)
class OrganizationEpoch:
    """Tokens for an organization from before this event are dead."""

    kind: ClassVar[str] = "organization_epoch"
    organization: UUID
    suspended: bool
    forget_at: datetime | None

    @property
    def key(self) -> str:
        """One per organization."""
        return organization_key(self.organization)

    def to_json(self) -> Json:
        """As the row keeps it; the epoch is the revision of the row."""
        return {"organization": str(self.organization), "suspended": self.suspended}


@dataclass(frozen=True, slots=True)
class MembershipEpoch:
    """Tokens of a person for one organization from before this event are dead."""

    kind: ClassVar[str] = "membership_epoch"
    subject: UUID
    organization: UUID
    forget_at: datetime | None

    @property
    def key(self) -> str:
        """One per subject and organization, beside what the membership itself is."""
        return membership_epoch_key(self.subject, self.organization)

    def to_json(self) -> Json:
        """As the row keeps it; the epoch is the revision of the row."""
        return {
            "subject": str(self.subject),
            "organization": str(self.organization),
            "forget_at": _text(self.forget_at),
        }


@dataclass(frozen=True, slots=True)
class GlobalEpoch:
    """Tokens of everybody, everywhere, from before this event are dead."""

    kind: ClassVar[str] = "global_epoch"
    forget_at: datetime | None

    @property
    def key(self) -> str:
        """There is one."""
        return GLOBAL_KEY

    def to_json(self) -> Json:
        """As the row keeps it; the epoch is the revision of the row."""
        return {}


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """A signing key was published, retired or revoked."""

    kind: ClassVar[str] = "key_changed"
    kid: str
    public_key: bytes
    state: str
    not_after: datetime | None
    forget_at: datetime | None = None

    @property
    def key(self) -> str:
        """One per signing key."""
        return f"key/{self.kid}"

    def to_json(self) -> Json:
        """As the row keeps it."""
        return {
            "kid": self.kid,
            "public_key": self.public_key.hex(),
            "state": self.state,
            "not_after": _text(self.not_after),
        }


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """A role, whole. No organization: built in."""

    kind: ClassVar[str] = "role_changed"
    organization: UUID | None
    role: str
    permissions: tuple[str, ...]
    forget_at: datetime | None = None

    @property
    def key(self) -> str:
        """One per role."""
        return f"role/{self.organization or ''}/{self.role}"

    def to_json(self) -> Json:
        """As the row keeps it."""
        return {
            "organization": str(self.organization) if self.organization else "",
            "role": self.role,
            "permissions": list(self.permissions),
        }


@dataclass(frozen=True, slots=True)
class AccessGrantChanged:
    """Somebody's access to one patient, whole; it is forgotten at its end or when revoked."""

    kind: ClassVar[str] = "access_grant_changed"
    grant: UUID
    subject: UUID
    organization: UUID
    patient: UUID
    break_glass: bool
    starts_at: datetime
    ends_at: datetime
    revoked: bool
    forget_at: datetime | None

    @property
    def key(self) -> str:
        """One per grant."""
        return f"grant/{self.grant}"

    def to_json(self) -> Json:
        """As the row keeps it."""
        return {
            "grant": str(self.grant),
            "subject": str(self.subject),
            "organization": str(self.organization),
            "patient": str(self.patient),
            "break_glass": self.break_glass,
            "starts_at": _text(self.starts_at),
            "ends_at": _text(self.ends_at),
            "revoked": self.revoked,
        }


def erased_grant_from(told: Mapping[str, Any]) -> AccessGrantChanged:
    """What is told of a grant, as it is told once its patient was erased: over, and of nobody."""
    starts_at = datetime.fromisoformat(told["starts_at"])
    return AccessGrantChanged(
        grant=UUID(told["grant"]),
        subject=UUID(told["subject"]),
        organization=UUID(told["organization"]),
        patient=UUID(int=0),
        break_glass=bool(told["break_glass"]),
        starts_at=starts_at,
        ends_at=datetime.fromisoformat(told["ends_at"]),
        revoked=True,
        forget_at=starts_at,
    )


Event: TypeAlias = (
    SessionRevoked
    | SubjectEpoch
    | MembershipChanged
    | MembershipEpoch
    | OrganizationEpoch
    | GlobalEpoch
    | KeyChanged
    | RoleChanged
    | AccessGrantChanged
)
GLOBAL_KEY = "everybody"
"""Under which the epoch of everybody is kept."""


def session_key(session: UUID) -> str:
    """Under which the end of a session, or of a program's key, is kept."""
    return f"session/{session}"


def subject_key(subject: UUID) -> str:
    """Under which the epoch of a person or program is kept."""
    return f"subject/{subject}"


def organization_key(organization: UUID) -> str:
    """Under which the epoch of an organization is kept."""
    return f"organization/{organization}"


def membership_epoch_key(subject: UUID, organization: UUID) -> str:
    """Under which the epoch of a person in an organization is kept."""
    return f"membership_epoch/{organization}/{subject}"

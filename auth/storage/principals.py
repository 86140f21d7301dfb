"""What a person or a program is now: read with the revision, in one statement.

One statement is one snapshot. A token issued from it carries its revision, so whatever shuts
its owner out later has a higher one and the token is dead.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text

from auth.domain.bindings import Held
from auth.storage.memberships import timed_from_json
from core.database import Transaction, statement
from core.truth.proof import SERVER_NAME

_USER = statement(
    text(
        """SELECT r.value AS revision,
            (u.id IS NOT NULL AND u.disabled_at IS NULL) AS enabled,
            (m.id IS NOT NULL AND m.suspended_at IS NULL AND o.suspended_at IS NULL) AS member,
            m.roles, m.timed_roles, s.revoked_at, s.expires_at,
            s.revision < GREATEST(r.session_epoch, COALESCE(so.session_epoch, 0)) AS ended
        FROM auth_revision r
        LEFT JOIN app_user u ON u.id = :user
        LEFT JOIN membership m ON m.user_id = u.id AND m.organization_id = :organization
        LEFT JOIN organization o ON o.id = m.organization_id
        LEFT JOIN session s ON s.id = :session AND s.user_id = u.id
        LEFT JOIN organization so ON so.id = s.organization_id"""
    ).bindparams(
        bindparam("user", type_=Uuid),
        bindparam("organization", type_=Uuid),
        bindparam("session", type_=Uuid),
    )
)
_SERVICE = statement(
    text(
        """SELECT r.value AS revision, a.id, a.organization_id AS organization, a.roles,
            a.display_name,
            (a.disabled_at IS NULL AND o.suspended_at IS NULL) AS enabled
        FROM auth_revision r
        LEFT JOIN service_account a ON a.id = :account
        LEFT JOIN organization o ON o.id = a.organization_id"""
    ).bindparams(bindparam("account", type_=Uuid))
)


@dataclass(frozen=True, slots=True)
class UserStanding:
    """A person at a revision, in an organization (or in none), with a session (or none)."""

    revision: int
    enabled: bool
    member: bool
    held: Held
    session_revoked_at: datetime | None
    session_expires_at: datetime | None
    # Ended with all others of its organization, or of everybody.
    session_ended: bool

    def session_lives(self, at: datetime) -> bool:
        """Whether the session asked about is theirs and has not ended."""
        ends = self.session_expires_at
        if ends is None or self.session_revoked_at is not None or self.session_ended:
            return False
        return at < ends


@dataclass(frozen=True, slots=True)
class ServiceStanding:
    """A program at a revision. No organization: a server of the platform."""

    revision: int
    organization: UUID | None
    display_name: str
    roles: tuple[str, ...]
    enabled: bool

    @property
    def server(self) -> str:
        """The name under which an operator registered a server of the platform; empty for others.

        Organizations call their own programs as they like.
        """
        named = self.organization is None and SERVER_NAME.fullmatch(self.display_name)
        return self.display_name if named else ""


class Principals:
    """What decides whether somebody may act at all."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def user(
        self, user: UUID, organization: UUID | None, session: UUID | None = None
    ) -> UserStanding:
        """A person. The transaction acts as that person or in that organization."""
        row = await self._tx.one(_USER, user=user, organization=organization, session=session)
        if row is None:
            raise LookupError("auth_revision has its row from the first migration on")
        return UserStanding(
            revision=row.revision,
            enabled=row.enabled,
            member=bool(row.member),
            held=Held(tuple(row.roles or ()), timed_from_json(row.timed_roles or ())),
            session_revoked_at=row.revoked_at,
            session_expires_at=row.expires_at,
            session_ended=bool(row.ended),
        )

    async def service(self, account: UUID) -> ServiceStanding | None:
        """A program, or None when there is no such account."""
        row = await self._tx.one(_SERVICE, account=account)
        if row is None or row.id is None:
            return None
        return ServiceStanding(
            revision=row.revision,
            organization=row.organization,
            display_name=row.display_name,
            roles=tuple(row.roles),
            enabled=row.enabled,
        )

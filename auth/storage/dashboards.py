"""What an organization looks like, in numbers. Each is one statement over its own rows alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from auth.storage.memberships import STATE
from core.database import Transaction, statement

MOST_COUNTED = 100_000
"""Rows that are counted at most, so that no number costs more than a moment."""

MOST_ROLES = 600
"""Roles whose holders are counted: all that an organization can have, and those built in."""

_TIME = TIMESTAMP(timezone=True)
_MOST = bindparam("most", MOST_COUNTED, type_=Integer)
_MEMBERS = statement(
    text(
        f"""SELECT state, count(*) AS n FROM (
            SELECT {STATE} AS state FROM membership
            WHERE organization_id = :organization_id LIMIT :most) AS counted
        GROUP BY state"""  # noqa: S608 - the state is a text of this service's own
    ).bindparams(
        bindparam("organization_id", type_=Uuid),
        bindparam("at", type_=_TIME),
        _MOST,
    )
)
_ROLES = statement(
    text(
        """SELECT role, count(*) AS n FROM (
            SELECT id, roles, timed_roles FROM membership
            WHERE organization_id = :organization_id AND suspended_at IS NULL
                AND user_id IS NOT NULL LIMIT :most) AS m
        CROSS JOIN LATERAL (
            SELECT unnest(m.roles) AS role
            UNION
            SELECT t->>'role' FROM jsonb_array_elements(m.timed_roles) AS t
            WHERE COALESCE((t->>'starts_at')::timestamptz <= :at, true)
                AND COALESCE((t->>'ends_at')::timestamptz > :at, true)) AS held
        GROUP BY role ORDER BY role LIMIT :most_roles"""
    ).bindparams(
        bindparam("organization_id", type_=Uuid),
        bindparam("at", type_=_TIME),
        _MOST,
        bindparam("most_roles", MOST_ROLES, type_=Integer),
    )
)
# Sessions are the platform's, so the organization is said; see the indexes of the table.
_SESSIONS = statement(
    text(
        """SELECT count(*) AS n FROM (
            SELECT 1 FROM session s JOIN organization o ON o.id = s.organization_id
            CROSS JOIN auth_revision r
            WHERE s.organization_id = :organization AND s.revoked_at IS NULL
                AND s.expires_at > :at
                AND s.revision >= GREATEST(o.session_epoch, r.session_epoch)
            LIMIT :most) AS live"""
    ).bindparams(bindparam("organization", type_=Uuid), bindparam("at", type_=_TIME), _MOST)
)
_LAST_LOGIN = statement(
    text(
        """SELECT created_at FROM session WHERE organization_id = :organization
        ORDER BY id DESC LIMIT 1"""
    ).bindparams(bindparam("organization", type_=Uuid))
)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Members by state, holders by role, and sessions."""

    members: Mapping[str, int]
    holders: Mapping[str, int]
    live_sessions: int
    last_login_at: datetime | None


class Dashboards:
    """Counts of the organization of the transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def of(self, organization: UUID, at: datetime) -> Dashboard:
        """Those of the organization, which is that of the transaction."""
        members = await self._tx.all(_MEMBERS, at=at)
        holders = await self._tx.all(_ROLES, at=at)
        live = await self._tx.one(_SESSIONS, organization=organization, at=at)
        last = await self._tx.one(_LAST_LOGIN, organization=organization)
        return Dashboard(
            members={row.state: row.n for row in members},
            holders={row.role: row.n for row in holders},
            live_sessions=live.n if live else 0,
            last_login_at=last.created_at if last else None,
        )

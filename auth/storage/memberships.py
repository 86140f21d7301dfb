"""Rows of memberships.

Row-level security shows people their own memberships of every organization besides those of
the transaction's. So what is the organization's alone says so in its WHERE.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Text, bindparam, delete, func, insert, select, text, update

from auth.domain.bindings import Binding, Held
from auth.domain.emails import email_key
from auth.domain.memberships import Choice, Membership
from auth.domain.roles import ADMINISTRATOR
from auth.storage.tables import app_user, membership, organization
from core.database import Transaction, after, statement
from core.database.statements import Row

MOST_CHOICES = 200  # organizations shown to one person

_HERE = membership.c.organization_id == bindparam("organization_id", type_=membership.c.id.type)
_COLUMNS = (
    membership.c.id,
    membership.c.organization_id,
    membership.c.user_id,
    membership.c.email,
    membership.c.display_name,
    membership.c.roles,
    membership.c.timed_roles,
    membership.c.suspended_at,
    membership.c.invitation_expires_at,
    membership.c.created_at,
    membership.c.updated_at,
    membership.c.revision,
)
_SELECT = select(*_COLUMNS).where(_HERE)
_ONE = _SELECT.where(membership.c.id == bindparam("id"))
_GET = statement(_ONE)
_LOCK = statement(_ONE.with_for_update())
_LOCK_ADDRESS = statement(
    _SELECT.where(membership.c.email_key == bindparam("email_key")).with_for_update()
)
_LOCK_PERSON = statement(_SELECT.where(membership.c.user_id == bindparam("user")).with_for_update())
# As domain.memberships says it, at `:at`.
STATE = """CASE WHEN suspended_at IS NOT NULL THEN 'suspended'
    WHEN user_id IS NOT NULL THEN 'active'
    WHEN invitation_expires_at > :at THEN 'invited'
    ELSE 'expired' END"""
_WANTED = text(
    f"""(:state = '' OR {STATE} = :state)
    AND (:role = '' OR :role = ANY (roles)
        OR timed_roles @> jsonb_build_array(jsonb_build_object('role', :role)))"""
).bindparams(
    bindparam("state", type_=Text),
    bindparam("role", type_=Text),
    bindparam("at", type_=membership.c.created_at.type),
)
_PAGE = _SELECT.where(_WANTED).order_by(membership.c.id).limit(bindparam("limit", type_=Integer))
_FIRST = statement(_PAGE)
_NEXT = statement(_PAGE.where(after(membership.c.id)))
_ADD = statement(
    insert(membership).values({each.name: bindparam(each.name) for each in membership.columns})
)
_SAVE = statement(
    update(membership)
    .where(_HERE, membership.c.id == bindparam("key"))
    .values(
        roles=bindparam("roles"),
        timed_roles=bindparam("timed_roles"),
        suspended_at=bindparam("suspended_at"),
        invitation_expires_at=bindparam("invitation_expires_at"),
        updated_at=bindparam("updated_at"),
        revision=membership.c.revision + 1,
    )
)
_REMOVE = statement(delete(membership).where(_HERE, membership.c.id == bindparam("key")))
_ACCEPT = statement(
    update(membership)
    .where(_HERE, membership.c.id == bindparam("key"), membership.c.user_id.is_(None))
    .values(
        user_id=bindparam("user"),
        invitation_expires_at=None,
        updated_at=bindparam("updated_at"),
        revision=membership.c.revision + 1,
    )
)
_RELEASE = statement(
    update(membership)
    .where(_HERE, membership.c.user_id == bindparam("user"))
    .values(
        user_id=None,
        suspended_at=bindparam("at"),
        updated_at=bindparam("at"),
        revision=membership.c.revision + 1,
    )
)
_PLACES = statement(
    select(membership.c.organization_id)
    .where(membership.c.user_id == bindparam("user_id"))
    .order_by(membership.c.organization_id)
    .limit(MOST_CHOICES)
)
_COUNT_ADMINISTRATORS = (
    select(func.count().label("n"))
    .select_from(membership)
    .join(app_user, app_user.c.id == membership.c.user_id)
    .where(
        _HERE,
        membership.c.suspended_at.is_(None),
        membership.c.roles.contains([ADMINISTRATOR]),
        app_user.c.disabled_at.is_(None),
    )
)
_ADMINISTRATORS = statement(_COUNT_ADMINISTRATORS)
_OTHER_ADMINISTRATORS = statement(_COUNT_ADMINISTRATORS.where(membership.c.id != bindparam("id")))
_CHOICES = statement(
    select(organization.c.id, organization.c.display_name)
    .join(membership, membership.c.organization_id == organization.c.id)
    .where(
        membership.c.user_id == bindparam("user_id"),
        membership.c.suspended_at.is_(None),
        organization.c.suspended_at.is_(None),
    )
    .order_by(organization.c.display_name, organization.c.id)
    .limit(MOST_CHOICES)
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which memberships are listed: of a state at a moment, with a role; empty: any."""

    at: datetime
    state: str = ""
    role: str = ""


def _membership(row: Row) -> Membership:
    return Membership(
        id=row.id,
        organization=row.organization_id,
        user=row.user_id,
        email=row.email,
        display_name=row.display_name,
        held=Held(tuple(row.roles), timed_from_json(row.timed_roles)),
        suspended_at=row.suspended_at,
        invitation_expires_at=row.invitation_expires_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
    )


def timed_from_json(timed: Sequence[Mapping[str, Any]]) -> tuple[Binding, ...]:
    """Roles with a period, as their column keeps them."""
    return tuple(
        Binding(each["role"], _time(each["starts_at"]), _time(each["ends_at"])) for each in timed
    )


def timed_to_json(timed: Sequence[Binding]) -> list[dict[str, Any]]:
    """Roles with a period, for their column."""
    return [
        {
            "role": each.role,
            "starts_at": each.starts_at and each.starts_at.isoformat(),
            "ends_at": each.ends_at and each.ends_at.isoformat(),
        }
        for each in timed
    ]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class Memberships:
    """Who belongs to the organization of the transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, key: UUID) -> Membership | None:
        """One of the organization's."""
        row = await self._tx.one(_GET, id=key)
        return _membership(row) if row else None

    async def lock(self, key: UUID) -> Membership | None:
        """One of the organization's, held until the transaction ends."""
        row = await self._tx.one(_LOCK, id=key)
        return _membership(row) if row else None

    async def lock_address(self, email: str) -> Membership | None:
        """That of an address, however it is spelled, held until the transaction ends."""
        row = await self._tx.one(_LOCK_ADDRESS, email_key=email_key(email))
        return _membership(row) if row else None

    async def lock_person(self, user: UUID) -> Membership | None:
        """That of an account, held until the transaction ends."""
        row = await self._tx.one(_LOCK_PERSON, user=user)
        return _membership(row) if row else None

    async def page(self, wanted: Wanted, key: tuple[object, ...], limit: int) -> list[Membership]:
        """The organization's, oldest first, after the key of the page before."""
        given = {"limit": limit, "state": wanted.state, "role": wanted.role, "at": wanted.at}
        if key:
            rows = await self._tx.all(_NEXT, after_id=key[0], **given)
        else:
            rows = await self._tx.all(_FIRST, **given)
        return [_membership(row) for row in rows]

    async def add(self, made: Membership) -> None:
        """Add one. Raises ConstraintViolated for a second one of an address."""
        await self._tx.run(
            _ADD,
            id=made.id,
            user_id=made.user,
            email=made.email,
            email_key=email_key(made.email),
            display_name=made.display_name,
            roles=list(made.held.roles),
            timed_roles=timed_to_json(made.held.timed),
            suspended_at=made.suspended_at,
            invitation_expires_at=made.invitation_expires_at,
            created_at=made.created_at,
            updated_at=made.updated_at,
            revision=made.revision,
        )

    async def save(self, changed: Membership) -> None:
        """Write what can change of one that this transaction holds."""
        await self._tx.run(
            _SAVE,
            key=changed.id,
            roles=list(changed.held.roles),
            timed_roles=timed_to_json(changed.held.timed),
            suspended_at=changed.suspended_at,
            invitation_expires_at=changed.invitation_expires_at,
            updated_at=changed.updated_at,
        )

    async def remove(self, key: UUID) -> None:
        """Delete one that this transaction holds, and to which no invitation leads any more."""
        await self._tx.run(_REMOVE, key=key)

    async def accept(self, key: UUID, user: UUID, at: datetime) -> None:
        """Make an invitation that this transaction holds the membership of a person."""
        await self._tx.run(_ACCEPT, key=key, user=user, updated_at=at)

    async def release(self, user: UUID, at: datetime) -> bool:
        """Make the membership of an account nobody's, and suspended: its address may be invited
        anew. False: the account has none in the organization.
        """
        return bool(await self._tx.run(_RELEASE, user=user, at=at))

    async def places(self, user: UUID) -> list[UUID]:
        """The organizations of the acting person, suspended or not. At most MOST_CHOICES.

        The transaction acts as that person: row-level security shows nobody else's.
        """
        return [row.organization_id for row in await self._tx.all(_PLACES, user_id=user)]

    async def administrators(self) -> int:
        """How many can administer the organization; none for a time counts."""
        row = await self._tx.one(_ADMINISTRATORS)
        return int(row.n)  # type: ignore[union-attr]

    async def other_administrators(self, key: UUID) -> int:
        """How many can administer the organization without this member."""
        row = await self._tx.one(_OTHER_ADMINISTRATORS, id=key)
        return int(row.n)  # type: ignore[union-attr]

    async def choices(self, user: UUID) -> list[Choice]:
        """Where the acting person can work, by display name. At most MOST_CHOICES.

        The transaction acts as that person: row-level security shows nobody else's.
        """
        rows = await self._tx.all(_CHOICES, user_id=user)
        return [Choice(*row) for row in rows]

"""Rows of access grants."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Boolean, Integer, Text, Uuid, bindparam, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from auth.domain.access_grants import AccessGrant, Actor, Finding, GrantKind, Review
from auth.domain.bindings import Held
from auth.storage.memberships import timed_from_json
from auth.storage.tables import access_grant, app_user, membership
from core.database import Row, Transaction, sql, statement

_TIME = TIMESTAMP(timezone=True)
MOST_OPEN: Final = 100  # more than anybody holds at once, so that nothing open is cut off

MOST_TOLD: Final = 20  # of one organization, who are told of an emergency
_T = access_grant.c
_AT = bindparam("at", type_=_TIME)
_MAY_OPEN = (_T.revoked_at.is_(None), _T.ends_at > _AT)
_SELECT = select(access_grant)
_GET = statement(_SELECT.where(_T.id == bindparam("id")))
_LOCK = statement(_SELECT.where(_T.id == bindparam("id")).with_for_update())
_OPEN = statement(
    _SELECT.where(_T.user_id == bindparam("user", type_=Uuid), *_MAY_OPEN)
    .order_by(_T.id)
    .limit(MOST_OPEN)
)
_LOCK_OPEN = statement(
    _SELECT.where(_T.user_id == bindparam("user", type_=Uuid), *_MAY_OPEN)
    .order_by(_T.id)
    .limit(MOST_OPEN)
    .with_for_update()
)
# An emergency ends at the earliest when it was taken, so its index leads to those of a period.
_TAKEN = statement(
    select(_T.created_at)
    .where(
        _T.user_id == bindparam("user", type_=Uuid),
        _T.kind == GrantKind.BREAK_GLASS.value,
        _T.ends_at > bindparam("since", type_=_TIME),
        _T.created_at > bindparam("since", type_=_TIME),
    )
    .order_by(_T.created_at)
    .limit(MOST_OPEN)
)
# Whoever counts what a member holds, and then adds to it, holds the member's row meanwhile.
_LOCK_MEMBER = statement(
    select(membership.c.id)
    .where(
        membership.c.organization_id == bindparam("organization_id", type_=Uuid),
        membership.c.user_id == bindparam("user", type_=Uuid),
        membership.c.suspended_at.is_(None),
    )
    .with_for_update(key_share=True)
)
_HOLDERS = statement(
    select(membership.c.email, membership.c.roles, membership.c.timed_roles, app_user.c.language)
    .join(app_user, app_user.c.id == membership.c.user_id)
    .where(
        membership.c.organization_id == bindparam("organization_id", type_=Uuid),
        membership.c.suspended_at.is_(None),
        app_user.c.disabled_at.is_(None),
        membership.c.roles.contains(bindparam("roles", type_=ARRAY(Text)))
        | membership.c.timed_roles.contains(bindparam("timed", type_=JSONB)),
    )
    .order_by(membership.c.id)
    .limit(MOST_TOLD)
)
_KIND, _PATIENT = bindparam("kind", type_=Text), bindparam("patient", type_=Uuid)
_GRANTEE = bindparam("grantee", type_=Uuid)
_PAGE = (
    _SELECT.where(
        or_(_KIND == "", _T.kind == _KIND),
        or_(_GRANTEE.is_(None), _T.user_id == _GRANTEE),
        or_(_PATIENT.is_(None), _T.patient_id == _PATIENT),
        or_(~bindparam("open_only", type_=Boolean), (_T.revoked_at.is_(None)) & (_T.ends_at > _AT)),
        or_(
            ~bindparam("unreviewed_only", type_=Boolean),
            (_T.kind == GrantKind.BREAK_GLASS.value) & _T.finding.is_(None),
        ),
    )
    .order_by(_T.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
_FIRST = statement(_PAGE)
_NEXT = statement(_PAGE.where(_T.id < bindparam("after_id", type_=Uuid)))
_END = sql(
    "SELECT * FROM medhub.end_grants(:person, :place, :at)", person=Uuid, place=Uuid, at=_TIME
)
_ADD = statement(insert(access_grant))
_SAVE = statement(
    update(access_grant)
    .where(_T.id == bindparam("key"))
    .values(
        revoked_at=bindparam("revoked_at"),
        finding=bindparam("finding"),
        finding_note=bindparam("finding_note"),
        reviewed_by=bindparam("reviewed_by"),
        reviewed_at=bindparam("reviewed_at"),
        revision=bindparam("revision"),
    )
)


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which grants are asked for. What is "" or None is not asked; all that is asked must fit."""

    kind: str = ""
    grantee: UUID | None = None
    patient: UUID | None = None
    open_only: bool = False
    unreviewed_only: bool = False


class AccessGrants:
    """The grants of the transaction's organization."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def lock_member(self, user: UUID) -> bool:
        """Hold an active member's row until the transaction ends; False when there is none."""
        return await self._tx.one(_LOCK_MEMBER, user=user) is not None

    async def holders(self, role: str, at: datetime) -> list[tuple[str, str]]:
        """The organization's active members of a role: address and language, if known."""
        return [
            (str(row.email), str(row.language))
            for row in await self._tx.all(_HOLDERS, roles=[role], timed=[{"role": role}])
            if role in Held(tuple(row.roles), timed_from_json(row.timed_roles)).at(at)
        ]

    async def get(self, key: UUID) -> AccessGrant | None:
        """One."""
        row = await self._tx.one(_GET, id=key)
        return _grant(row) if row else None

    async def lock(self, key: UUID) -> AccessGrant | None:
        """One, held until the transaction ends."""
        row = await self._tx.one(_LOCK, id=key)
        return _grant(row) if row else None

    async def open_of(self, user: UUID, at: datetime) -> list[AccessGrant]:
        """Those of a person that open something at `at` or later, oldest first."""
        return [_grant(row) for row in await self._tx.all(_OPEN, user=user, at=at)]

    async def lock_open_of(self, user: UUID, at: datetime) -> list[AccessGrant]:
        """The same, held until the transaction ends."""
        return [_grant(row) for row in await self._tx.all(_LOCK_OPEN, user=user, at=at)]

    async def emergencies_since(self, user: UUID, since: datetime) -> list[datetime]:
        """When a person took emergencies, also those that are over, oldest first."""
        return [row.created_at for row in await self._tx.all(_TAKEN, user=user, since=since)]

    async def end_of(self, user: UUID, organization: UUID, at: datetime) -> list[AccessGrant]:
        """End what opens something to a person in an organization; those ended, in no order.

        Also about patients whose data are restricted. The organization is the transaction's, or
        the person is the one who acts.
        """
        rows = await self._tx.all(_END, person=user, place=organization, at=at)
        return [_grant(row) for row in rows]

    async def page(
        self, criteria: Criteria, at: datetime, key: tuple[object, ...], limit: int
    ) -> list[AccessGrant]:
        """Those that fit, newest first, after the key of the page before."""
        asked = {
            "kind": criteria.kind,
            "grantee": criteria.grantee,
            "patient": criteria.patient,
            "open_only": criteria.open_only,
            "unreviewed_only": criteria.unreviewed_only,
            "at": at,
            "limit": limit,
        }
        if key:
            rows = await self._tx.all(_NEXT, after_id=key[0], **asked)
        else:
            rows = await self._tx.all(_FIRST, **asked)
        return [_grant(row) for row in rows]

    async def add(self, made: AccessGrant) -> None:
        """A new one. Raises PersonRestricted and PersonErased for such a patient."""
        await self._tx.run(
            _ADD,
            id=made.id,
            user_id=made.grantee,
            patient_id=made.patient,
            kind=made.kind.value,
            reason=made.reason,
            starts_at=made.starts_at,
            ends_at=made.ends_at,
            given_by=made.given_by.id,
            given_by_kind=made.given_by.kind,
            created_at=made.created_at,
            **_changing(made),
        )

    async def save(self, changed: AccessGrant) -> None:
        """What can change of one that this transaction holds."""
        await self._tx.run(_SAVE, key=changed.id, **_changing(changed))


def _changing(grant: AccessGrant) -> dict[str, object]:
    found = grant.review
    return {
        "revoked_at": grant.revoked_at,
        "finding": found and found.finding.value,
        "finding_note": found and found.note,
        "reviewed_by": found and found.by,
        "reviewed_at": found and found.at,
        "revision": grant.revision,
    }


def _grant(row: Row) -> AccessGrant:
    review = None
    if row.finding is not None:
        review = Review(Finding(row.finding), row.finding_note, row.reviewed_by, row.reviewed_at)
    return AccessGrant(
        id=row.id,
        grantee=row.user_id,
        patient=row.patient_id,
        kind=GrantKind(row.kind),
        reason=row.reason,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        given_by=Actor(row.given_by_kind, row.given_by),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        review=review,
        revision=row.revision,
    )

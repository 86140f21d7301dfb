"""Rows of organizations."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select, text, update

from auth.domain.organizations import OrganizationSettings
from auth.storage.tables import organization
from core.database import Transaction, statement

_COLUMNS = (
    organization.c.id,
    organization.c.display_name,
    organization.c.test,
    organization.c.suspended_at,
    organization.c.created_at,
    organization.c.updated_at,
    organization.c.revision,
)
_ADD = statement(insert(organization))
_GET = statement(select(*_COLUMNS).where(organization.c.id == bindparam("id")))
_SETTINGS = statement(
    select(
        organization.c.mfa_required,
        organization.c.allowed_factors,
        organization.c.session_life,
        organization.c.session_idle,
        organization.c.self_registration,
        organization.c.registration_domains,
        organization.c.registration_roles,
    ).where(organization.c.id == bindparam("id"))
)
_CHANGED = {"updated_at": bindparam("updated_at"), "revision": organization.c.revision + 1}
_RENAME = statement(
    update(organization)
    .where(organization.c.id == bindparam("key"))
    .values(display_name=bindparam("display_name"), **_CHANGED)
)
_DECIDE = statement(
    update(organization)
    .where(organization.c.id == bindparam("key"))
    .values(
        mfa_required=bindparam("mfa_required"),
        allowed_factors=bindparam("allowed_factors"),
        session_life=bindparam("session_life"),
        session_idle=bindparam("session_idle"),
        self_registration=bindparam("self_registration"),
        registration_domains=bindparam("registration_domains"),
        registration_roles=bindparam("registration_roles"),
        **_CHANGED,
    )
)
_BOOTSTRAPPED = statement(
    select(organization.c.id).where(organization.c.bootstrapped_as == bindparam("bootstrapped_as"))
)
# NO KEY UPDATE: rows that refer to the organization can still be added meanwhile.
_LOCK = statement(
    select(organization.c.id)
    .where(organization.c.id == bindparam("id"))
    .with_for_update(key_share=True)
)
# One that leaves, and is being destroyed in some service, does not come back.
_STAYS = text("""NOT EXISTS (SELECT FROM medhub.offboarding o
    WHERE o.organization_id = organization.id AND o.begun_at IS NOT NULL)""")
_SUSPEND = statement(
    update(organization)
    .where(organization.c.id == bindparam("key"))
    .where(or_(bindparam("at", type_=organization.c.suspended_at.type).is_not(None), _STAYS))
    .values(suspended_at=bindparam("at"))
)
_END_SESSIONS = statement(
    update(organization)
    .where(organization.c.id == bindparam("key"))
    .values(session_epoch=bindparam("epoch"))
)


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant."""

    id: UUID
    display_name: str
    test: bool
    suspended_at: datetime | None
    created_at: datetime
    updated_at: datetime | None = None
    revision: int = 1


class Organizations:
    """The tenants themselves."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, made: Organization, bootstrapped_as: bytes | None = None) -> None:
        """Add one; of the operator's, with what the command that makes it is known by."""
        await self._tx.run(
            _ADD,
            id=made.id,
            display_name=made.display_name,
            test=made.test,
            suspended_at=made.suspended_at,
            created_at=made.created_at,
            bootstrapped_as=bootstrapped_as,
            updated_at=None,
        )

    async def get(self, key: UUID) -> Organization | None:
        """One, or None."""
        row = await self._tx.one(_GET, id=key)
        return Organization(*row) if row else None

    async def settings(self, key: UUID | None) -> OrganizationSettings:
        """What an organization has decided; the defaults for none and for one that is not there.

        Nobody belongs to such a one, and nobody may join it by themselves.
        """
        row = await self._tx.one(_SETTINGS, id=key) if key else None
        if row is None:
            return OrganizationSettings()
        return OrganizationSettings(
            mfa_required=row.mfa_required,
            allowed_factors=frozenset(row.allowed_factors),
            session_life=timedelta(seconds=row.session_life),
            session_idle=timedelta(seconds=row.session_idle),
            self_registration=row.self_registration,
            registration_domains=tuple(row.registration_domains),
            registration_roles=tuple(row.registration_roles),
        )

    async def rename(self, key: UUID, display_name: str, at: datetime) -> None:
        """Write the display name of one that this transaction has locked."""
        await self._tx.run(_RENAME, key=key, display_name=display_name, updated_at=at)

    async def decide(self, key: UUID, settings: OrganizationSettings, at: datetime) -> None:
        """Write the settings of one that this transaction has locked."""
        await self._tx.run(
            _DECIDE,
            key=key,
            mfa_required=settings.mfa_required,
            allowed_factors=sorted(settings.allowed_factors),
            session_life=int(settings.session_life.total_seconds()),
            session_idle=int(settings.session_idle.total_seconds()),
            self_registration=settings.self_registration,
            registration_domains=sorted(settings.registration_domains),
            registration_roles=sorted(settings.registration_roles),
            updated_at=at,
        )

    async def bootstrapped(self, bootstrapped_as: bytes) -> UUID | None:
        """The one that this command of the operator has made, whatever it is called now."""
        row = await self._tx.one(_BOOTSTRAPPED, bootstrapped_as=bootstrapped_as)
        return row.id if row else None

    async def lock(self, key: UUID) -> None:
        """Make changes of the organization's administrators take turns."""
        await self._tx.one(_LOCK, id=key)

    async def suspend(self, key: UUID, at: datetime | None) -> bool:
        """Suspend one, or (None) let it work again. False: there is no such organization, or it
        leaves for good.
        """
        return bool(await self._tx.run(_SUSPEND, key=key, at=at))

    async def end_sessions(self, key: UUID, epoch: int) -> None:
        """End every session of one from before a revision of the auth state."""
        await self._tx.run(_END_SESSIONS, key=key, epoch=epoch)

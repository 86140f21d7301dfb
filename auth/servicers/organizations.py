"""OrganizationService: the organization that the caller works in, and how one is founded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from google.protobuf.duration_pb2 import Duration

from auth.domain.accounts import Account
from auth.domain.bindings import Binding, Held
from auth.domain.memberships import Membership, State, check_etag
from auth.domain.names import check_name
from auth.domain.organizations import OrganizationSettings, check_settings, founded_by
from auth.domain.refusals import OrganizationCreationClosed
from auth.domain.roles import ADMINISTRATOR
from auth.giving import check_given
from auth.invitations import membership_changed
from auth.servicers.masks import named
from auth.servicers.times import timestamp
from auth.signing import Signer
from auth.storage.dashboards import Dashboard
from auth.storage.organizations import Organization
from auth.storage.store import Store, Tx
from core import clock, identity
from core.errors import InvalidName, NotFound
from core.identity import Kind
from core.ids import id_from, name_of, new_id
from medhub.auth.v1 import organization_pb2
from medhub.auth.v1 import organization_service_pb2 as wire

COLLECTION = "organizations"
_DISPLAY_NAME = frozenset({"display_name"})
_SETTINGS = frozenset({
    "mfa_required", "allowed_factors", "session_life", "session_idle", "self_registration",
    "registration_domains", "registration_roles",
})  # fmt: skip


class Organizations:
    """The OrganizationService of the contract."""

    def __init__(self, store: Store, signer: Signer, *, founding: bool) -> None:
        """`founding`: the operator lets people found organizations."""
        self._store = store
        self._signer = signer
        self._founding = founding

    async def CreateOrganization(
        self, request: wire.CreateOrganizationRequest
    ) -> organization_pb2.Organization:
        """Found one. All of it is one transaction, in the tenant that it makes."""
        caller = identity.caller()
        if not self._founding or caller.kind is not Kind.USER or caller.subject is None:
            raise OrganizationCreationClosed
        check_name(request.organization.display_name, field="organization.display_name")
        check_name(request.founder_display_name, field="founder_display_name")
        async with self._store.begin() as tx:
            key = await self._signer.derivation_key(tx)
        asked = identity.call().request_id
        made_as = founded_by(key, caller.subject, asked) if asked else new_id()
        async with self._store.begin_for(caller.subject, made_as, caller.session) as tx:
            earlier = await tx.first_try()
            # Also once the request is forgotten: nobody else can have made this id.
            found = await tx.organizations.get(made_as)
            if earlier is None:
                await tx.remember(name_of(COLLECTION, made_as), revision=1)
            if found is None:
                # Held, so that nobody founds one with an account that is deleted meanwhile.
                account = await tx.users.lock(caller.subject)
                if account is None or not account.enabled:
                    raise OrganizationCreationClosed
                found = Organization(
                    made_as, request.organization.display_name, False, None, clock.now()
                )
                await tx.organizations.add(found)
                founder = _founder(found, account, request.founder_display_name)
                await tx.memberships.add(founder)
                await tx.state.publish([membership_changed(founder, caller.subject)])
        return organization_to_proto(found)

    async def GetOrganization(
        self, request: wire.GetOrganizationRequest
    ) -> organization_pb2.Organization:
        """Show the organization of the token; any other is not found."""
        key = _own(request.name)
        async with self._store.begin(read_only=True) as tx:
            return organization_to_proto(await _found(tx, key))

    async def UpdateOrganization(
        self, request: wire.UpdateOrganizationRequest
    ) -> organization_pb2.Organization:
        """Rename it."""
        named(request.update_mask, _DISPLAY_NAME)
        key = _own(request.organization.name, field="organization.name")
        check_name(request.organization.display_name, field="organization.display_name")
        async with self._store.begin() as tx:
            held = await _hold(tx, key, request.organization.etag)
            now, display_name = clock.now(), request.organization.display_name
            await tx.organizations.rename(key, display_name, now)
        return organization_to_proto(
            replace(held, display_name=display_name, updated_at=now, revision=held.revision + 1)
        )

    async def GetOrganizationSettings(
        self, request: wire.GetOrganizationSettingsRequest
    ) -> organization_pb2.OrganizationSettings:
        """Show what it has decided."""
        key = _own(request.name, suffix="/settings")
        async with self._store.begin(read_only=True) as tx:
            held = await _found(tx, key)
            return settings_to_proto(held, await tx.organizations.settings(key))

    async def UpdateOrganizationSettings(
        self, request: wire.UpdateOrganizationSettingsRequest
    ) -> organization_pb2.OrganizationSettings:
        """Decide."""
        fields = named(request.update_mask, _SETTINGS)
        key = _own(request.settings.name, suffix="/settings", field="settings.name")
        async with self._store.begin() as tx:
            held = await _hold(tx, key, request.settings.etag)
            before = await tx.organizations.settings(key)
            asked = settings_from_proto(request.settings)
            settings = replace(before, **{each: getattr(asked, each) for each in fields})
            check_settings(settings)
            # Who joins gets them without an end, and nobody looks at it then.
            await check_given(
                tx, map(Binding, settings.newly_given(before)), field="settings.registration_roles"
            )
            now = clock.now()
            await tx.organizations.decide(key, settings, now)
        return settings_to_proto(
            replace(held, updated_at=now, revision=held.revision + 1), settings
        )

    async def GetOrganizationDashboard(
        self, request: wire.GetOrganizationDashboardRequest
    ) -> organization_pb2.OrganizationDashboard:
        """Count."""
        key = _own(request.name, suffix="/dashboard")
        async with self._store.begin(read_only=True) as tx:
            return dashboard_to_proto(key, await tx.dashboards.of(key, clock.now()))


def _own(name: str, *, suffix: str = "", field: str = "name") -> UUID:
    """The organization of the token. Raises NotFound for any other."""
    if not name.endswith(suffix):
        raise InvalidName(field=field)
    key = id_from(name.removesuffix(suffix), COLLECTION, field=field)
    if key != identity.caller().organization:
        raise NotFound
    return key


async def _found(tx: Tx, key: UUID) -> Organization:
    found = await tx.organizations.get(key)
    if found is None:
        raise NotFound
    return found


async def _hold(tx: Tx, key: UUID, etag: str) -> Organization:
    """The organization, to change. Raises EtagMismatch."""
    await tx.organizations.lock(key)
    held = await _found(tx, key)
    check_etag(held.revision, etag)
    return held


def _founder(made: Organization, account: Account, display_name: str) -> Membership:
    return Membership(
        id=new_id(),
        organization=made.id,
        user=account.id,
        email=account.email,
        display_name=display_name,
        held=Held((ADMINISTRATOR,)),
        suspended_at=None,
        invitation_expires_at=None,
        created_at=made.created_at,
        updated_at=made.created_at,
        revision=1,
    )


def organization_to_proto(organization: Organization) -> organization_pb2.Organization:
    """As its members see it."""
    suspended = organization.suspended_at is not None
    return organization_pb2.Organization(
        name=name_of(COLLECTION, organization.id),
        display_name=organization.display_name,
        state=(
            organization_pb2.ORGANIZATION_STATE_SUSPENDED
            if suspended
            else organization_pb2.ORGANIZATION_STATE_ACTIVE
        ),
        test=organization.test,
        create_time=timestamp(organization.created_at),
        update_time=timestamp(organization.updated_at),
        etag=str(organization.revision),
    )


def settings_to_proto(
    organization: Organization, settings: OrganizationSettings
) -> organization_pb2.OrganizationSettings:
    """What an organization has decided."""
    return organization_pb2.OrganizationSettings(
        name=f"{name_of(COLLECTION, organization.id)}/settings",
        mfa_required=settings.mfa_required,
        allowed_factors=sorted(settings.allowed_factors),
        session_life=_duration(settings.session_life),
        session_idle=_duration(settings.session_idle),
        self_registration=settings.self_registration,
        registration_domains=sorted(settings.registration_domains),
        registration_roles=sorted(settings.registration_roles),
        update_time=timestamp(organization.updated_at),
        etag=str(organization.revision),
    )


def settings_from_proto(message: organization_pb2.OrganizationSettings) -> OrganizationSettings:
    """What is asked for. A life is in whole seconds."""
    return OrganizationSettings(
        mfa_required=message.mfa_required,
        allowed_factors=frozenset(message.allowed_factors),
        session_life=timedelta(seconds=message.session_life.seconds),
        session_idle=timedelta(seconds=message.session_idle.seconds),
        self_registration=message.self_registration,
        registration_domains=tuple(sorted(message.registration_domains)),
        registration_roles=tuple(sorted(message.registration_roles)),
    )


def dashboard_to_proto(key: UUID, counted: Dashboard) -> organization_pb2.OrganizationDashboard:
    """Numbers."""
    members: Any = counted.members
    return organization_pb2.OrganizationDashboard(
        name=f"{name_of(COLLECTION, key)}/dashboard",
        active_members=members.get(State.ACTIVE, 0),
        suspended_members=members.get(State.SUSPENDED, 0),
        open_invitations=members.get(State.INVITED, 0),
        expired_invitations=members.get(State.EXPIRED, 0),
        roles=[
            organization_pb2.RoleHolders(role=role, members=n)
            for role, n in counted.holders.items()
        ],
        live_sessions=counted.live_sessions,
        last_login_time=timestamp(counted.last_login_at),
    )


def _duration(life: timedelta) -> Duration:
    return Duration(seconds=int(life.total_seconds()))

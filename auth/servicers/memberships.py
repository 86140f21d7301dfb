"""MembershipService: who belongs to the organization, and with which roles."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from auth.domain.activations import ACTIVATION_LIFE
from auth.domain.bindings import Binding, Held, held_from
from auth.domain.events import Event, MembershipEpoch
from auth.domain.memberships import Membership, State, check_etag, keep_an_administrator
from auth.domain.names import check_name
from auth.domain.refusals import AlreadyAMember, NotInvited
from auth.domain.sessions import forget_at
from auth.giving import check_given
from auth.granting import end_grants
from auth.invitations import membership_changed
from auth.offering import Offering
from auth.servicers.bindings import binding_from_proto, binding_to_proto
from auth.servicers.times import timestamp
from auth.storage.memberships import Wanted
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database import ConstraintViolated
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import NotFound
from core.ids import id_from, name_of, new_id
from medhub.auth.v1 import membership_pb2
from medhub.auth.v1 import membership_service_pb2 as wire

COLLECTION = "memberships"
_WIRE_STATES = {
    State.ACTIVE: membership_pb2.MEMBERSHIP_STATE_ACTIVE,
    State.SUSPENDED: membership_pb2.MEMBERSHIP_STATE_SUSPENDED,
    State.INVITED: membership_pb2.MEMBERSHIP_STATE_INVITED,
    State.EXPIRED: membership_pb2.MEMBERSHIP_STATE_EXPIRED,
}
_STATES = {wired: state for state, wired in _WIRE_STATES.items()}
_LISTING = Listing(method="medhub.auth.v1.MembershipService/ListMemberships", order="id")


class Memberships:
    """The MembershipService of the contract."""

    def __init__(self, store: Store, pages: PageTokens, offering: Offering) -> None:
        self._store = store
        self._pages = pages
        self._offering = offering

    async def CreateMembership(
        self, request: wire.CreateMembershipRequest
    ) -> membership_pb2.Membership:
        """Invite a person. No account is looked at: the answer is the same for every address."""
        asked = request.membership
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            if earlier is not None:
                return await self._again(tx, id_from(earlier.name, COLLECTION))
            held = _held(asked.roles, asked.bindings, field="membership.roles")
            await check_given(tx, held.bindings, field="membership.roles")
            made = _new(asked, held)
            try:
                await tx.memberships.add(made)
            except ConstraintViolated:
                raise AlreadyAMember from None
            token = await self._offering.offer(tx, made)
            await tx.remember(name_of(COLLECTION, made.id), made.revision)
        return membership_to_proto(made, token)

    async def GetMembership(self, request: wire.GetMembershipRequest) -> membership_pb2.Membership:
        """Show one."""
        async with self._store.begin(read_only=True) as tx:
            found = await tx.memberships.get(id_from(request.name, COLLECTION))
        if found is None:
            raise NotFound
        return membership_to_proto(found)

    async def ListMemberships(
        self, request: wire.ListMembershipsRequest
    ) -> wire.ListMembershipsResponse:
        """Show a page."""
        size, state = page_size(request.page_size), _STATES.get(request.state, "")
        listing = replace(_LISTING, filter=f"{state}/{request.role}")
        key = self._pages.open(request.page_token, listing)
        wanted = Wanted(clock.now(), state, request.role)
        async with self._store.begin(read_only=True) as tx:
            rows = await tx.memberships.page(wanted, key, size + 1)
        page = page_of(rows, size, listing, self._pages, key=lambda row: (row.id,))
        return wire.ListMembershipsResponse(
            memberships=[membership_to_proto(each) for each in page.items],
            next_page_token=page.next_page_token,
        )

    async def SetMembershipRoles(
        self, request: wire.SetMembershipRolesRequest
    ) -> membership_pb2.Membership:
        """Give a member exactly these roles."""
        roles = Held(tuple(sorted(request.roles)))
        return await self._give(request.name, request.etag, roles, field="roles")

    async def SetMembershipBindings(
        self, request: wire.SetMembershipBindingsRequest
    ) -> membership_pb2.Membership:
        """Give a member exactly these roles, each in its period."""
        held = _held((), request.bindings, field="bindings")
        return await self._give(request.name, request.etag, held, field="bindings")

    async def _give(
        self, name: str, etag: str, roles: Held, *, field: str
    ) -> membership_pb2.Membership:
        async with self._store.begin() as tx:
            held = await _hold(tx, name, etag)
            await check_given(tx, roles.beyond(held.held, clock.now()), field=field)
            await _keep_an_administrator(tx, held, roles, held.suspended_at)
            saved = await _save(tx, replace(held, held=roles))
            await _tell(tx, saved)
        return membership_to_proto(saved)

    async def SuspendMembership(
        self, request: wire.SuspendMembershipRequest
    ) -> membership_pb2.Membership:
        """Shut a member out; what they have open in the organization ends, or the invitation."""
        now = clock.now()
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            if held.suspended_at is not None:
                await tx.state.settled()
                return membership_to_proto(held)
            await _keep_an_administrator(tx, held, held.held, now)
            saved = await _save(tx, replace(held, suspended_at=now))
            await tx.activations.cancel(held.id, now)
            await _tell(tx, saved, await _end_access(tx, held, now))
        return membership_to_proto(saved)

    async def ReactivateMembership(
        self, request: wire.ReactivateMembershipRequest
    ) -> membership_pb2.Membership:
        """Let a suspended member in again, or invite them anew."""
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            if held.suspended_at is None:
                return membership_to_proto(held)
            back = replace(held, suspended_at=None)
            if back.acceptable:
                saved, token = await self._invite_again(tx, back)
            else:
                await check_given(tx, held.held.bindings, field="name")
                saved, token = await _save(tx, back), ""
            await _tell(tx, saved)
        return membership_to_proto(saved, token)

    async def ResendInvitation(
        self, request: wire.ResendInvitationRequest
    ) -> membership_pb2.Membership:
        """Invite anew who has not accepted."""
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            if not held.acceptable:
                raise NotInvited
            await tx.activations.cancel(held.id, clock.now())
            saved, token = await self._invite_again(tx, held)
        return membership_to_proto(saved, token)

    async def RevokeInvitation(
        self, request: wire.RevokeInvitationRequest
    ) -> wire.RevokeInvitationResponse:
        """Take an invitation back, also one to a membership that is suspended."""
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            if held.user is not None:
                raise NotInvited
            await _remove(tx, held)
        return wire.RevokeInvitationResponse()

    async def RemoveMembership(
        self, request: wire.RemoveMembershipRequest
    ) -> wire.RemoveMembershipResponse:
        """End a membership for good."""
        now = clock.now()
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            await _keep_an_administrator(tx, held, Held(), now)
            ended = await _end_access(tx, held, now)
            await _remove(tx, held)
            if held.user is None:
                revision = await tx.state.settled()
            else:
                gone = membership_changed(replace(held, suspended_at=now), held.user)
                revision = await tx.state.publish([gone, *ended])
        return wire.RemoveMembershipResponse(auth_revision=revision)

    async def _invite_again(self, tx: Tx, held: Membership) -> tuple[Membership, str]:
        # Who gets the token can take the roles, so it is given like the roles.
        await check_given(tx, held.held.bindings, field="name")
        saved = await _save(tx, replace(held, invitation_expires_at=clock.now() + ACTIVATION_LIFE))
        return saved, await self._offering.offer(tx, saved)

    async def _again(self, tx: Tx, key: UUID) -> membership_pb2.Membership:
        """What an earlier call made; with the token, while nobody has used it."""
        found = await tx.memberships.get(key)
        if found is None:
            raise NotFound
        return membership_to_proto(found, await self._offering.shown(tx, found))


def _held(
    roles: Iterable[str], bindings: Iterable[membership_pb2.RoleBinding], *, field: str
) -> Held:
    """Roles without a period, and with one. Raises InvalidField."""
    given = [binding_from_proto(each, field=field) for each in bindings]
    return held_from([*map(Binding, roles), *given], clock.now(), field=field)


def _new(asked: membership_pb2.Membership, held: Held) -> Membership:
    now, organization = clock.now(), identity.caller().organization
    if organization is None:
        raise LookupError("the policy asks for an organization")
    check_name(asked.display_name, field="membership.display_name")
    return Membership(
        id=new_id(),
        organization=organization,
        user=None,
        email=asked.email,
        display_name=asked.display_name,
        held=held,
        suspended_at=None,
        invitation_expires_at=now + ACTIVATION_LIFE,
        created_at=now,
        updated_at=now,
        revision=1,
    )


async def _hold(tx: Tx, name: str, etag: str) -> Membership:
    """A membership to change. Changes in one organization take turns, or two administrators
    who remove each other would both succeed.
    """
    organization = identity.caller().organization
    if organization is not None:
        await tx.organizations.lock(organization)
    held = await tx.memberships.lock(id_from(name, COLLECTION))
    if held is None:
        raise NotFound
    check_etag(held.revision, etag)
    return held


async def _keep_an_administrator(
    tx: Tx, held: Membership, roles: Held, suspended_at: datetime | None
) -> None:
    others = await tx.memberships.other_administrators(held.id)
    keep_an_administrator(held, roles, others, active=suspended_at is None)


async def _save(tx: Tx, changed: Membership) -> Membership:
    saved = replace(changed, updated_at=clock.now(), revision=changed.revision + 1)
    await tx.memberships.save(saved)
    return saved


async def _remove(tx: Tx, held: Membership) -> None:
    await tx.activations.remove(held.id)
    await tx.memberships.remove(held.id)


async def _end_access(tx: Tx, held: Membership, at: datetime) -> list[Event]:
    """End what a member has open in the organization: let in again, nothing old may come back."""
    if held.user is None:
        return []
    await tx.sessions.revoke_in(held.organization, held.user, at)
    ended = await end_grants(tx, held.user, held.organization, at)
    # Also tokens of sessions that work elsewhere by now.
    return [MembershipEpoch(held.user, held.organization, forget_at(at)), *ended]


async def _tell(tx: Tx, membership: Membership, others: Sequence[Event] = ()) -> None:
    """Tell every server; of an invitation there is nothing to tell."""
    if membership.user is not None:
        await tx.state.publish([membership_changed(membership, membership.user), *others])


def membership_to_proto(membership: Membership, token: str = "") -> membership_pb2.Membership:
    """As the organization sees it; with the token of an invitation that it is to hand over."""
    now = clock.now()
    return membership_pb2.Membership(
        name=name_of(COLLECTION, membership.id),
        user=name_of("users", membership.user) if membership.user else "",
        email=membership.email,
        display_name=membership.display_name,
        roles=membership.held.at(now),
        bindings=[binding_to_proto(each) for each in membership.held.bindings],
        state=_WIRE_STATES[membership.state(now)],
        create_time=timestamp(membership.created_at),
        update_time=timestamp(membership.updated_at),
        etag=str(membership.revision),
        activation_token=token,
        invitation_expire_time=timestamp(membership.invitation_expires_at),
    )

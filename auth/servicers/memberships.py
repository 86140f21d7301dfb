"""MembershipService: who belongs to the organization, and with which roles."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from auth.domain.activations import ACTIVATION_LIFE
from auth.domain.events import Event, MembershipChanged, SessionRevoked
from auth.domain.memberships import Membership, check_etag, keep_an_administrator
from auth.domain.refusals import AlreadyAMember
from auth.domain.sessions import activation_token, forget_at, token_hash
from auth.servicers.roles import check_given
from auth.servicers.times import timestamp
from auth.signing import Signer
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database import ConstraintViolated
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import NotFound
from core.ids import id_from, name_of, new_id
from medhub.auth.v1 import membership_pb2
from medhub.auth.v1 import membership_service_pb2 as wire

COLLECTION = "memberships"
_LISTING = Listing(method="medhub.auth.v1.MembershipService/ListMemberships", order="id")


class Memberships:
    """The MembershipService of the contract."""

    def __init__(self, store: Store, pages: PageTokens, signer: Signer) -> None:
        self._store = store
        self._pages = pages
        self._signer = signer

    async def CreateMembership(
        self, request: wire.CreateMembershipRequest
    ) -> membership_pb2.Membership:
        """Take a person into the organization."""
        asked = request.membership
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            if earlier is not None:
                return await self._again(tx, id_from(earlier.name, COLLECTION))
            roles = tuple(sorted(set(asked.roles)))
            await check_given(tx, roles, field="membership.roles")
            user, is_new = await _account(tx, asked.email)
            made = _new(user, asked, roles)
            try:
                await tx.memberships.add(made)
            except ConstraintViolated:
                raise AlreadyAMember from None
            token = await self._invite(tx, made) if is_new else ""
            await tx.remember(name_of(COLLECTION, made.id), made.revision)
            await tx.state.publish([_changed(made)])
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
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, _LISTING)
        async with self._store.begin(read_only=True) as tx:
            rows = await tx.memberships.page(key, size + 1)
        page = page_of(rows, size, _LISTING, self._pages, key=lambda row: (row.id,))
        return wire.ListMembershipsResponse(
            memberships=[membership_to_proto(each) for each in page.items],
            next_page_token=page.next_page_token,
        )

    async def SetMembershipRoles(
        self, request: wire.SetMembershipRolesRequest
    ) -> membership_pb2.Membership:
        """Give a member exactly these roles."""
        roles = tuple(sorted(request.roles))
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            given = [role for role in roles if role not in held.roles]
            await check_given(tx, given, field="roles")
            await _keep_an_administrator(tx, held, roles, held.suspended_at)
            saved = await _save(tx, held, roles, held.suspended_at)
            await tx.state.publish([_changed(saved)])
        return membership_to_proto(saved)

    async def SuspendMembership(
        self, request: wire.SuspendMembershipRequest
    ) -> membership_pb2.Membership:
        """Shut a member out; what they have open in the organization ends."""
        now = clock.now()
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            if held.suspended_at is not None:
                return membership_to_proto(held)
            await _keep_an_administrator(tx, held, held.roles, now)
            saved = await _save(tx, held, held.roles, now)
            ended = await tx.sessions.revoke_in(held.organization, held.user, now)
            revoked: list[Event] = [SessionRevoked(each, forget_at(now)) for each in ended]
            await tx.state.publish([_changed(saved), *revoked])
        return membership_to_proto(saved)

    async def ReactivateMembership(
        self, request: wire.ReactivateMembershipRequest
    ) -> membership_pb2.Membership:
        """Let a suspended member in again."""
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            if held.suspended_at is None:
                return membership_to_proto(held)
            saved = await _save(tx, held, held.roles, None)
            await tx.state.publish([_changed(saved)])
        return membership_to_proto(saved)

    async def _invite(self, tx: Tx, made: Membership) -> str:
        """The token of a new account's invitation, which has the id of its membership."""
        token = activation_token(await self._signer.derivation_key(tx), made.id)
        expires_at = made.created_at + ACTIVATION_LIFE
        await tx.activations.add(made.id, made.user, token_hash(token), expires_at)
        return token

    async def _again(self, tx: Tx, key: UUID) -> membership_pb2.Membership:
        """What an earlier call made; with the token, while nobody has used it."""
        found = await tx.memberships.get(key)
        if found is None:
            raise NotFound
        if not await tx.activations.is_open(key, clock.now()):
            return membership_to_proto(found)
        return membership_to_proto(
            found, activation_token(await self._signer.derivation_key(tx), key)
        )


async def _account(tx: Tx, email: str) -> tuple[UUID, bool]:
    """The account of an address, and whether it was made just now."""
    key = new_id()
    if await tx.users.add(key, email, clock.now()):
        return key, True
    account = await tx.users.find(email)
    if account is None:
        raise LookupError("an account that was there is gone, and accounts are never deleted")
    return account.id, False


def _new(user: UUID, asked: membership_pb2.Membership, roles: tuple[str, ...]) -> Membership:
    now, organization = clock.now(), identity.caller().organization
    if organization is None:
        raise LookupError("the policy asks for an organization")
    return Membership(
        id=new_id(),
        organization=organization,
        user=user,
        email=asked.email,
        display_name=asked.display_name,
        roles=roles,
        suspended_at=None,
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
    tx: Tx, held: Membership, roles: Sequence[str], suspended_at: datetime | None
) -> None:
    others = await tx.memberships.other_administrators(held.id)
    keep_an_administrator(held, roles, others, active=suspended_at is None)


async def _save(
    tx: Tx, held: Membership, roles: Sequence[str], suspended_at: datetime | None
) -> Membership:
    now = clock.now()
    await tx.memberships.save(held.id, roles, suspended_at, now)
    return replace(
        held,
        roles=tuple(roles),
        suspended_at=suspended_at,
        updated_at=now,
        revision=held.revision + 1,
    )


def _changed(membership: Membership) -> MembershipChanged:
    ended = membership.suspended_at is not None
    return MembershipChanged(
        subject=membership.user,
        organization=membership.organization,
        roles=() if ended else membership.roles,
        ended=ended,
        forget_at=forget_at(clock.now()),
    )


def membership_to_proto(membership: Membership, token: str = "") -> membership_pb2.Membership:
    """As the organization sees it; with the token of a new account, once."""
    return membership_pb2.Membership(
        name=name_of(COLLECTION, membership.id),
        user=name_of("users", membership.user),
        email=membership.email,
        display_name=membership.display_name,
        roles=sorted(membership.roles),
        state=(
            membership_pb2.MEMBERSHIP_STATE_ACTIVE
            if membership.suspended_at is None
            else membership_pb2.MEMBERSHIP_STATE_SUSPENDED
        ),
        create_time=timestamp(membership.created_at),
        update_time=timestamp(membership.updated_at),
        etag=str(membership.revision),
        activation_token=token,
    )

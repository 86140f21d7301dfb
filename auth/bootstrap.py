"""The first rows: an organization, its administrator, the accounts of servers.

Nobody is there yet who could give these rights, so whoever holds the database does. Each
function may be repeated: what is there already stays as it is. All writes are audited, in the
name of the bootstrap.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from auth.background import own_call
from auth.domain.assertions import COLLECTION
from auth.domain.bindings import Held
from auth.domain.events import MembershipChanged, SubjectEpoch
from auth.domain.memberships import Membership
from auth.domain.passwords import check_new_password, context_words
from auth.domain.roles import ADMINISTRATOR, BUILT_IN, OF_THE_PLATFORM
from auth.domain.service_keys import check_sound
from auth.domain.sessions import forget_at
from auth.guessing import refuse_guessable
from auth.hashing import hash_unguessable, matches
from auth.storage.organizations import Organization
from auth.storage.service_accounts import ServiceAccount
from auth.storage.store import Store, Tx
from core import clock
from core.identity import Caller, Kind
from core.ids import name_of, new_id
from core.truth.proof import SERVER_NAME


class UnknownRole(ValueError):
    """A role that is not built in, or that the account cannot hold."""

    def __init__(self, role: str) -> None:
        super().__init__(f"{role} is no built-in role that such an account can hold")


class AccountNotProven(ValueError):
    """The address has an account already, with another password, or one that is shut out."""

    def __init__(self) -> None:
        super().__init__(
            "the address has an account already, which this password does not open; if it is not"
            " the person's own, `medhub auth release-address` frees the address"
        )


class NotAServer(ValueError):
    """A name that no server of the platform can have: lower case letters, digits, underscores."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is no name of a server, which has lower case letters, digits and underscores"
        )


class AnotherOrganization(ValueError):
    """The key proves an account of another organization, or of the platform."""

    def __init__(self, account: str) -> None:
        super().__init__(f"the key proves {account}, which is not of this organization")


async def first_organization(
    store: Store, display_name: str, email: str, name: str, password: str, *, test: bool = False
) -> UUID:
    """The organization of that name with its administrator; what is missing is made.

    Nothing is, unless the password is one that the administrator can have. Raises
    PasswordTooCommon, InvalidField and AccountNotProven.
    """
    context = (email, name)
    check_new_password(password, context=context)
    await asyncio.to_thread(refuse_guessable, password, context_words(context))
    made = await organization(store, display_name, test, opened_by=(email, password))
    await user(store, made, email, name, password, [ADMINISTRATOR])
    return made


async def organization(
    store: Store,
    display_name: str,
    test: bool = False,
    *,
    opened_by: tuple[str, str] | None = None,
) -> UUID:
    """The organization of that name; it is made where there is none.

    An account that has the address of `opened_by` already has to be opened by the password there,
    or none is made. Raises AccountNotProven.
    """
    async with _begin(store, None) as tx:
        found = await tx.organizations.find(display_name)
        if found is not None:
            return found
        if opened_by is not None:
            await _proven(tx, *opened_by)
        made = Organization(new_id(), display_name, test, None, clock.now())
        await tx.organizations.add(made)
    return made.id


async def user(
    store: Store,
    organization: UUID,
    email: str,
    display_name: str,
    password: str,
    roles: Sequence[str],
) -> UUID:
    """The account of that address, a member of the organization. Answers its id.

    Password and roles count for what is made now: neither of somebody who is there changes. An
    invitation of the organization to the address is accepted by it, with these roles. An account
    that has the address already joins by its own password alone: whoever made it may be anybody.
    Raises PasswordTooCommon, InvalidField, UnknownRole and AccountNotProven.
    """
    context = (email, display_name)
    check_new_password(password, context=context)
    _check_roles(roles, platform=False)
    password_hash = await asyncio.to_thread(hash_unguessable, password, *context_words(context))
    async with _begin(store, organization) as tx:
        # Before the account, as whoever accepts an invitation does, or the two wait for each other.
        held = await tx.memberships.lock_address(email)
        if held is not None and held.user is not None:
            return held.user
        key = await _account(tx, email, password, password_hash)
        if held is None:
            await _join(tx, organization, key, (email, display_name), tuple(sorted(roles)))
        else:
            await _accept(tx, held, key, tuple(sorted(roles)))
    return key


async def service_account(
    store: Store,
    organization: UUID | None,
    display_name: str,
    public_key: bytes,
    roles: Sequence[str],
) -> UUID:
    """The account that the raw Ed25519 key (32 bytes) proves; it is made where there is none.

    Without an organization it is a server of the platform: its name decides as which source it
    adds to the trail, its roles what it may do, and both are from now on as they are given.
    Raises UnknownRole, NotAServer for a name that no server has, AnotherOrganization, and
    InvalidField for a key under which anybody can sign.
    """
    check_sound(public_key, field="public_key")
    _check_roles(roles, platform=organization is None)
    if organization is None and SERVER_NAME.fullmatch(display_name) is None:
        raise NotAServer(display_name)
    async with _begin(store, organization) as tx:
        found = await tx.service_accounts.with_key(public_key)
        if found is not None:
            if found.organization != organization:
                raise AnotherOrganization(name_of(COLLECTION, found.id))
            if organization is None:
                await _register(tx, found, display_name, tuple(sorted(roles)))
            return found.id
        now = clock.now()
        made = ServiceAccount(
            id=new_id(),
            organization=organization,
            display_name=display_name,
            public_key=public_key,
            roles=tuple(sorted(roles)),
            disabled_at=None,
            created_at=now,
            updated_at=now,
            revision=1,
        )
        await tx.service_accounts.add(made)
    return made.id


@asynccontextmanager
async def _begin(store: Store, within: UUID | None) -> AsyncIterator[Tx]:
    """A transaction of the bootstrap; two at once take turns, so that each row is made once."""
    call = own_call("Bootstrap", "auth.bootstrap")
    call.caller = Caller(kind=Kind.SERVICE, organization=within)
    async with store.begin_as(call) as tx:
        await tx.take_turns()
        yield tx


async def _account(tx: Tx, email: str, password: str, password_hash: str) -> UUID:
    """The account of the address, made or proven. Raises AccountNotProven."""
    found = await _proven(tx, email, password)
    if found is not None:
        return found
    key = new_id()
    # The operator vouches for the address.
    await tx.users.add(key, email, clock.now(), password_hash, verified=True)
    return key


async def _proven(tx: Tx, email: str, password: str) -> UUID | None:
    """The account that has the address, None where none has. Raises AccountNotProven."""
    found = await tx.users.find(email)
    if found is None:
        return None
    proven = await asyncio.to_thread(matches, found.password_hash, password)
    if not proven or found.disabled_at is not None:
        raise AccountNotProven
    return found.id


async def _join(
    tx: Tx, organization: UUID, key: UUID, named: tuple[str, str], roles: tuple[str, ...]
) -> None:
    now = clock.now()
    email, display_name = named
    made = Membership(
        id=new_id(),
        organization=organization,
        user=key,
        email=email,
        display_name=display_name,
        held=Held(roles),
        suspended_at=None,
        invitation_expires_at=None,
        created_at=now,
        updated_at=now,
        revision=1,
    )
    await tx.memberships.add(made)
    await tx.state.publish(
        [MembershipChanged(key, organization, roles, ended=False, forget_at=forget_at(now))]
    )


async def _register(tx: Tx, held: ServiceAccount, name: str, roles: tuple[str, ...]) -> None:
    """Give a server of the platform its name and roles; its tokens of before are dead then."""
    if (held.display_name, held.roles) == (name, roles):
        return
    now = clock.now()
    await tx.service_accounts.register(held.id, name, roles, now)
    forgotten = forget_at(now)
    await tx.state.publish([
        SubjectEpoch(held.id, forgotten),
        MembershipChanged(held.id, None, roles, ended=False, forget_at=forgotten),
    ])  # fmt: skip


async def _accept(tx: Tx, held: Membership, key: UUID, roles: tuple[str, ...]) -> None:
    now = clock.now()
    await tx.memberships.accept(held.id, key, now)
    await tx.memberships.save(
        replace(
            held, held=Held(roles), suspended_at=None, invitation_expires_at=None, updated_at=now
        )
    )
    await tx.activations.cancel(held.id, now)
    await tx.state.publish(
        [MembershipChanged(key, held.organization, roles, ended=False, forget_at=forget_at(now))]
    )


def _check_roles(roles: Sequence[str], *, platform: bool) -> None:
    """Roles of the platform are for its own servers, and for nobody else."""
    for role in roles:
        if role not in BUILT_IN or (role in OF_THE_PLATFORM) is not platform:
            raise UnknownRole(role)

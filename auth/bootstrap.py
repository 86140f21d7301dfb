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
from auth.domain.bindings import Binding, Held, held_from
from auth.domain.events import MembershipChanged, SubjectEpoch
from auth.domain.memberships import Membership
from auth.domain.organizations import bootstrapped_as
from auth.domain.passwords import check_new_password, context_words
from auth.domain.roles import ADMINISTRATOR, BUILT_IN, OF_THE_PLATFORM
from auth.domain.service_keys import check_sound
from auth.domain.sessions import forget_at
from auth.hashing import hash_unguessable, matches
from auth.invitations import membership_changed
from auth.naming import check_administrator, check_organization, check_program
from auth.storage.organizations import Organization
from auth.storage.service_accounts import ServiceAccount
from auth.storage.store import Store, Tx
from core import clock
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


class NoSuchOrganization(ValueError):
    """The name is of none."""

    def __init__(self) -> None:
        super().__init__("there is no such organization")


class Administered(ValueError):
    """The operator appoints nobody over the heads of those who administer an organization."""

    def __init__(self) -> None:
        super().__init__("the organization has an administrator, who invites others")


async def first_organization(
    store: Store, display_name: str, email: str, name: str, password: str, *, test: bool = False
) -> UUID:
    """An organization and its administrator, or the one that the same command has made before.

    That is known by the name and the address that the command was given; what its people have
    changed since, its name too, stays. Any other of that name is somebody else's. Both are made
    in one transaction, or neither is. Raises InvalidFields, InvalidField, PasswordTooCommon and
    AccountNotProven.
    """
    check_organization(display_name)
    check_administrator(email, name)
    password_hash = await _hash(email, name, password)
    made = Organization(new_id(), display_name, test, None, clock.now())
    known_as = bootstrapped_as(display_name, email)
    async with _begin(store, made.id) as tx:
        found = await tx.organizations.bootstrapped(known_as)
        if found is not None:
            return found
        key = await _account(tx, email, password, password_hash)
        await tx.organizations.add(made, known_as)
        await _join(tx, made.id, key, (email, name), (ADMINISTRATOR,))
    return made.id


async def organization(store: Store, display_name: str, test: bool = False) -> UUID:
    """An organization without an administrator, or the one that was made so by this name."""
    known_as = bootstrapped_as(display_name, "")
    async with _begin(store, None) as tx:
        found = await tx.organizations.bootstrapped(known_as)
        if found is not None:
            return found
        made = Organization(new_id(), display_name, test, None, clock.now())
        await tx.organizations.add(made, known_as)
    return made.id


async def administrator(
    store: Store, organization: UUID, email: str, name: str, password: str
) -> UUID:
    """Appoint an administrator of an organization that has none left. Answers the account.

    Whoever is one already stays as they are. A member gets the role beside those they hold, and
    is let in again. An account that there is proves itself by its own password. Raises
    InvalidFields, InvalidField, PasswordTooCommon, NoSuchOrganization, Administered and
    AccountNotProven.
    """
    check_administrator(email, name)
    password_hash = await _hash(email, name, password)
    async with _begin(store, organization, "auth.organizations.appoint_administrator") as tx:
        await tx.organizations.lock(organization)
        if await tx.organizations.get(organization) is None:
            raise NoSuchOrganization
        # Before the account, as whoever accepts an invitation does, or the two wait for each other.
        held = await tx.memberships.lock_address(email)
        if await tx.memberships.administrators():
            if held is None or held.user is None or not held.administers:
                raise Administered
            return held.user
        key = await _account(tx, email, password, password_hash)
        held = await tx.memberships.lock_person(key) or held
        if held is None:
            await _join(tx, organization, key, (email, name), (ADMINISTRATOR,))
        elif held.user is None:
            await _accept(tx, held, key, (ADMINISTRATOR,))
        elif held.user == key:
            await _promote(tx, held, key)
        else:
            raise AccountNotProven
    return key


async def administered(store: Store, organization: UUID) -> bool:
    """Whether anybody is left who can administer an organization."""
    async with _begin(store, organization) as tx:
        return bool(await tx.memberships.administrators())


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
    _check_roles(roles, platform=False)
    password_hash = await _hash(email, display_name, password)
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
    Raises AnotherOrganization, InvalidField for a key under which anybody can sign, and what
    `check_service_account` raises.
    """
    check_sound(public_key, field="public_key")
    _check_account(organization, display_name, roles)
    async with _begin(store, organization) as tx:
        await _check_organization(tx, organization)
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


async def check_service_account(
    store: Store, organization: UUID | None, display_name: str, roles: Sequence[str]
) -> None:
    """Refuse a name and roles that such an account cannot have; of no organization: a server's.

    Raises NoSuchOrganization, UnknownRole, NotAServer, InvalidFields and InvalidField.
    """
    _check_account(organization, display_name, roles)
    async with _begin(store, organization) as tx:
        await _check_organization(tx, organization)


async def _check_organization(tx: Tx, organization: UUID | None) -> None:
    if organization is not None and await tx.organizations.get(organization) is None:
        raise NoSuchOrganization


def _check_account(organization: UUID | None, display_name: str, roles: Sequence[str]) -> None:
    _check_roles(roles, platform=organization is None)
    if organization is None and SERVER_NAME.fullmatch(display_name) is None:
        raise NotAServer(display_name)
    check_program(display_name)


@asynccontextmanager
async def _begin(
    store: Store, within: UUID | None, action: str = "auth.bootstrap"
) -> AsyncIterator[Tx]:
    """A transaction of the bootstrap; two at once take turns, so that each row is made once."""
    async with store.begin_as(own_call("Bootstrap", action, within=within)) as tx:
        await tx.take_turns()
        yield tx


async def _hash(email: str, name: str, password: str) -> str:
    """Of a password that this person can have. Raises InvalidField and PasswordTooCommon."""
    context = (email, name)
    check_new_password(password, context=context)
    return await asyncio.to_thread(hash_unguessable, password, *context_words(context))


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


async def _promote(tx: Tx, held: Membership, key: UUID) -> None:
    now = clock.now()
    # Without an end also what was held with one: an administrator for a time is none left.
    roles = held_from([*held.held.bindings, Binding(ADMINISTRATOR)], now, field="roles")
    saved = replace(held, held=roles, suspended_at=None, updated_at=now)
    await tx.memberships.save(saved)
    await tx.state.publish([membership_changed(saved, key)])


def _check_roles(roles: Sequence[str], *, platform: bool) -> None:
    """Roles of the platform are for its own servers, and for nobody else."""
    for role in roles:
        if role not in BUILT_IN or (role in OF_THE_PLATFORM) is not platform:
            raise UnknownRole(role)

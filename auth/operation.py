"""What only the platform's operator may do: shut out an organization, an account, a server.

An organization's administrator acts on memberships; nobody inside an organization can do this.
Each is one event, however many people it concerns.
"""

from dataclasses import dataclass
from uuid import UUID

from auth import ending, signing
from auth.background import own_call
from auth.domain.events import MembershipChanged, OrganizationEpoch, SubjectEpoch
from auth.domain.sessions import forget_at
from auth.granting import end_grants
from auth.password_proof import reopen
from auth.signing import Signer
from auth.storage.store import Store
from core import clock
from core.crypto.keyring import KeyProvider
from core.identity import Caller, Kind

_RELEASE = "auth.users.release"


@dataclass(frozen=True, slots=True)
class Released:
    """From which revision an account is out, and which organizations nobody administers then."""

    revision: int
    left_alone: tuple[UUID, ...]


class NoSuchRow(ValueError):
    """There is no such organization or account."""


async def suspend_organization(store: Store, organization: UUID) -> int:
    """Accept no token for it from now on. Answers the revision; raises NoSuchRow."""
    call = own_call("Suspend", "auth.organizations.suspend", within=organization)
    async with store.begin_as(call) as tx:
        if not await tx.organizations.suspend(organization, clock.now()):
            raise NoSuchRow("there is no such organization")
        # Kept until it works again, so that servers that start later know it too.
        event = OrganizationEpoch(organization, suspended=True, forget_at=None)
        return await tx.state.publish([event])


async def reactivate_organization(store: Store, organization: UUID) -> int:
    """Let it work again. Sessions and tokens from before stay dead. Answers the revision.

    Raises NoSuchRow, also for one that leaves: what is held of it is being destroyed.
    """
    call = own_call("Reactivate", "auth.organizations.reactivate", within=organization)
    async with store.begin_as(call) as tx:
        if not await tx.organizations.suspend(organization, None):
            raise NoSuchRow("there is no such organization, or it is being destroyed")
        return await ending.end_all_in(tx, organization)


async def end_everything(store: Store) -> int:
    """End every session of everybody, everywhere, and the tokens of programs. Answers the revision.

    For when nobody knows any more whom a token is with.
    """
    async with store.begin_as(own_call("EndEverything", "auth.sessions.end_everything")) as tx:
        return await ending.end_everything(tx)


async def begin_history(store: Store) -> int:
    """Have every server take the auth state anew; answers the revision.

    For a database that was restored to an earlier time: what servers hold may be of commits that
    have never been, and the revisions of those are given to others.
    """
    async with store.begin_as(own_call("BeginHistory", "auth.state.begin_history")) as tx:
        await tx.state.begin_history()
        return await tx.state.revision()


async def revoke_key(store: Store, keyring: KeyProvider, kid: str) -> int:
    """Let a compromised key verify nothing any more. Answers the revision; raises NoSuchRow."""
    try:
        return await signing.revoke(store, keyring, kid)
    except KeyError:
        raise NoSuchRow("no key of this id verifies tokens") from None


async def disable_server(store: Store, account: UUID) -> int:
    """Shut out a server's account, and whoever it acts for by it. Answers the revision.

    Raises NoSuchRow.
    """
    async with store.begin_as(own_call("Disable", "auth.service_accounts.disable")) as tx:
        now = clock.now()
        if not await tx.service_accounts.disable_server(account, now):
            raise NoSuchRow("no server of the platform has this account")
        return await tx.state.publish([SubjectEpoch(account, forget_at(now))])


async def disable_account(store: Store, email: str) -> int:
    """Shut an account out of all organizations, and end its sessions for good.

    Answers the revision; raises NoSuchRow.
    """
    async with store.begin_as(own_call("Disable", "auth.users.disable")) as tx:
        account = await tx.users.find(email)
        if account is None:
            raise NoSuchRow("no account has this address")
        await tx.users.disable(account.id, clock.now())
        _, revision = await ending.end_all_of(tx, account.id)
        return revision


async def unlock_account(store: Store, signer: Signer, email: str) -> None:
    """Let an account in again that was shut out, by whomever; raises NoSuchRow.

    Its sessions and tokens of before stay dead. Attempts of unknown devices count anew.
    """
    async with store.begin_as(own_call("Unlock", "auth.users.unlock")) as tx:
        account = await tx.users.find(email)
        if account is None:
            raise NoSuchRow("no account has this address")
        await tx.users.shut(account.id, None, deactivated=False)
        await reopen(tx, signer, email)
        await tx.record_act("auth.users.unlock", subject=account.id)
        # An earlier version left the sessions of whom it locked as they were. Who was guessed at
        # and never locked keeps theirs.
        if account.disabled_at is not None:
            await ending.end_all_of(tx, account.id)


async def end_sessions(store: Store, email: str) -> int:
    """Log a person out everywhere. Answers the revision; raises NoSuchRow."""
    async with store.begin_as(own_call("EndSessions", "auth.users.end_sessions")) as tx:
        account = await tx.users.find(email)
        if account is None:
            raise NoSuchRow("no account has this address")
        await tx.record_act("auth.users.end_sessions", subject=account.id)
        _, revision = await ending.end_all_of(tx, account.id)
        return revision


async def release_address(store: Store, email: str) -> Released:
    """Free an address that somebody took whose it is not.

    The account is shut out, and its memberships are nobody's and suspended: each organization
    decides whether it invites the address anew. Broken off, it is to be repeated, since the
    address is freed last. Raises NoSuchRow.
    """
    await disable_account(store, email)
    async with store.begin_as(own_call("Release", _RELEASE)) as tx:
        account = await tx.users.find(email)
    if account is None:
        raise NoSuchRow("no account has this address")
    left_alone: list[UUID] = []
    while places := await _places(store, account.id):
        left_alone += [
            organization
            for organization in places
            if not await _release_in(store, organization, account.id)
        ]
    async with store.begin_as(own_call("Release", _RELEASE)) as tx:
        await tx.users.release(account.id)
        return Released(await tx.state.revision(), tuple(left_alone))


async def _places(store: Store, user: UUID) -> list[UUID]:
    call = own_call("Release", _RELEASE)
    call.caller = Caller(kind=Kind.USER, subject=user)
    async with store.begin_as(call) as tx:
        return await tx.memberships.places(user)


async def _release_in(store: Store, organization: UUID, user: UUID) -> int:
    """How many administrators are left."""
    now = clock.now()
    async with store.begin_as(own_call("Release", _RELEASE, within=organization)) as tx:
        # As whoever changes a membership: nobody goes meanwhile who is counted.
        await tx.organizations.lock(organization)
        if await tx.memberships.release(user, now):
            ended = await end_grants(tx, user, organization, now)
            left = MembershipChanged(user, organization, (), ended=True, forget_at=forget_at(now))
            await tx.state.publish([left, *ended])
        return await tx.memberships.administrators()

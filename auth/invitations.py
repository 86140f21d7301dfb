"""Invitations: how the person whom one is meant for accepts it.

Where medhub sends no mail the organization hands the token to the person. So the token proves that
the organization means whoever presents it, and nothing about who else has the address: an
account is never joined without both the token and its own log-in, and no organization can set
the password of an account that has one.
"""

from dataclasses import replace
from uuid import UUID

from auth.domain.events import MembershipChanged
from auth.domain.memberships import Choice, Membership
from auth.domain.refusals import ActivationRefused
from auth.domain.sessions import forget_at, token_hash
from auth.storage.activations import Invitation
from auth.storage.store import Store, Tx
from core import clock
from core.ids import new_id


class Invitations:
    """Takes acceptances."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, token: str) -> Invitation:
        """The open invitation of a token. Raises ActivationRefused."""
        async with self._store.begin() as tx:
            found = await tx.activations.find(token_hash(token), clock.now())
        if found is None:
            raise ActivationRefused
        return found

    async def context(self, invitation: Invitation) -> list[str]:
        """Names and addresses that the invited person's password must not be made of."""
        async with self._store.begin_for(None, invitation.organization) as tx:
            held = await tx.memberships.get(invitation.membership)
            organization = await tx.organizations.get(invitation.organization)
        if held is None or organization is None:
            raise ActivationRefused
        return [held.email, held.display_name, organization.display_name]

    async def activate(self, invitation: Invitation, password_hash: str) -> UUID:
        """Accept with a new account, whose id is answered.

        Raises ActivationRefused when the address has an account already.
        """
        user = new_id()
        async with self._store.begin_for(user, invitation.organization) as tx:
            held = await _take(tx, invitation)
            if not await tx.users.add(user, held.email, clock.now(), password_hash):
                raise ActivationRefused
            await _join(tx, held, user)
        return user

    async def accept(self, invitation: Invitation, user: UUID, session: UUID | None) -> Choice:
        """Accept with the account of the caller. Answers where they belong now.

        Raises ActivationRefused when the invited address is not that account's.
        """
        async with self._store.begin_for(user, invitation.organization, session) as tx:
            # Held before the membership is looked for: whoever deletes the account meanwhile ends
            # this membership too, or has taken the account's address before it is compared.
            await tx.users.lock(user)
            held = await _take(tx, invitation)
            account = await tx.users.find(held.email)
            organization = await tx.organizations.get(invitation.organization)
            if account is None or account.id != user or organization is None:
                raise ActivationRefused
            await _join(tx, held, user)
        return Choice(organization.id, organization.display_name)


async def _take(tx: Tx, invitation: Invitation) -> Membership:
    """Use the invitation up. The membership is locked first, as whoever suspends it does."""
    held = await tx.memberships.lock(invitation.membership)
    if held is None or not held.acceptable:
        raise ActivationRefused
    if not await tx.activations.use(invitation.id, clock.now()):
        raise ActivationRefused
    return held


async def _join(tx: Tx, held: Membership, user: UUID) -> None:
    await tx.memberships.accept(held.id, user, clock.now())
    await tx.state.publish([membership_changed(replace(held, user=user), user)])


def membership_changed(membership: Membership, user: UUID) -> MembershipChanged:
    """What servers follow of a membership that a person has accepted."""
    ended = membership.suspended_at is not None
    return MembershipChanged(
        subject=user,
        organization=membership.organization,
        roles=() if ended else membership.held.roles,
        ended=ended,
        forget_at=forget_at(clock.now()),
        timed=() if ended else membership.held.timed,
    )

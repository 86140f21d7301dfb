"""Offers of memberships: the token of an invitation, and how it gets to the person.

Where medhub sends mail the token goes to the invited address and nowhere else: whoever reads it
could make the account of an address that is not theirs, before its owner does. Where it sends
none somebody has to hand the token over, so the organization is told it.
"""

from uuid import UUID

from auth.domain.memberships import Membership
from auth.domain.messages import Channel, Message, Template
from auth.domain.refusals import TooManyInvitations
from auth.domain.sessions import activation_token, token_hash
from auth.posting import Post
from auth.signing import Signer
from auth.storage.activations import Invitation
from auth.storage.store import Tx
from core import clock, identity
from core.ids import new_id


class Offering:
    """Makes invitations."""

    def __init__(self, signer: Signer, post: Post, *, mailed: bool) -> None:
        """`mailed`: mail leaves this server."""
        self._signer = signer
        self._post = post
        self._mailed = mailed

    async def offer(self, tx: Tx, membership: Membership) -> str:
        """Invite to a membership that nobody has accepted, until its `invitation_expires_at`.

        Answers the token, for the organization to hand over; empty where it went by mail. Raises
        TooManyInvitations, before which nothing is kept.
        """
        if membership.invitation_expires_at is None:
            raise ValueError("an invitation has an end")
        made = Invitation(new_id(), membership.organization, membership.id)
        token = await self._token(tx, made.id)
        await tx.activations.add(made, token_hash(token), membership.invitation_expires_at)
        if not self._mailed:
            return token
        # Whoever invites counts too, since one person may found many organizations.
        for asker in filter(None, (made.organization, identity.caller().subject)):
            if not await self._post.may_invite(tx, asker):
                raise TooManyInvitations
        await self._send(tx, membership, token)
        return ""

    async def shown(self, tx: Tx, membership: Membership) -> str:
        """What the organization is told, again, of the open invitation to a membership."""
        if self._mailed:
            return ""
        found = await tx.activations.open_of(membership.id, clock.now())
        return await self._token(tx, found) if found else ""

    async def _send(self, tx: Tx, membership: Membership, token: str) -> None:
        organization = await tx.organizations.get(membership.organization)
        if organization is None:
            raise LookupError("a membership has its organization")
        await self._post.send(
            tx,
            Message(
                Channel.EMAIL,
                membership.email,
                Template.INVITATION,
                # Nothing is known of the person; whoever invites them speaks to them.
                identity.call().language,
                {"token": token, "organization": organization.display_name},
            ),
        )

    async def _token(self, tx: Tx, key: UUID) -> str:
        return activation_token(await self._signer.derivation_key(tx), key)

"""Factors that somebody has lost, and an administrator who has made sure of them.

It is as much as an enrolment (OWASP ASVS 6.4.4): the account falls back to its password until new
factors are added, so it is audited, told to the person by mail, and ends their sessions. An account
of several organizations is none of one administrator's business alone.
"""

from uuid import UUID

from auth.domain.messages import Template
from auth.domain.refusals import FactorsElsewhere
from auth.ending import end_all_of
from auth.enrolment import tell
from auth.posting import Post
from auth.storage.store import Store
from core import identity
from core.errors import NotFound
from core.ids import name_of


class FactorResets:
    """Takes all factors from a member."""

    def __init__(self, store: Store, post: Post) -> None:
        self._store = store
        self._post = post

    async def __call__(self, membership: UUID) -> tuple[int, int]:
        """How many factors there were, and the revision from which the sessions are dead.

        Raises NotFound and FactorsElsewhere.
        """
        caller = identity.caller()
        async with self._store.begin(read_only=True) as tx:
            held = await tx.memberships.get(membership)
        user = held.user if held else None
        if user is None:
            raise NotFound
        if user == caller.subject or await self._belongs_elsewhere(user, caller.organization):
            raise FactorsElsewhere
        async with self._store.begin() as tx:
            owner = await tx.factors.lock_owner(user)
            if owner is None:
                raise NotFound
            factors = await tx.factors.of(user)
            for factor in factors:
                await tx.factors.remove(factor.id, user)
            await tx.record_act(
                identity.call().action,
                subject=user,
                resource=name_of("memberships", membership),
                removed=len(factors),
            )
            if factors:
                kinds = [factor.kind for factor in factors]
                await tell(self._post, tx, owner, Template.FACTOR_REMOVED, kinds)
            _, revision = await end_all_of(tx, user)
        return len(factors), revision

    async def _belongs_elsewhere(self, user: UUID, organization: UUID | None) -> bool:
        """Only the person's own transaction sees where they belong."""
        async with self._store.begin_for(user, None) as tx:
            choices = await tx.memberships.choices(user)
        return any(choice.organization != organization for choice in choices)

"""Refused proofs in the trail: some of them, with their count, so that a flood cannot fill it."""

from uuid import UUID

from auth.domain.lockout import RECORDED_COUNTS
from auth.storage.store import Store
from core import clock, identity


async def record_refusal(store: Store, act: str, user: UUID | None, outcome: str) -> None:
    """Count a refusal of a person, or of a network address where nobody is known."""
    source = str(user) if user else identity.call().peer
    async with store.begin() as tx:
        refusals = await tx.attempts.refused(source, clock.now())
        if refusals in RECORDED_COUNTS:
            await tx.record_act(act, subject=user, outcome=outcome, count=refusals)

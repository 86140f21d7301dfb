"""Refused proofs in the trail: some of them, with their count, so that a flood cannot fill it."""

from uuid import UUID

from auth.domain.lockout import RECORDED_COUNTS
from auth.storage.store import Store, Tx
from core import clock, identity


async def record_refusal(store: Store, act: str, user: UUID | None, outcome: str) -> None:
    """Count a refusal of a person, or of a network address where nobody is known."""
    source = str(user) if user else identity.call().peer
    async with store.begin() as tx:
        await count_refusal(tx, act, source, outcome, subject=user)


async def count_refusal(
    tx: Tx, act: str, source: str, outcome: str, *, subject: UUID | None = None, resource: str = ""
) -> None:
    """Count a refusal of a source; it is recorded when the count is one that is."""
    refusals = await tx.attempts.refused(source, clock.now())
    if refusals in RECORDED_COUNTS:
        await tx.record_act(
            act, subject=subject, resource=resource, outcome=outcome, count=refusals
        )

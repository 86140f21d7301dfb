"""Access grants as every server hears of them, and their end with a membership.

They end with it, and with its suspension: whoever is let in again is given anew what they need.
"""

from datetime import datetime
from uuid import UUID

from auth.domain.access_grants import AccessGrant, GrantKind
from auth.domain.events import AccessGrantChanged
from auth.storage.store import Tx


async def end_grants(
    tx: Tx, user: UUID, organization: UUID, at: datetime
) -> list[AccessGrantChanged]:
    """End all access of a person in an organization; what there is to tell."""
    ended = await tx.access_grants.end_of(user, organization, at)
    return [grant_changed(each, organization) for each in ended]


def grant_changed(grant: AccessGrant, organization: UUID) -> AccessGrantChanged:
    """The grant as every server hears of it; of one that was taken back nobody need hear twice."""
    revoked = grant.revoked_at is not None
    return AccessGrantChanged(
        grant=grant.id,
        subject=grant.grantee,
        organization=organization,
        patient=grant.patient,
        break_glass=grant.kind is GrantKind.BREAK_GLASS,
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        revoked=revoked,
        forget_at=grant.revoked_at if revoked else grant.ends_at,
    )

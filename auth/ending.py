"""The end of sessions: one, one's own, a member's, an organization's, everybody's.

Each is told to every server in the transaction that makes it true. However many sessions end with
an organization, or with everybody, it is one event and one number: a session from before it is
refused wherever it is looked at.
"""

from uuid import UUID

from auth.domain.events import (
    GlobalEpoch,
    MembershipEpoch,
    OrganizationEpoch,
    SessionRevoked,
    SubjectEpoch,
)
from auth.domain.sessions import forget_at, live_since
from auth.storage.store import Tx
from core import clock


async def end_one(tx: Tx, user: UUID, session: UUID | None) -> int:
    """End a session of the user; the revision from which it is dead. Repeating does no harm."""
    now = clock.now()
    if session is None or not await tx.sessions.revoke(session, user, now):
        return await tx.state.settled()
    return await tx.state.publish([SessionRevoked(session, forget_at(now))])


async def end_all_of(tx: Tx, user: UUID, kept: UUID | None = None) -> tuple[int, int]:
    """End the user's sessions, all but one; how many, and the revision from which they are dead.

    Without one to keep, whatever token of theirs is about is dead too, also one on their behalf.
    """
    now = clock.now()
    ended = await tx.sessions.revoke_all(user, now, kept)
    if kept is None:
        return len(ended), await tx.state.publish([SubjectEpoch(user, forget_at(now))])
    # Nobody is told of sessions at rest: none of their tokens is alive.
    lately = await tx.sessions.used_since(ended, live_since(now)) if ended else []
    if not lately:
        return len(ended), await tx.state.settled()
    events = [SessionRevoked(each, forget_at(now)) for each in lately]
    return len(ended), await tx.state.publish(events)


async def end_all_of_member(tx: Tx, user: UUID, organization: UUID) -> int:
    """End what a member has open in the organization; the revision from which it is dead."""
    now = clock.now()
    await tx.sessions.revoke_in(organization, user, now)
    return await tx.state.publish([MembershipEpoch(user, organization, forget_at(now))])


async def end_all_in(tx: Tx, organization: UUID) -> int:
    """End every session in an organization that works; the revision from which they are dead."""
    event = OrganizationEpoch(organization, suspended=False, forget_at=forget_at(clock.now()))
    revision = await tx.state.publish([event])
    # After the event, since it is its revision that is kept; one row, so nobody waits for long.
    await tx.organizations.end_sessions(organization, revision)
    return revision


async def end_everything(tx: Tx) -> int:
    """End every session of everybody, everywhere; the revision from which they are dead.

    Tokens of programs and of servers die too, and these get new ones by themselves.
    """
    revision = await tx.state.publish([GlobalEpoch(forget_at(clock.now()))])
    await tx.state.end_all_sessions()
    return revision

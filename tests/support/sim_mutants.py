"""Faults that the protocol could have, put into it on purpose: the oracle has to find each."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from auth import feed as feed_module
from auth.domain.events import Event
from auth.feed import Feed, Message
from auth.servicers.state_events import checkpoint
from auth.storage.state import Told
from core import clock
from core.truth import State, Truth
from core.truth.follower import Follower
from core.truth.grants import Grants, open_at
from core.truth.hops import Hops
from core.truth.refusals import Unauthenticated
from tests.support import sim_database

Mutant = Callable[[pytest.MonkeyPatch], None]


def gaps_are_passed_over(patch: pytest.MonkeyPatch) -> None:
    """A delta is applied whatever came before it."""
    joined = State.apply_delta

    def apply(state: State, delta: Any) -> bool:
        delta.previous_revision = state.revision
        return joined(state, delta)

    patch.setattr(State, "apply_delta", apply)


def unasked_checkpoints_prove(patch: pytest.MonkeyPatch) -> None:
    """A checkpoint counts from when it came, not from when it was asked for."""
    applied = Follower._apply

    def apply(follower: Follower, answer: Any) -> None:
        applied(follower, answer)
        if answer.HasField("checkpoint"):
            now = asyncio.get_running_loop().time()
            follower._state.prove(answer.checkpoint.revision, now)

    patch.setattr(Follower, "_apply", apply)


def checkpoints_are_made_up(patch: pytest.MonkeyPatch) -> None:
    """Auth answers probes by what it read last, without reading again."""

    def probe(feed: Feed, follower: Any, number: int) -> None:
        if feed._history is not None:
            told = Told(feed._history, feed._revision or 0, 0, [])
            follower.offer(Message(checkpoint(told, number, clock.now()), 0.0))

    patch.setattr(Feed, "probe", probe)


def verdicts_outlive_changes(patch: pytest.MonkeyPatch) -> None:
    """Who was let in once is let in again, while the state is proven."""
    decided = Truth._decide

    async def decide(
        truth: Truth, token: str, digest: bytes, verdict: Any, bound: float, *rest: Any
    ) -> Any:
        now = asyncio.get_running_loop().time()
        fresh = now - truth.state.proven_at <= bound and now <= verdict.expires
        if verdict.caller is not None and fresh:
            return verdict.caller
        return await decided(truth, token, digest, verdict, bound, *rest)

    patch.setattr(Truth, "_decide", decide)


def what_is_learned_replaces_what_was_told(patch: pytest.MonkeyPatch) -> None:
    """An answer that was on its way during a change is kept instead of the change."""

    def learn(state: State, subject: Any, organization: Any, found: Any) -> Any:
        state._remember(subject, organization, found)
        return found

    patch.setattr(State, "learn", learn)


def fresh_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    """A method that asks each time takes the stream's word."""
    asked = Truth.caller_of

    async def caller_of(truth: Truth, token: str, *, bound: float, **rest: Any) -> Any:
        return await asked(truth, token, bound=bound or 2.0, **rest)

    patch.setattr(Truth, "caller_of", caller_of)


def epochs_mask_one_another(patch: pytest.MonkeyPatch) -> None:
    """The epoch of the organization is looked at only where the subject has none."""
    dead = State.dead

    def masked(state: State, claims: Any) -> bool:
        if claims.subject not in state.subject_epochs:
            return dead(state, claims)
        epochs, state.organization_epochs = state.organization_epochs, {}
        try:
            return dead(state, claims)
        finally:
            state.organization_epochs = epochs

    patch.setattr(State, "dead", masked)


def an_outage_is_a_log_out(patch: pytest.MonkeyPatch) -> None:
    """Whoever cannot be asked about is sent away."""

    async def once(hops: Hops, token: str) -> Any:
        try:
            return await hops._resolve(token)
        except Exception:  # noqa: BLE001 - that is the fault
            raise Unauthenticated from None

    patch.setattr(Hops, "once", once)


def revisions_are_given_early(patch: pytest.MonkeyPatch) -> None:
    """A sequence gives the revision when the transaction begins to publish, and holds nothing."""
    given = [1_000_000]

    async def publish(tx: sim_database.Tx, said: Sequence[Event]) -> int:
        rows = await tx.rows()
        given[0] = max(given[0] % 1_000_000, rows.revision) + 1
        return tx.given(said, given[0])

    patch.setattr(sim_database.Tx, "publish", publish)


def a_min_revision_is_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    """The revision that a caller passes is not looked at."""
    asked = Truth.caller_of

    async def caller_of(truth: Truth, token: str, **rest: Any) -> Any:
        return await asked(truth, token, **{**rest, "min_revision": 0})

    patch.setattr(Truth, "caller_of", caller_of)


def reads_continue_for_anybody(patch: pytest.MonkeyPatch) -> None:
    """While auth is away, a call is let in that was not declared to go on."""
    continued = Truth._continued
    patch.setattr(Truth, "_continued", lambda truth, verdict, _: continued(truth, verdict, True))


def a_floor_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A feed that comes late to its events tells none of them, and goes on."""
    read = Feed._read

    async def late(feed: Feed) -> None:
        if feed._revision is not None and len(feed._subscriptions) > 1:
            async with feed._store.begin_as(feed_module._READ) as tx:
                feed._revision = await tx.state.revision()
        await read(feed)

    patch.setattr(Feed, "_read", late)


def a_grant_that_is_taken_back_stays(patch: pytest.MonkeyPatch) -> None:
    """What a server hears of the end of a grant is that it is given."""
    taken = Grants.take

    def take(grants: Grants, told: Any) -> None:
        given = type(told)()
        given.CopyFrom(told)
        given.revoked = False
        taken(grants, given)

    patch.setattr(Grants, "take", take)


def a_grant_outlives_its_end(patch: pytest.MonkeyPatch) -> None:
    """A verdict that is kept is kept for as long as nothing is told."""
    judged = open_at
    patch.setattr("core.truth.truth.open_at", lambda known, now: (judged(known, now)[0], None))


MUTANTS: tuple[Mutant, ...] = (
    gaps_are_passed_over,
    unasked_checkpoints_prove,
    checkpoints_are_made_up,
    verdicts_outlive_changes,
    what_is_learned_replaces_what_was_told,
    fresh_is_not_asked,
    epochs_mask_one_another,
    an_outage_is_a_log_out,
    revisions_are_given_early,
    a_min_revision_is_not_waited_for,
    reads_continue_for_anybody,
    a_floor_is_forgotten,
    a_grant_that_is_taken_back_stays,
    a_grant_outlives_its_end,
)

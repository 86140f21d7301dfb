"""The sequence and its feed against a real database: nothing is lost, and silence is silence."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from auth.background import own_call
from auth.domain.events import Event, OrganizationEpoch, RoleChanged, SessionRevoked, SubjectEpoch
from auth.domain.refusals import RevisionOutOfRange
from auth.domain.roles import BUILT_IN
from auth.feed import MOST_UNREAD, Feed, Message, Subscription, follow
from auth.housekeeping import sweep
from auth.operation import begin_history
from auth.servicers.state_events import checkpoint
from auth.signing import rotate, set_up
from auth.storage.state import Told
from core import clock
from core.errors import Unavailable
from core.ids import new_id
from core.truth import State
from medhub.auth.v1.auth_state_service_pb2 import WatchResponse
from tests.support.credentials import Auth


@pytest.fixture
async def feed(auth: Auth) -> AsyncIterator[Feed]:
    """A feed that has read once."""
    made = Feed(auth.store, auth.store._database.url)
    made.start()
    await until(lambda: made._revision is not None)
    yield made
    await made.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Wait, for five seconds at most, until something holds."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def publish(auth: Auth, *events: Event) -> int:
    """Change the state."""
    async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
        return await tx.state.publish(events)


def ended(session: UUID) -> SessionRevoked:
    """A session has ended just now."""
    return SessionRevoked(session, clock.now() + timedelta(minutes=5))


async def take(line: Subscription, count: int) -> list[WatchResponse]:
    """The next messages that are not checkpoints."""
    found: list[WatchResponse] = []
    async with asyncio.timeout(60):
        async for message in line.messages():
            if not message.response.HasField("checkpoint"):
                found.append(message.response)
            if len(found) == count:
                break
    return found


async def test_revisions_are_gapless_whatever_commits_when(auth: Auth) -> None:
    """Twenty writers at once, some of whom roll back: one revision per commit, in order."""
    before = auth.rows("SELECT value FROM auth_revision")[0]["value"]

    async def write(number: int) -> None:
        try:
            async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
                await tx.state.publish([ended(new_id())])
                if number % 4 == 0:
                    raise Unavailable
        except Unavailable:
            pass

    await asyncio.gather(*(write(number) for number in range(20)))

    revisions = auth.rows(
        "SELECT revision FROM auth_event WHERE revision > %s ORDER BY revision", before
    )
    assert [row["revision"] for row in revisions] == list(range(before + 1, before + 16))


async def test_a_commit_is_one_delta_that_joins_on(auth: Auth, feed: Feed) -> None:
    """Each delta names the revision before it, and holds all events of its commit."""
    with feed.subscribed() as line:
        first = await publish(auth, ended(new_id()), ended(new_id()))
        second = await publish(auth, ended(new_id()))
        told = [each.delta for each in await take(line, 2)]

    assert [(each.previous_revision, each.revision, len(each.events)) for each in told] == [
        (first - 1, first, 2),
        (first, second, 1),
    ]


async def test_a_notification_is_faster_than_the_poll(auth: Auth, feed: Feed) -> None:
    """A revocation reaches a follower well before the next poll would."""
    spent = []
    with feed.subscribed() as line:
        for _ in range(5):
            began = asyncio.get_running_loop().time()
            await publish(auth, ended(new_id()))
            await take(line, 1)
            spent.append(asyncio.get_running_loop().time() - began)

    assert sorted(spent)[2] < 0.15


async def test_a_snapshot_holds_keys_roles_and_what_is_still_dead(auth: Auth, feed: Feed) -> None:
    """Latest of each key; what no live token needs is left out."""
    session, old, subject, organization = (new_id() for _ in range(4))
    await publish(auth, ended(session))
    await publish(auth, SessionRevoked(old, clock.now() - timedelta(seconds=1)))
    epoch = await publish(auth, SubjectEpoch(subject, clock.now() + timedelta(minutes=5)))
    await publish(auth, OrganizationEpoch(organization, suspended=True, forget_at=None))
    state = State()

    with feed.subscribed() as line:
        for part in await feed.opening(0, line):
            state.apply_snapshot(part.snapshot)

    assert set(state.sessions_revoked) == {session}
    assert state.subject_epochs[subject][0] == epoch
    assert state.organizations_suspended == {organization}
    assert {key: given for (_, key), given in state.roles.items()} == dict(BUILT_IN)
    assert len(state.keys) == 1
    assert state.revision == auth.rows("SELECT value FROM auth_revision")[0]["value"]


async def test_a_follower_resumes_or_starts_anew(auth: Auth, feed: Feed) -> None:
    """Deltas while they are kept, a snapshot when not, a refusal beyond what was issued."""
    held = await publish(auth, ended(new_id()))
    await publish(auth, ended(new_id()))
    with feed.subscribed() as line:
        kept = await feed.opening(held, line)
        auth.rows("UPDATE auth_event SET occurred_at = now() - interval '1 hour'")
        await sweep(auth.store)
        present = await feed.opening(held + 1, line)
        gone = await feed.opening(held, line)
        with pytest.raises(RevisionOutOfRange):
            await feed.opening(held + 1000, line)

    assert [each.WhichOneof("message") for each in kept] == ["delta"]
    assert present == []
    assert [each.WhichOneof("message") for each in gone] == ["snapshot"]


async def test_a_restored_database_is_noticed_when_it_has_overtaken(auth: Auth, feed: Feed) -> None:
    """The revisions are there again and are other commits: whoever resumes gets the whole."""
    held = await publish(auth, ended(new_id()))
    with feed.subscribed() as line:
        [whole] = await feed.opening(0, line)
    history = whole.snapshot.history

    await begin_history(auth.store)
    await publish(auth, ended(new_id()))

    with feed.subscribed() as line:
        resumed = await feed.opening(held, line, history)
        beyond = await feed.opening(held + 1000, line, history)
        kept = await feed.opening(held, line, resumed[0].snapshot.history)
    assert [each.WhichOneof("message") for each in (*resumed, *beyond)] == ["snapshot"] * 2
    assert resumed[0].snapshot.history != history
    assert [each.WhichOneof("message") for each in kept] == ["delta"]


async def test_a_feed_that_stays_through_a_restore_cuts_its_followers(
    auth: Auth, feed: Feed
) -> None:
    """They come again, and take a snapshot."""
    with feed.subscribed() as line:
        await begin_history(auth.store)
        await publish(auth, ended(new_id()))

        with pytest.raises(Unavailable):
            await take(line, 1)


async def test_a_probe_is_answered_after_a_read(auth: Auth, feed: Feed) -> None:
    """The checkpoint repeats the number, and its read began after the question."""
    revision = await publish(auth, ended(new_id()))
    with feed.subscribed(every=60.0) as line:
        asked = asyncio.get_running_loop().time()
        feed.probe(line, 7)
        async with asyncio.timeout(60):
            async for message in line.messages():
                if message.response.checkpoint.probe == 7:
                    break

    assert message.response.checkpoint.revision == revision
    assert message.asked_at >= asked


async def test_a_feed_without_its_database_falls_silent(auth: Auth, feed: Feed) -> None:
    """No read, no checkpoint: not even an unasked one."""

    async def away() -> None:
        raise Unavailable

    feed._read = away  # type: ignore[method-assign]  # the database is away from now on
    await asyncio.sleep(0.3)
    with feed.subscribed(every=0.0) as line:
        feed.probe(line, 1)
        await asyncio.sleep(0.6)

        assert line._line.qsize() == 0


async def test_a_follower_that_does_not_read_is_cut(auth: Auth) -> None:
    """Its line is bounded, and what was in it still comes out before the end."""
    line = Subscription(every=1.0)
    for number in range(MOST_UNREAD + 5):
        line.offer(Message(checkpoint(Told(new_id(), 1, 1, []), number, clock.now()), 0.0))

    coming = line.messages()
    seen = [await anext(coming) for _ in range(MOST_UNREAD)]

    with pytest.raises(Unavailable):
        await anext(coming)
    assert [each.response.checkpoint.probe for each in seen] == list(range(MOST_UNREAD))


async def test_the_local_truth_follows_its_own_feed(auth: Auth, feed: Feed) -> None:
    """Keys, revocations and proof reach the state of the same process."""
    state, session = State(), new_id()
    following = asyncio.create_task(follow(feed, state))
    try:
        await until(lambda: state.proven_at > float("-inf"))
        await publish(auth, ended(session))
        await until(lambda: session in state.sessions_revoked)
    finally:
        following.cancel()

    assert len(state.keys) == 1


async def test_a_rotation_publishes_before_it_signs(auth: Auth, feed: Feed) -> None:
    """Old tokens stay good, and the new key is known to followers a minute before its use."""
    clinic = await auth.clinic()
    old = await auth.log_in(clinic.email)
    before = auth.rows("SELECT value FROM auth_revision")[0]["value"]
    await until(lambda: feed._revision == before)
    with feed.subscribed() as line:
        kid = await rotate(auth.store, auth.keyring)
        delta = (await take(line, 1))[0].delta
    new = await auth.log_in(clinic.email)

    told = {each.key_changed.kid: each.key_changed.HasField("not_after") for each in delta.events}
    assert len(told) == 2
    assert told[kid] is False
    for made in (old, new):
        assert (await auth.proving.prove(made.access_token)).claims.kid != kid


async def test_a_changed_built_in_role_is_told_at_the_next_start(auth: Auth) -> None:
    """A new version's roles replace the published ones; an unchanged start says nothing."""
    before = auth.rows("SELECT value FROM auth_revision")[0]["value"]
    await set_up(auth.store, auth.keyring)
    assert auth.rows("SELECT value FROM auth_revision")[0]["value"] == before
    await publish(auth, RoleChanged(None, "doctor", ("clinical.patients.read",)))

    await set_up(auth.store, auth.keyring)

    held = auth.rows("SELECT event FROM auth_state WHERE key = 'role//doctor'")
    assert held[0]["event"]["permissions"] == sorted(BUILT_IN["doctor"])

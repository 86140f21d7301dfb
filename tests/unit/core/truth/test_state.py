"""What the stream has told, and what follows from it."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.ids import new_id
from core.truth import Claims, State
from core.truth import state as state_module
from core.truth.state import Membership
from medhub.auth.v1 import auth_state_pb2 as wire
from tests.support.tokens import (
    SigningKey,
    claims_of,
    global_epoch,
    membership,
    membership_epoch,
    organization_epoch,
    role,
    session_revoked,
    subject_epoch,
)

KEY = SigningKey("k1", bytes(range(32)))
WARD, CLINIC = new_id(), new_id()
NURSE = new_id()


def _state(*events: wire.StateEvent, revision: int = 1) -> State:
    state = State()
    state.apply_snapshot(wire.Snapshot(revision=revision, events=[KEY.event(), *events], last=True))
    return state


def _delta(state: State, *events: wire.StateEvent) -> bool:
    revision = state.revision
    return state.apply_delta(
        wire.Delta(previous_revision=revision, revision=revision + 1, events=events)
    )


ACTOR = new_id()
# Every scope that a token of a nurse at the ward is in while an actor calls for them.
_SCOPES: dict[str, Callable[[int], wire.StateEvent]] = {
    "global": global_epoch,
    "organization": lambda epoch: organization_epoch(WARD, epoch),
    "membership": lambda epoch: membership_epoch(NURSE, WARD, epoch),
    "subject": lambda epoch: subject_epoch(NURSE, epoch),
    "client": lambda epoch: subject_epoch(ACTOR, epoch),
}
_EPOCHS = st.lists(
    st.tuples(st.sampled_from(sorted(_SCOPES)), st.integers(min_value=0, max_value=9)), max_size=12
)


@given(_EPOCHS, st.integers(min_value=0, max_value=9), st.randoms())
def test_epochs_combine_by_the_greatest(
    epochs: list[tuple[str, int]], revision: int, random: object
) -> None:
    """No scope masks another, no later and lower epoch takes one back, in whatever order."""
    shuffled = list(epochs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    state = _state()
    for scope, epoch in shuffled:
        assert _delta(state, _SCOPES[scope](epoch))

    dead = state.dead(claims_of(NURSE, WARD, actor=ACTOR, kid="k1", revision=revision))

    assert dead == (revision < max((epoch for _, epoch in epochs), default=0))


@pytest.mark.parametrize("scope", sorted(_SCOPES))
def test_each_scope_kills_by_itself(scope: str) -> None:
    """A high epoch of one scope is enough, whatever lower ones the other scopes have."""
    state = _state(*(_SCOPES[other](2) for other in _SCOPES if other != scope), _SCOPES[scope](5))

    def dead(revision: int) -> bool:
        return state.dead(claims_of(NURSE, WARD, actor=ACTOR, kid="k1", revision=revision))

    assert dead(4)
    assert not dead(5)


@pytest.mark.parametrize(
    ("scope", "others"),
    [
        ("global", []),
        ("organization", [claims_of(NURSE, CLINIC, kid="k1"), claims_of(NURSE, kid="k1")]),
        ("membership", [claims_of(NURSE, CLINIC, kid="k1"), claims_of(new_id(), WARD, kid="k1")]),
        ("subject", [claims_of(new_id(), WARD, kid="k1")]),
        ("client", [claims_of(NURSE, WARD, kid="k1")]),
    ],
)
def test_a_scope_kills_nothing_outside_of_it(scope: str, others: list[Claims]) -> None:
    """Who is not in the scope goes on."""
    state = _state(_SCOPES[scope](5))

    assert [state.dead(each) for each in others] == [False] * len(others)


def test_what_kills_in_a_delta_is_in_the_snapshot_too() -> None:
    """Whoever starts anew knows every scope that whoever followed knows."""
    claims = claims_of(NURSE, WARD, actor=ACTOR, kid="k1", revision=3)

    for epoch in _SCOPES.values():
        assert _state(epoch(4)).dead(claims)
        assert not _state(epoch(3)).dead(claims)


def test_a_revoked_session_kills_its_tokens_alone() -> None:
    """Another session of the same user goes on."""
    mine, other = new_id(), new_id()

    state = _state(session_revoked(mine))

    assert state.dead(claims_of(NURSE, WARD, kid="k1", session=mine))
    assert not state.dead(claims_of(NURSE, WARD, kid="k1", session=other))


def test_a_suspended_organization_accepts_no_token() -> None:
    """Not even one that was issued after; until it is active again."""
    state = _state(organization_epoch(WARD, 0, suspended=True))
    claims = claims_of(NURSE, WARD, kid="k1", revision=99)

    assert state.dead(claims)
    assert not state.dead(claims_of(NURSE, CLINIC, kid="k1", revision=99))
    _delta(state, organization_epoch(WARD, 0))
    assert not state.dead(claims)


def test_tokens_of_a_revoked_or_withdrawn_key_are_dead() -> None:
    """Whoever signed with it may be anybody."""
    state = _state()
    claims = claims_of(NURSE, WARD, kid="k1")
    assert not state.dead(claims)

    _delta(state, KEY.event(wire.KEY_STATE_REVOKED))

    assert state.dead(claims)
    assert state.dead(claims_of(NURSE, WARD, kid="unheard-of"))


def test_tokens_of_a_retired_key_die_with_it() -> None:
    """Its last moment counts for tokens that were proven before, too."""
    retired = KEY.event(wire.KEY_STATE_RETIRED)
    retired.key_changed.not_after.FromDatetime(clock.now() + timedelta(seconds=60))
    state = _state(retired)
    claims = claims_of(NURSE, WARD, kid="k1")

    assert not state.dead(claims)
    with clock.frozen(clock.now() + timedelta(seconds=66)):
        assert state.dead(claims)


def test_a_gap_is_noticed_and_nothing_is_applied() -> None:
    """A delta that does not join on leaves the state as it was."""
    state = _state(revision=5)
    session = new_id()

    for previous in (0, 4, 6, 7):
        delta = wire.Delta(
            previous_revision=previous, revision=8, events=[session_revoked(session)]
        )
        assert not state.apply_delta(delta)

    assert state.revision == 5
    assert not state.dead(claims_of(NURSE, WARD, kid="k1", session=session))


def test_a_repeated_delta_is_noticed() -> None:
    """The same commit twice does not join on either."""
    state = _state()
    delta = wire.Delta(previous_revision=1, revision=2, events=[])

    assert state.apply_delta(delta)
    assert not state.apply_delta(delta)


def test_a_snapshot_replaces_the_whole() -> None:
    """What it does not hold is no longer so."""
    session = new_id()
    state = _state(
        session_revoked(session),
        subject_epoch(NURSE, 9),
        organization_epoch(WARD, 9, suspended=True),
        membership(NURSE, WARD, ["doctor"]),
        role("doctor", ["clinical.patients.read"]),
    )

    state.apply_snapshot(wire.Snapshot(revision=7, events=[KEY.event()], last=True))

    assert state.revision == 7
    assert not state.dead(claims_of(NURSE, WARD, kid="k1", session=session))
    assert state.memberships == {}
    assert state.permissions(WARD, ["doctor"]) == frozenset()


def test_a_snapshot_counts_when_it_is_complete() -> None:
    """Its parts change nothing before the last one; parts of an abandoned one are dropped."""
    state = _state(role("doctor", ["a.b.c"]))
    lost, part = new_id(), role("nurse", ["a.b.d"])

    state.apply_snapshot(wire.Snapshot(revision=3, events=[session_revoked(lost)]))
    assert state.revision == 1
    state.begin_snapshot()
    state.apply_snapshot(wire.Snapshot(revision=4, events=[KEY.event()]))
    state.apply_snapshot(wire.Snapshot(revision=4, events=[part], last=True))

    assert state.revision == 4
    assert state.permissions(WARD, ["doctor", "nurse"]) == {"a.b.d"}
    assert lost not in state.sessions_revoked


def test_a_checkpoint_proves_only_what_was_applied() -> None:
    """Behind the database nothing is proven, and an older question never makes it older."""
    state = _state(revision=5)

    assert not state.prove(6, 100.0)
    assert state.proven_at == float("-inf")
    assert state.prove(5, 100.0)
    assert state.prove(4, 90.0)
    assert state.proven_at == 100.0


def test_an_organizations_own_role_is_nobody_elses() -> None:
    """A built-in role gives everywhere; an organization's gives there alone."""
    state = _state(role("doctor", ["a.b.c"]), role("doctor", ["a.b.d"], WARD))

    assert state.permissions(WARD, ["doctor"]) == {"a.b.c", "a.b.d"}
    assert state.permissions(CLINIC, ["doctor"]) == {"a.b.c"}
    assert state.permissions(None, ["doctor"]) == {"a.b.c"}
    _delta(state, role("doctor", [], WARD))
    assert state.permissions(WARD, ["doctor"]) == {"a.b.c"}


def test_what_can_kill_nothing_any_more_is_forgotten() -> None:
    """Memory is bounded by change, not by time; what is still needed stays."""
    state = _state()
    short, long = new_id(), new_id()
    _delta(state, session_revoked(short), subject_epoch(short, 5))
    _delta(
        state,
        session_revoked(long, timedelta(hours=1)),
        subject_epoch(NURSE, 5, timedelta(hours=1)),
    )

    with clock.frozen(clock.now() + timedelta(minutes=6)):
        for _ in range(256):
            _delta(state)

    assert set(state.sessions_revoked) == {long}
    assert set(state.subject_epochs) == {NURSE}


def test_a_revocation_without_an_end_is_kept() -> None:
    """Forgetting what does not say when would let a token live again."""
    session = new_id()
    state = _state()
    _delta(state, wire.StateEvent(session_revoked=wire.SessionRevoked(session_id=str(session))))

    for _ in range(600):
        _delta(state)

    assert state.dead(claims_of(NURSE, WARD, kid="k1", session=session))


def test_what_the_stream_told_later_wins_over_an_answer() -> None:
    """A slow answer of auth does not undo a change that has been streamed since."""
    state = _state(revision=3)
    _delta(state, membership(NURSE, WARD, ["reader"]))

    found = state.learn(NURSE, WARD, Membership(("admin",), 3))

    assert found.roles == ("reader",)
    assert state.memberships[NURSE, WARD].roles == ("reader",)


def test_memberships_are_bounded_and_say_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who drops out is asked for again, and no older answer is taken then."""
    monkeypatch.setattr(state_module, "MAX_MEMBERSHIPS", 3)
    state = _state()
    people: list[UUID] = [new_id() for _ in range(5)]

    for person in people:
        _delta(state, membership(person, WARD, ["reader"]))

    assert [subject for subject, _ in state.memberships] == people[2:]
    assert state.forgotten_at == 3
    _delta(state, membership(people[4], WARD, ["admin"]))
    assert len(state.memberships) == 3


def _unread_kind() -> wire.StateEvent:
    """An event of a kind that a later version tells: field 99 of StateEvent."""
    return wire.StateEvent.FromString(b"\x9a\x06\x02\x08\x01")


def _unread_field() -> wire.StateEvent:
    """A known event that says more than this version can read: field 99 of SessionRevoked."""
    inner = session_revoked(new_id()).session_revoked.SerializeToString() + b"\x98\x06\x01"
    event = wire.StateEvent()
    event.session_revoked.MergeFromString(inner)
    return event


def _unread_state() -> wire.StateEvent:
    """A key in a state that this version does not know."""
    event = SigningKey().event()
    event.key_changed.state = 7  # type: ignore[assignment]  # of a later version
    return event


UNREAD = {
    "kind": _unread_kind(),
    "field": _unread_field(),
    "key state": _unread_state(),
    "id": wire.StateEvent(session_revoked=wire.SessionRevoked(session_id="none")),
}


@pytest.mark.parametrize("unread", UNREAD.values(), ids=UNREAD)
def test_what_cannot_be_read_is_not_passed_over(unread: wire.StateEvent) -> None:
    """Nothing is taken for proven any more; what was read is kept, and the revision followed."""
    state, session = _state(), new_id()
    state.prove(1, 5.0)

    assert _delta(state, unread, session_revoked(session))

    assert (state.understood, state.proven_at) == (False, float("-inf"))
    assert state.dead(claims_of(NURSE, WARD, kid="k1", session=session))
    assert state.prove(2, 6.0)
    assert (state.proven_at, state.heard_at) == (float("-inf"), 6.0)


@pytest.mark.parametrize("unread", UNREAD.values(), ids=UNREAD)
def test_a_snapshot_that_is_understood_whole_is_trusted_again(unread: wire.StateEvent) -> None:
    """From the next checkpoint on; one that holds such a thing itself is not."""
    state = _state(unread)
    assert not state.understood

    _delta(state, role("doctor", ["a.b.c"]))
    assert not state.understood

    state.apply_snapshot(wire.Snapshot(revision=3, events=[KEY.event()], last=True))
    assert (state.understood, state.proven_at) == (True, float("-inf"))
    state.prove(3, 7.0)
    assert state.proven_at == state.heard_at == 7.0


def test_it_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not at each event: there may be thousands."""
    state = _state()

    for _ in range(3):
        _delta(state, _unread_kind())

    assert [record.levelname for record in caplog.records] == ["ERROR"]

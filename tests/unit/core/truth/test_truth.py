"""From a token to a caller: what is asked of auth, and what is not."""

import asyncio
from datetime import timedelta

import pytest

from core import clock
from core.identity import Kind
from core.ids import new_id
from core.truth import Resolved, Truth
from core.truth import hops as hops_module
from core.truth import truth as truth_module
from core.truth.refusals import AuthUnavailable, Unauthenticated
from medhub.auth.v1 import auth_state_pb2 as wire
from tests.support.tokens import (
    MemoryAuth,
    SigningKey,
    claims_of,
    membership,
    organization_epoch,
    prove,
    role,
    session_revoked,
    state_with,
    subject_epoch,
    tell,
)

READ, WRITE, FRESH = 10.0, 2.0, 0.0
WARD, CLINIC = new_id(), new_id()
DOCTOR = role("doctor", ["clinical.patients.read", "clinical.patients.create"])
READER = role("reader", ["clinical.patients.read"])


@pytest.fixture
def auth() -> MemoryAuth:
    return MemoryAuth()


def _aged(truth: Truth, seconds: float) -> None:
    truth.state.proven_at = asyncio.get_running_loop().time() - seconds


async def test_a_known_caller_needs_no_hop(auth: MemoryAuth) -> None:
    """Once the stream knows a membership, calls are decided here."""
    nurse, session = new_id(), new_id()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    token = auth.token(nurse, WARD, session=session, assurance=2)

    caller = await truth.caller_of(token, bound=WRITE)

    assert (caller.kind, caller.subject, caller.organization) == (Kind.USER, nurse, WARD)
    assert (caller.session, caller.assurance, caller.degraded) == (session, 2, False)
    assert caller.permissions == {"clinical.patients.read", "clinical.patients.create"}
    assert auth.hops == 0


async def test_a_thousand_calls_of_an_unknown_caller_make_one_hop(auth: MemoryAuth) -> None:
    """Whoever comes while the question is out waits for its answer; later ones know it."""
    auth.delay = 0.02
    truth = auth.truth(DOCTOR)
    token = auth.token(auth.joins(None, WARD, "doctor"), WARD)

    callers = await asyncio.gather(*(truth.caller_of(token, bound=READ) for _ in range(1000)))

    assert {caller.roles for caller in callers} == {("doctor",)}
    assert auth.hops == truth.hops == 1
    await truth.caller_of(token, bound=WRITE)
    assert auth.hops == 1


async def test_a_waiter_that_gives_up_does_not_end_the_hop(auth: MemoryAuth) -> None:
    """The others get their answer."""
    auth.delay = 0.05
    truth = auth.truth(DOCTOR)
    token = auth.token(auth.joins(None, WARD, "doctor"), WARD)
    first = asyncio.create_task(truth.caller_of(token, bound=READ))
    second = asyncio.create_task(truth.caller_of(token, bound=READ))
    await asyncio.sleep(0.01)

    first.cancel()

    assert (await second).roles == ("doctor",)
    assert auth.hops == 1


async def test_a_role_change_acts_on_the_very_next_call(auth: MemoryAuth) -> None:
    """Both what somebody holds and what it gives."""
    nurse = new_id()
    truth = auth.truth(DOCTOR, READER, membership(nurse, WARD, ["doctor"]))
    token = auth.token(nurse, WARD)
    assert "clinical.patients.create" in (await truth.caller_of(token, bound=WRITE)).permissions

    tell(truth.state, membership(nurse, WARD, ["reader"]))
    assert (await truth.caller_of(token, bound=WRITE)).permissions == {"clinical.patients.read"}

    tell(truth.state, role("reader", []))
    assert (await truth.caller_of(token, bound=WRITE)).permissions == frozenset()


@pytest.mark.parametrize(
    "kind", ["session", "subject", "actor", "organization", "key", "membership"]
)
async def test_a_revocation_acts_on_the_very_next_call(auth: MemoryAuth, kind: str) -> None:
    """However often the token has been proven before."""
    nurse, session, actor = new_id(), new_id(), new_id()
    truth = auth.truth(
        DOCTOR,
        membership(nurse, WARD, ["doctor"]),
        membership(actor, None, ["doctor"]),
        service="clinical",
    )
    token = auth.token(nurse, WARD, session=session, actor=actor, audience="clinical")
    await truth.caller_of(token, bound=WRITE)
    event = {
        "session": session_revoked(session),
        "subject": subject_epoch(nurse, 2),
        "actor": subject_epoch(actor, 2),
        "organization": organization_epoch(WARD, 2),
        "key": auth.key.event(wire.KEY_STATE_REVOKED),
        "membership": membership(nurse, WARD, ended=True),
    }[kind]

    tell(truth.state, event)

    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=READ)
    assert auth.hops == 0


async def test_a_fresh_method_asks_each_time(auth: MemoryAuth) -> None:
    """No answer is shared: a question asked before a revocation must not serve a call after it."""
    auth.delay = 0.01
    truth = auth.truth(DOCTOR)
    nurse = auth.joins(None, WARD, "doctor")
    token = auth.token(nurse, WARD)

    await asyncio.gather(*(truth.caller_of(token, bound=FRESH) for _ in range(3)))
    assert auth.hops == 3

    auth.dead.add(nurse)
    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=FRESH)


async def test_a_fresh_method_heeds_what_auth_says_the_roles_give(auth: MemoryAuth) -> None:
    """A role that has just lost a permission does not give it here, though no stream told it."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR)
    auth.revision, auth.gives["doctor"] = 2, frozenset({"clinical.patients.read"})

    caller = await truth.caller_of(auth.token(nurse, WARD), bound=FRESH)

    assert caller.permissions == {"clinical.patients.read"}


@pytest.mark.parametrize(("bound", "age"), [(WRITE, 2.5), (READ, 10.5), (READ, 3_600.0)])
async def test_past_the_bound_auth_says_what_the_roles_give(
    auth: MemoryAuth, bound: float, age: float
) -> None:
    """What a role lost while the stream was cut, it does not give, however old the stream is."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    token = auth.token(nurse, WARD)
    await truth.caller_of(token, bound=bound)
    auth.revision, auth.gives["doctor"] = 2, frozenset({"clinical.patients.read"})
    _aged(truth, age)

    caller = await truth.caller_of(token, bound=bound)

    assert caller.permissions == {"clinical.patients.read"}
    assert auth.hops == 1


async def test_what_the_stream_says_the_roles_give_overrules_an_older_answer(
    auth: MemoryAuth,
) -> None:
    """The answer was on its way while the role lost a permission."""
    auth.delay = 0.05
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR)
    call = asyncio.create_task(truth.caller_of(auth.token(nurse, WARD), bound=FRESH))
    await asyncio.sleep(0.01)

    tell(truth.state, role("doctor", ["clinical.patients.read"]))

    assert (await call).permissions == {"clinical.patients.read"}


async def test_what_the_stream_knows_better_overrules_an_answer(auth: MemoryAuth) -> None:
    """An answer that was on its way while the revocation was streamed does not let a call in."""
    auth.delay = 0.05
    nurse, session = auth.joins(None, WARD, "doctor"), new_id()
    truth = auth.truth(DOCTOR, READER)
    call = asyncio.create_task(
        truth.caller_of(auth.token(nurse, WARD, session=session), bound=FRESH)
    )
    other = asyncio.create_task(truth.caller_of(auth.token(nurse, WARD), bound=FRESH))
    await asyncio.sleep(0.01)

    tell(truth.state, session_revoked(session), membership(nurse, WARD, ["reader"]))

    with pytest.raises(Unauthenticated):
        await call
    assert (await other).roles == ("reader",)


async def test_an_answer_older_than_a_snapshot_is_not_learned(auth: MemoryAuth) -> None:
    """Learned, it would stay wrong: no delta brings the change again."""
    auth.delay = 0.05
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, READER)
    token = auth.token(nurse, WARD)
    asked = asyncio.create_task(truth.caller_of(token, bound=READ))
    await asyncio.sleep(0.01)

    auth.revision = 3
    auth.joins(nurse, WARD, "reader")
    whole = wire.Snapshot(revision=3, events=[auth.key.event(), DOCTOR, READER], last=True)
    truth.state.apply_snapshot(whole)
    prove(truth.state)

    assert (await asked).roles == ("reader",)
    assert truth.state.memberships[nurse, WARD].roles == ("reader",)
    assert auth.hops == 2


async def test_an_answer_about_somebody_else_is_refused() -> None:
    """Auth's answer must be about the token's own subject and organization."""
    key, nurse = SigningKey(), new_id()

    async def confused(_token: str) -> Resolved:
        return Resolved(new_id(), WARD, ("doctor",), 1, frozenset())

    truth = Truth(state_with(key.event(), DOCTOR), confused)
    for bound in (FRESH, READ):
        with pytest.raises(Unauthenticated):
            await truth.caller_of(key.token(claims_of(nurse, WARD)), bound=bound)
    assert truth.state.memberships == {}


@pytest.mark.parametrize(("bound", "age"), [(WRITE, 2.5), (READ, 10.5)])
async def test_past_the_bound_auth_is_asked(auth: MemoryAuth, bound: float, age: float) -> None:
    """The answer is shared for a second, and a dead token is refused by it."""
    nurse, session = auth.joins(None, WARD, "doctor"), new_id()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    token = auth.token(nurse, WARD, session=session)
    _aged(truth, age)

    for _ in range(5):
        assert (await truth.caller_of(token, bound=bound)).roles == ("doctor",)
    assert auth.hops == 1

    auth.dead.add(session)
    with pytest.raises(Unauthenticated):
        await truth.caller_of(auth.token(nurse, WARD, session=session), bound=bound)


async def test_a_kept_answer_is_no_older_than_the_bound(
    auth: MemoryAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that was long on its way, and was kept besides, does not serve a write any more."""
    monkeypatch.setattr(hops_module, "HOP_KEPT_SECONDS", 60.0)
    nurse, session = auth.joins(None, WARD, "doctor"), new_id()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    token = auth.token(nurse, WARD, session=session)
    _aged(truth, 60.0)
    auth.delay = 0.15
    await truth.caller_of(token, bound=0.1)
    auth.dead.add(session)

    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=0.1)
    assert auth.hops == 2


async def test_a_first_question_that_takes_long_leaves_nothing_to_an_old_stream(
    auth: MemoryAuth,
) -> None:
    """The stream was within the bound when auth was asked and is not when the answer comes."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, READER)
    # What the stream has not told yet: the role gives less than before.
    auth.gives["doctor"], auth.revision = frozenset({"clinical.patients.read"}), 2
    auth.delay = 0.15

    caller = await truth.caller_of(auth.token(nurse, WARD, revision=1), bound=0.1)

    assert caller.permissions == {"clinical.patients.read"}


async def test_a_key_that_is_on_its_way_is_waited_for(auth: MemoryAuth) -> None:
    """A token that is newer than what was heard here may be signed by a key not heard of yet."""
    nurse, other = new_id(), SigningKey()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    newer = other.token(claims_of(nurse, WARD, revision=2))
    call = asyncio.create_task(truth.caller_of(newer, bound=READ))

    await asyncio.sleep(0.02)
    assert not call.done()
    tell(truth.state, other.event())

    assert (await call).roles == ("doctor",)
    with pytest.raises(Unauthenticated):
        await truth.caller_of(SigningKey().token(claims_of(nurse, WARD, revision=2)), bound=READ)
    with pytest.raises(AuthUnavailable):
        await truth.caller_of(SigningKey().token(claims_of(nurse, WARD, revision=3)), bound=READ)
    assert auth.hops == 0


async def test_within_the_bound_nobody_is_asked(auth: MemoryAuth) -> None:
    """A read goes on where a write already asks."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    _aged(truth, 5.0)

    await truth.caller_of(auth.token(nurse, WARD), bound=READ)
    assert auth.hops == 0
    await truth.caller_of(auth.token(nurse, WARD), bound=WRITE)
    assert auth.hops == 1


async def test_a_call_waits_for_the_revision_it_names(auth: MemoryAuth) -> None:
    """A role just granted works at once: the stream is given a moment to bring it."""
    nurse = new_id()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    call = asyncio.create_task(truth.caller_of(auth.token(nurse, WARD), bound=READ, min_revision=3))
    newer = asyncio.create_task(truth.caller_of(auth.token(nurse, WARD, revision=3), bound=READ))

    await asyncio.sleep(0.02)
    tell(truth.state, READER)
    await asyncio.sleep(0.02)
    assert not call.done()
    assert not newer.done()
    tell(truth.state, membership(nurse, WARD, ["reader"]))

    assert (await call).roles == (await newer).roles == ("reader",)
    assert auth.hops == 0


async def test_a_revision_the_stream_does_not_bring_is_asked_for(auth: MemoryAuth) -> None:
    """After a quarter of a second auth is asked; an answer from before that revision won't do."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, READER, membership(nurse, WARD, ["doctor"]))
    token = auth.token(nurse, WARD)
    auth.revision = 2
    assert (await truth.caller_of(token, bound=READ, min_revision=2)).roles == ("doctor",)

    auth.revision = 3
    auth.joins(nurse, WARD, "reader")

    assert (await truth.caller_of(token, bound=READ, min_revision=3)).roles == ("reader",)
    assert auth.hops == 2


async def test_a_made_up_revision_is_no_way_to_flood_auth(auth: MemoryAuth) -> None:
    """A hundred calls that name a revision nobody issued make a handful of hops."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    token = auth.token(nurse, WARD)

    calls = [truth.caller_of(token, bound=READ, min_revision=10**15) for _ in range(100)]
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert {type(one) for one in told} == {AuthUnavailable}
    assert auth.hops <= 2


async def test_proofs_are_bounded(auth: MemoryAuth, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest makes room; it is proven again when it comes back."""
    monkeypatch.setattr(truth_module, "MAX_VERDICTS", 10)
    nurse = new_id()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    tokens = [auth.token(nurse, WARD) for _ in range(30)]

    for token in (*tokens, tokens[0]):
        await truth.caller_of(token, bound=READ)

    assert len(truth._verdicts) == 10
    assert auth.hops == 0


async def test_a_call_names_one_organization_and_gets_its_roles(auth: MemoryAuth) -> None:
    """The same user is somebody else in each organization."""
    nurse = new_id()
    truth = auth.truth(
        DOCTOR, READER, membership(nurse, WARD, ["doctor"]), membership(nurse, CLINIC, ["reader"])
    )

    there = await truth.caller_of(auth.token(nurse, CLINIC), bound=READ)
    here = await truth.caller_of(auth.token(nurse, WARD), bound=READ)

    assert there.permissions < here.permissions
    assert (there.organization, here.organization) == (CLINIC, WARD)


async def test_while_something_is_not_understood_auth_is_asked(auth: MemoryAuth) -> None:
    """It may be what shuts the caller out; auth's word alone decides, also of what is given."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    session = new_id()
    token = auth.token(nurse, WARD, session=session)
    await truth.caller_of(token, bound=READ)
    assert auth.hops == 0

    tell(truth.state, wire.StateEvent.FromString(b"\x9a\x06\x00"))
    auth.gives["doctor"] = frozenset({"clinical.patients.read"})

    caller = await truth.caller_of(token, bound=READ)
    assert caller.permissions == {"clinical.patients.read"}
    assert auth.hops == 1
    auth.dead.add(session)
    with pytest.raises(Unauthenticated):
        await truth.caller_of(auth.token(nurse, WARD, session=session), bound=READ)


async def test_what_was_understood_still_shuts_out(auth: MemoryAuth) -> None:
    """An answer on its way while a revocation is streamed lets nobody in."""
    auth.delay = 0.05
    nurse, session = auth.joins(None, WARD, "doctor"), new_id()
    truth = auth.truth(DOCTOR)
    tell(truth.state, wire.StateEvent.FromString(b"\x9a\x06\x00"))
    call = asyncio.create_task(
        truth.caller_of(auth.token(nurse, WARD, session=session), bound=READ)
    )
    await asyncio.sleep(0.01)

    tell(truth.state, session_revoked(session))

    with pytest.raises(Unauthenticated):
        await call


async def test_an_expired_token_is_a_log_out_though_the_stream_is_not_understood(
    auth: MemoryAuth,
) -> None:
    """Auth is there: the caller can log in. When it falls silent, that is an outage again."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR)
    tell(truth.state, wire.StateEvent.FromString(b"\x9a\x06\x00"))
    past = clock.now() - timedelta(hours=1)
    token = auth.token(nurse, WARD, issued_at=past, expires_at=past + timedelta(minutes=5))

    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=READ)

    truth.state._heard_at = asyncio.get_running_loop().time() - 11.0
    with pytest.raises(AuthUnavailable):
        await truth.caller_of(token, bound=READ)

"""While auth cannot be asked: nobody is logged out, and nobody gets in who should not."""

import asyncio
from datetime import timedelta

import pytest

from core import clock
from core.ids import new_id
from core.truth import Resolved, Truth
from core.truth import hops as hops_module
from core.truth import truth as truth_module
from core.truth.refusals import AuthUnavailable, Unauthenticated
from tests.support.tokens import (
    MemoryAuth,
    SigningKey,
    claims_of,
    forged,
    membership,
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


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages of test length: nothing proven for 50 ms counts as auth being away."""
    monkeypatch.setattr(truth_module, "AWAY_SECONDS", 0.05)
    monkeypatch.setattr(hops_module, "HOP_KEPT_SECONDS", 0.02)


def _aged(truth: Truth, seconds: float) -> None:
    truth.state.proven_at = asyncio.get_running_loop().time() - seconds


async def test_an_outage_is_never_told_as_a_log_out(auth: MemoryAuth, away: None) -> None:
    """Valid, expired, or signed by a key not heard of: while auth is away all are UNAVAILABLE."""
    nurse = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    _aged(truth, 60.0)
    auth.reachable = False
    long_ago = clock.now().replace(microsecond=0) - timedelta(minutes=10)
    old = {"issued_at": long_ago, "expires_at": long_ago + timedelta(minutes=5)}

    for token in (
        auth.token(nurse, WARD),
        auth.token(nurse, WARD, **old),
        SigningKey().token(claims_of(nurse, WARD)),
    ):
        for bound in (FRESH, WRITE, READ):
            with pytest.raises(AuthUnavailable) as refused:
                await truth.caller_of(token, bound=bound)
            assert refused.value.retry_after == 1.0


async def test_before_the_first_snapshot_nobody_is_logged_out(auth: MemoryAuth) -> None:
    """A server that has heard nothing yet cannot tell, and says so."""
    truth = Truth(state_with(proven=False), auth.resolve)

    with pytest.raises(AuthUnavailable):
        await truth.caller_of(auth.token(auth.joins(None, WARD)), bound=READ)


async def test_noise_is_refused_even_during_an_outage(auth: MemoryAuth) -> None:
    """What can never be a token is UNAUTHENTICATED whatever happens."""
    truth = Truth(state_with(auth.key.event(), proven=False), auth.resolve)

    for noise in ("", "x", "a.b.c", "é", forged(auth.key, {"alg": "none"}, {})):
        with pytest.raises(Unauthenticated):
            await truth.caller_of(noise, bound=READ)
    assert auth.hops == 0


async def test_an_expired_token_is_a_log_out_while_auth_is_there(auth: MemoryAuth) -> None:
    """And a proof that was cached does not outlive the token."""
    nurse = new_id()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    ending = clock.now().replace(microsecond=0) - timedelta(seconds=4)
    token = auth.token(
        nurse, WARD, issued_at=ending - timedelta(minutes=5), expires_at=ending
    )  # fmt: skip
    await truth.caller_of(token, bound=READ)

    await asyncio.sleep(2.1)
    prove(truth.state)

    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=READ)


async def test_declared_reads_go_on_for_who_was_proven_before(auth: MemoryAuth, away: None) -> None:
    """Degraded, with the rights last heard of; for five minutes; for nobody new; never FRESH."""
    nurse, other = new_id(), new_id()
    truth = auth.truth(
        DOCTOR, READER, membership(nurse, WARD, ["doctor"]), membership(other, WARD, ["doctor"])
    )
    token = auth.token(nurse, WARD)
    await truth.caller_of(token, bound=READ)
    tell(truth.state, membership(nurse, WARD, ["reader"]))
    auth.reachable = False
    _aged(truth, 60.0)

    caller = await truth.caller_of(token, bound=READ, continues=True)

    assert (caller.degraded, caller.roles) == (True, ("reader",))
    for wrong in (
        truth.caller_of(token, bound=READ),
        truth.caller_of(token, bound=FRESH, continues=True),
        truth.caller_of(token, bound=READ, continues=True, min_revision=99),
        truth.caller_of(auth.token(other, WARD), bound=READ, continues=True),
    ):
        with pytest.raises(AuthUnavailable):
            await wrong
    _aged(truth, 301.0)
    with pytest.raises(AuthUnavailable):
        await truth.caller_of(token, bound=READ, continues=True)


@pytest.mark.parametrize("kind", ["session", "membership", "subject"])
async def test_who_is_known_to_be_out_does_not_continue(
    auth: MemoryAuth, away: None, kind: str
) -> None:
    """A revocation that was heard before the outage holds during it."""
    nurse, session = new_id(), new_id()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    token = auth.token(nurse, WARD, session=session)
    await truth.caller_of(token, bound=READ)
    tell(truth.state, {
        "session": session_revoked(session),
        "membership": membership(nurse, WARD, ended=True),
        "subject": subject_epoch(nurse, 2),
    }[kind])  # fmt: skip
    auth.reachable = False
    _aged(truth, 60.0)

    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=READ, continues=True)


async def test_an_outage_costs_one_hop_a_second_for_a_token(auth: MemoryAuth) -> None:
    """A server must not fall upon an auth that is coming back with every call it has."""
    nurse = new_id()
    truth = auth.truth(DOCTOR, membership(nurse, WARD, ["doctor"]))
    auth.reachable = False
    _aged(truth, 60.0)
    token = auth.token(nurse, WARD)

    for _ in range(50):
        with pytest.raises(AuthUnavailable):
            await truth.caller_of(token, bound=READ)

    assert auth.hops == 1


async def test_a_stuck_auth_holds_a_call_for_a_stated_time(
    auth: MemoryAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds (here a twentieth); then UNAVAILABLE."""
    monkeypatch.setattr(hops_module, "HOP_SECONDS", 0.05)
    auth.delay = 30.0
    truth = auth.truth(DOCTOR)

    async with asyncio.timeout(60):
        with pytest.raises(AuthUnavailable):
            await truth.caller_of(auth.token(auth.joins(None, WARD), WARD), bound=READ)


async def test_a_fault_in_the_hop_is_an_outage_too() -> None:
    """Whatever goes wrong while asking, the caller was not proven wrong by it."""
    key = SigningKey()

    async def broken(_token: str) -> Resolved:
        raise ValueError("not a UUID")

    truth = Truth(state_with(key.event()), broken)

    with pytest.raises(AuthUnavailable):
        await truth.caller_of(key.token(claims_of(new_id(), WARD)), bound=READ)

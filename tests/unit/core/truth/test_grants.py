"""Access to single patients: told by the stream, open for its time, and not a moment longer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.identity import Grant
from core.ids import new_id
from core.truth import State
from core.truth import grants as grants_module
from core.truth.grants import MOST_GRANTS, timed_from_proto
from medhub.auth.v1 import auth_state_pb2 as wire
from tests.support.tokens import (
    MemoryAuth,
    access_grant,
    claims_of,
    membership,
    prove,
    role,
    state_with,
    tell,
)

READ, WRITE, FRESH = 10.0, 2.0, 0.0
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
WARD, CLINIC = new_id(), new_id()
DOCTOR = role("doctor", ["clinical.patients.read"])


@pytest.fixture
def auth() -> MemoryAuth:
    return MemoryAuth()


async def test_a_grant_opens_one_patient_to_one_person_in_one_organization(
    auth: MemoryAuth,
) -> None:
    """Nobody else's token carries it, nor theirs for another organization."""
    doctor, other, patient, grant = new_id(), new_id(), new_id(), new_id()
    truth = auth.truth(
        DOCTOR,
        *(
            membership(who, where, ["doctor"])
            for who in (doctor, other)
            for where in (WARD, CLINIC)
        ),
        access_grant(doctor, WARD, patient, of=grant),
    )

    carried = {
        (who, where): (await truth.caller_of(auth.token(who, where), bound=READ)).grants
        for who in (doctor, other)
        for where in (WARD, CLINIC)
    }

    assert carried.pop((doctor, WARD)) == (Grant(grant, patient, break_glass=False),)
    assert set(carried.values()) == {()}
    assert auth.hops == 0


async def test_what_is_taken_back_opens_nothing_on_the_very_next_call(auth: MemoryAuth) -> None:
    """However often the token has been proven before."""
    doctor, patient, grant = new_id(), new_id(), new_id()
    truth = auth.truth(DOCTOR, membership(doctor, WARD, ["doctor"]))
    token = auth.token(doctor, WARD)
    assert (await truth.caller_of(token, bound=READ)).grants == ()

    tell(truth.state, access_grant(doctor, WARD, patient, of=grant, break_glass=True))
    assert (await truth.caller_of(token, bound=READ)).grants == (Grant(grant, patient, True),)

    tell(truth.state, access_grant(doctor, WARD, patient, of=grant, revoked=True))
    assert (await truth.caller_of(token, bound=READ)).grants == ()


async def test_who_acts_for_somebody_takes_no_emergency_of_theirs(auth: MemoryAuth) -> None:
    """What they were given to see it may show them; what they took themselves it may not."""
    doctor, actor, shared, taken = new_id(), new_id(), new_id(), new_id()
    told = (
        access_grant(doctor, WARD, shared),
        access_grant(doctor, WARD, taken, break_glass=True),
    )
    auth.joins(doctor, WARD, "doctor")
    auth.joins(actor, None, "doctor")
    auth.grants = tuple(timed_from_proto(each.access_grant_changed) for each in told)
    truth = auth.truth(
        DOCTOR,
        membership(doctor, WARD, ["doctor"]),
        membership(actor, None, ["doctor"]),
        *told,
        service="clinical",
    )
    token = auth.token(doctor, WARD, actor=actor, audience="clinical")

    carried = [
        [grant.patient for grant in (await truth.caller_of(token, bound=bound)).grants]
        for bound in (READ, FRESH)
    ]

    assert carried == [[shared], [shared]]


async def test_past_the_bound_auth_says_what_is_open(auth: MemoryAuth) -> None:
    """What was taken back while the stream was cut opens nothing, and what is new opens."""
    doctor, before, since = auth.joins(None, WARD, "doctor"), new_id(), new_id()
    truth = auth.truth(
        DOCTOR, membership(doctor, WARD, ["doctor"]), access_grant(doctor, WARD, before)
    )
    newer = access_grant(doctor, WARD, since)
    auth.revision, auth.grants = 2, (timed_from_proto(newer.access_grant_changed),)
    token = auth.token(doctor, WARD)

    fresh = await truth.caller_of(token, bound=FRESH)
    truth.state.proven_at = asyncio.get_running_loop().time() - 60.0
    late = await truth.caller_of(token, bound=READ)

    assert [[grant.patient for grant in each.grants] for each in (fresh, late)] == [[since]] * 2


async def test_an_answer_opens_nothing_past_the_end_that_it_tells(auth: MemoryAuth) -> None:
    """An answer of auth serves other calls for a moment; a grant in it may end before."""
    doctor = auth.joins(None, WARD, "doctor")
    truth = auth.truth(DOCTOR, membership(doctor, WARD, ["doctor"]))
    ending = access_grant(doctor, WARD, new_id(), life=timedelta(seconds=30))
    auth.revision, auth.grants = 2, (timed_from_proto(ending.access_grant_changed),)
    token = auth.token(doctor, WARD)

    assert len((await truth.caller_of(token, bound=FRESH)).grants) == 1
    with clock.frozen(clock.now() + timedelta(seconds=30)):
        assert (await truth.caller_of(token, bound=FRESH)).grants == ()


async def test_a_snapshot_replaces_every_grant() -> None:
    """What it does not hold is over, whatever was known before."""
    doctor, old, new = new_id(), new_id(), new_id()
    state = state_with(access_grant(doctor, WARD, old))

    state.apply_snapshot(
        wire.Snapshot(revision=2, events=[access_grant(doctor, WARD, new)], last=True)
    )

    assert [each.grant.patient for each in state.grants.of(doctor, WARD)] == [new]


async def test_a_grant_without_an_end_is_not_understood() -> None:
    """It would open a record for ever: nothing here decides until it is told otherwise."""
    told = access_grant(new_id(), WARD, new_id())
    told.access_grant_changed.ClearField("end_time")

    assert not state_with(told).understood


async def test_what_is_remembered_is_bounded_and_the_newest_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of everybody, and of one person."""
    doctor = new_id()
    patients = [new_id() for _ in range(MOST_GRANTS + 5)]
    state = state_with(*(access_grant(doctor, WARD, patient) for patient in patients))
    known = state.grants.of(doctor, WARD)

    grants, _ = grants_module.open_at(known, clock.now())
    monkeypatch.setattr(grants_module, "MAX_KEPT", 3)
    small = State()
    tell(small, *(access_grant(doctor, WARD, patient) for patient in patients))

    assert [grant.patient for grant in grants] == patients[5:]
    assert [each.grant.patient for each in small.grants.of(doctor, WARD)] == patients[-3:]


async def test_what_has_ended_is_forgotten() -> None:
    """Grants that nobody takes back do not gather."""
    doctor = new_id()
    state = state_with(
        access_grant(doctor, WARD, new_id(), life=timedelta(minutes=1)),
        access_grant(doctor, WARD, new_id(), life=timedelta(hours=1)),
    )

    state.grants.sweep(clock.now() + timedelta(minutes=2))

    assert len(state.grants) == 1


@dataclass(frozen=True)
class _Span:
    """A grant's time, in seconds after START."""

    begins: int
    lasts: int


_SPANS = st.lists(
    st.builds(_Span, st.integers(0, 200), st.integers(1, 200)), min_size=1, max_size=6
)
# Quarters of a second, which neither clock rounds.
_CALLS = st.lists(st.integers(0, 240).map(lambda many: many / 4), min_size=1, max_size=12)


@given(spans=_SPANS, pauses=_CALLS)
def test_no_verdict_outlives_a_grant(spans: list[_Span], pauses: list[float]) -> None:
    """However calls and grants lie in time, each call carries what is open then, and no other."""
    expected, carried = asyncio.run(_calls(spans, pauses))

    assert carried == expected


async def _calls(
    spans: Sequence[_Span], pauses: Sequence[float]
) -> tuple[list[set[int]], list[set[int]]]:
    """Which spans are open at each call, and which the caller carried."""
    now = 0.0
    with (
        patch.object(asyncio.get_running_loop(), "time", lambda: now),
        patch.object(clock, "_sources", [lambda: START + timedelta(seconds=now)]),
    ):
        auth, doctor = MemoryAuth(), new_id()
        patients = [new_id() for _ in spans]
        truth = auth.truth(
            DOCTOR,
            membership(doctor, WARD, ["doctor"]),
            *(
                access_grant(
                    doctor,
                    WARD,
                    patient,
                    starts_at=START + timedelta(seconds=span.begins),
                    life=timedelta(seconds=span.lasts),
                )
                for span, patient in zip(spans, patients, strict=True)
            ),
        )
        life = timedelta(minutes=15)
        token = auth.key.token(claims_of(doctor, WARD, expires_at=START + life))
        expected, carried = [], []
        for pause in pauses:
            now += pause
            prove(truth.state)
            caller = await truth.caller_of(token, bound=READ)
            carried.append({patients.index(grant.patient) for grant in caller.grants})
            expected.append({
                index
                for index, span in enumerate(spans)
                if span.begins <= now < span.begins + span.lasts
            })  # fmt: skip
        return expected, carried

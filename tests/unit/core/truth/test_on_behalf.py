"""A token on behalf of somebody: what both may do, at one server, for as long as both may."""

import asyncio

import pytest

from core.ids import new_id
from core.truth import Truth
from core.truth.refusals import AuthUnavailable, Unauthenticated
from tests.support.tokens import MemoryAuth, membership, role, subject_epoch, tell

READ, WRITE, FRESH = 10.0, 2.0, 0.0
WARD = new_id()
DOCTOR = role("doctor", ["clinical.patients.read", "clinical.patients.create"])
ACTING = role("acting", ["clinical.patients.read", "clinical.units.read"])
BOTH = {"clinical.patients.read"}


@pytest.fixture
def auth() -> MemoryAuth:
    return MemoryAuth()


def _truth(
    auth: MemoryAuth, service: str = "clinical", *, known: bool = False
) -> tuple[Truth, str]:
    """A truth, which may know both already, and a token by which one acts for the other."""
    doctor = auth.joins(None, WARD, "doctor")
    actor = auth.joins(None, None, "acting")
    both = (membership(doctor, WARD, ["doctor"]), membership(actor, None, ["acting"]))
    truth = auth.truth(DOCTOR, ACTING, *(both if known else ()), service=service)
    return truth, auth.token(doctor, WARD, actor=actor, audience="clinical")


@pytest.mark.parametrize("bound", [READ, WRITE, FRESH])
async def test_it_opens_what_both_may_do(auth: MemoryAuth, bound: float) -> None:
    """Neither what the service may not, nor what the doctor may not."""
    truth, token = _truth(auth)

    caller = await truth.caller_of(token, bound=bound)

    assert caller.permissions == BOTH
    assert (caller.roles, caller.organization) == (("doctor",), WARD)
    assert caller.actor is not None


async def test_it_is_good_at_one_server(auth: MemoryAuth) -> None:
    """Whoever is called with it cannot call others with it."""
    truth, token = _truth(auth, service="compliance")

    for bound in (READ, FRESH):
        with pytest.raises(Unauthenticated):
            await truth.caller_of(token, bound=bound)
    assert auth.hops == 0


async def test_both_are_asked_about_once(auth: MemoryAuth) -> None:
    """From then on the stream says what each of them holds."""
    truth, token = _truth(auth)
    actor = (await truth.caller_of(token, bound=READ)).actor
    assert actor is not None

    tell(truth.state, membership(actor, None, []))

    assert (await truth.caller_of(token, bound=READ)).permissions == frozenset()
    assert auth.hops == 1


async def test_the_end_of_the_actor_is_its_end(auth: MemoryAuth) -> None:
    """By the stream, and by the answer of auth."""
    truth, token = _truth(auth)
    actor = (await truth.caller_of(token, bound=READ)).actor
    assert actor is not None

    auth.dead.add(actor)
    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=FRESH)

    tell(truth.state, subject_epoch(actor, 2))
    with pytest.raises(Unauthenticated):
        await truth.caller_of(token, bound=READ)


@pytest.mark.parametrize(("bound", "age"), [(WRITE, 2.5), (READ, 10.5)])
async def test_past_the_bound_auth_knows_both(auth: MemoryAuth, bound: float, age: float) -> None:
    """A ceiling that was lowered while the stream was cut is as low here."""
    truth, token = _truth(auth, known=True)
    await truth.caller_of(token, bound=bound)
    auth.revision, auth.gives["acting"] = 2, frozenset({"clinical.units.read"})
    truth.state.proven_at = asyncio.get_running_loop().time() - age

    assert (await truth.caller_of(token, bound=bound)).permissions == frozenset()


async def test_it_does_not_go_on_without_auth(auth: MemoryAuth) -> None:
    """Declared reads do, for those who call by themselves."""
    truth, token = _truth(auth, known=True)
    await truth.caller_of(token, bound=READ)
    auth.reachable = False
    truth.state.proven_at = asyncio.get_running_loop().time() - 30.0

    with pytest.raises(AuthUnavailable):
        await truth.caller_of(token, bound=READ, continues=True)

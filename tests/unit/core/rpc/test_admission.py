"""How much is taken on at once, and how often an address may try a secret."""

import asyncio
from typing import Any

import pytest

from core.identity import ANONYMOUS, Caller, Kind
from core.ids import new_id
from core.rpc import admission as module
from core.rpc.admission import (
    CALLER_BURST,
    CALLER_RATE,
    CREDENTIAL_BURST,
    CREDENTIAL_RATE,
    FEWEST,
    LIMITS,
    MORE_EVERY,
    QUEUE_SECONDS,
    Admission,
    Overloaded,
)
from medhub.options.v1 import policy_pb2 as options

READ, WRITE = options.LOAD_CLASS_READ, options.LOAD_CLASS_WRITE
CREDENTIAL = options.LOAD_CLASS_CREDENTIAL


@pytest.fixture
async def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The loop's clock, held still: `time[0] += 1` is a second."""
    now = [1000.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    return now


def test_every_class_of_load_has_a_limit() -> None:
    """A class without one could not be served."""
    declared = set(options.LoadClass.values()) - {options.LOAD_CLASS_UNSPECIFIED}

    assert set(LIMITS) == declared


async def test_a_full_class_refuses_until_a_place_is_free() -> None:
    """And only that class."""
    admission = Admission({READ: 2, WRITE: 1})
    admission.enter(READ, "a")
    admission.enter(READ, "b")

    with pytest.raises(Overloaded):
        admission.enter(READ, "c")
    admission.enter(WRITE, "c")
    admission.leave(READ, 0.0)
    admission.enter(READ, "c")

    assert (admission.running(READ), admission.running(WRITE)) == (2, 1)


def _fill(admission: Admission, load: int) -> int:
    """Take every place that is left, and tell how many calls are in progress then."""
    while True:
        try:
            admission.enter(load, "a")
        except Overloaded:
            return admission.running(load)


async def test_fewer_reads_are_let_in_while_they_have_to_wait(time: list[float]) -> None:
    """Down to what keeps a server busy, and up again when they are fast; writes may take longer."""
    admission = Admission()
    at_first = [_fill(admission, READ), _fill(admission, WRITE)]

    for load in (READ, WRITE):
        for _ in range(at_first[0] - 1):
            time[0] += 10.0
            if admission.running(load):
                admission.leave(load, QUEUE_SECONDS + 0.1)
    slow = [_fill(admission, READ), _fill(admission, WRITE)]
    for _ in range(1000):
        time[0] += MORE_EVERY
        admission.leave(READ, 0.001)
        _fill(admission, READ)

    assert at_first == [LIMITS[READ], LIMITS[WRITE]]
    assert slow == [FEWEST, LIMITS[WRITE]]
    assert admission.running(READ) == LIMITS[READ]


async def test_an_address_that_tries_too_often_waits(time: list[float]) -> None:
    """A burst, then its share a second; another address is not held up."""
    admission = Admission()

    def attempts(peer: str, count: int) -> int:
        let_in = 0
        for _ in range(count):
            try:
                admission.enter(CREDENTIAL, peer)
            except Overloaded:
                continue
            else:
                admission.leave(CREDENTIAL, 0.0)
                let_in += 1
        return let_in

    assert attempts("1.1.1.1", 1000) == CREDENTIAL_BURST
    assert attempts("2.2.2.2", 10) == 10
    time[0] += 1
    assert attempts("1.1.1.1", 1000) == CREDENTIAL_RATE


async def test_who_fails_at_one_method_is_let_in_by_another(time: list[float]) -> None:
    """A backend that validates stale tokens shuts nobody behind its address out of logging in."""
    admission = Admission()
    admission.enter(CREDENTIAL, "10.0.0.1", "ValidateToken")
    for _ in range(int(CREDENTIAL_BURST)):
        admission.charge("10.0.0.1", "ValidateToken")

    with pytest.raises(Overloaded):
        admission.enter(CREDENTIAL, "10.0.0.1", "ValidateToken")
    admission.enter(CREDENTIAL, "10.0.0.1", "Login")


async def test_addresses_are_bounded(monkeypatch: pytest.MonkeyPatch, time: list[float]) -> None:
    """The one unseen for longest makes room."""
    monkeypatch.setattr(module, "MAX_ADDRESSES", 3)
    admission = Admission()

    for number in range(10):
        admission.enter(CREDENTIAL, f"10.0.0.{number}")

    assert list(admission._addresses._held) == [(f"10.0.0.{number}", "") for number in (7, 8, 9)]


async def test_a_server_that_stops_waits_for_the_last_call() -> None:
    """And for none when there is none."""
    admission = Admission()
    await admission.emptied()
    for _ in range(2):
        admission.enter(READ, "a")
    waiting: asyncio.Task[Any] = asyncio.create_task(admission.emptied())

    await asyncio.sleep(0)
    admission.leave(READ, 0.0)
    await asyncio.sleep(0)
    assert not waiting.done()
    admission.leave(READ, 0.0)

    async with asyncio.timeout(60):
        await waiting


async def test_guessing_is_slowed_before_honest_use() -> None:
    """A proof that fails costs an address as much as many that hold."""
    admission = Admission()

    def tries(*, failing: bool) -> int:
        peer = f"10.0.0.{int(failing)}"
        for number in range(1000):
            try:
                admission.enter(options.LOAD_CLASS_CREDENTIAL, peer)
            except Overloaded:
                return number
            admission.leave(options.LOAD_CLASS_CREDENTIAL, 0.0)
            if failing:
                admission.charge(peer, "")
        return 1000

    guessed, honest = tries(failing=True), tries(failing=False)

    assert guessed < 40
    assert honest >= 600


def _caller(**more: Any) -> Caller:
    return Caller(kind=Kind.USER, subject=new_id(), **more)


async def _calls(admission: Admission, caller: Caller) -> int:
    """How many calls a caller can make at once."""
    for made in range(20_000):
        try:
            admission.count(caller)
        except Overloaded:
            return made
    return 20_000


async def test_a_caller_who_makes_too_many_calls_waits(time: list[float]) -> None:
    """Others do not, nor do servers of the platform and callers of whom nothing is known."""
    admission, caller = Admission(), _caller()

    assert await _calls(admission, caller) == CALLER_BURST
    assert await _calls(admission, _caller()) == CALLER_BURST
    time[0] += 1.0
    assert await _calls(admission, caller) == CALLER_RATE
    assert await _calls(admission, _caller(service="clinical")) == 20_000
    assert await _calls(admission, ANONYMOUS) == 20_000


async def test_workers_divide_what_an_address_and_a_caller_may_do(time: list[float]) -> None:
    """All of them together let through as much as one alone, and each of them something."""
    caller = _caller()
    shares = [await _calls(Admission(workers=4), caller) for _ in range(4)]

    assert sum(shares) == CALLER_BURST
    crowd = Admission(workers=64)
    for _ in range(int(CREDENTIAL_BURST / 64)):
        crowd.enter(CREDENTIAL, "a", "m")
        crowd.leave(CREDENTIAL, 0.0)
    with pytest.raises(Overloaded):
        crowd.enter(CREDENTIAL, "a", "m")


async def test_callers_are_bounded(monkeypatch: pytest.MonkeyPatch, time: list[float]) -> None:
    """A flood of accounts costs no more memory than is stated."""
    monkeypatch.setattr(module, "MAX_CALLERS", 10)
    admission = Admission()

    for _ in range(100):
        admission.count(_caller())

    assert len(admission._callers._held) == 10

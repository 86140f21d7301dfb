"""Streams: let in like calls, and let go when their caller may no longer have them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest

from core import clock, identity
from core.ids import new_id
from core.rpc import live
from medhub.auth.v1 import auth_state_pb2 as wire
from tests.support.probe_server import Served, caller_id, thing, told_by
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
    tell,
)

DOWNLOAD = "medhub.probe.v1.ProbeService/Download"
UPLOAD = "medhub.probe.v1.ProbeService/Upload"
TALK = "medhub.probe.v1.ProbeService/Talk"


async def _count(request: Any) -> AsyncIterator[Any]:
    for number in range(request.number):
        yield thing(caller_id(), number)


async def _sum(requests: Any) -> Any:
    return thing(caller_id(), sum([request.number async for request in requests]))


async def _repeat(requests: Any) -> AsyncIterator[Any]:
    async for request in requests:
        yield request


async def _for_ever(requests: Any) -> AsyncIterator[Any]:
    yield thing("begun")
    async for request in requests:
        yield request
    await asyncio.sleep(60)


async def _silent() -> AsyncIterator[Any]:
    await asyncio.sleep(60)
    yield thing()


async def _end_of(call: Any) -> Any:
    """How a stream ends."""
    try:
        async with asyncio.timeout(60):
            while await call.read() is not grpc.aio.EOF:
                pass
    except grpc.aio.AioRpcError as error:
        return told_by(error)
    raise AssertionError("the stream ended well")


async def test_each_kind_of_stream_is_served(served: Served) -> None:
    """Down, up, and both ways."""
    served.servicer.download, served.servicer.upload = _count, _sum
    served.servicer.talk = _repeat
    token = served.token("doctor")

    down = [one.number async for one in served.start(DOWNLOAD, thing(number=4), token)]
    up = await served.start(UPLOAD, iter([thing(number=n) for n in (1, 2, 3)]), token)
    both = [one.text async for one in served.start(TALK, iter([thing("a"), thing("b")]), token)]

    assert (down, up.number, both) == ([0, 1, 2, 3], 6, ["a", "b"])


@pytest.mark.parametrize("method", [DOWNLOAD, UPLOAD, TALK])
async def test_streams_pass_the_same_steps(served: Served, method: str) -> None:
    """No token, no permission, no sense: each refused before the servicer is reached."""
    served.servicer.upload, served.servicer.talk = _sum, _repeat
    garbage = b"\xff\xff"

    async def refused(token: str | None) -> str:
        call = served.start(method, garbage if method == DOWNLOAD else iter([garbage]), token)
        try:
            await (call if method == UPLOAD else call.read())
        except grpc.aio.AioRpcError as error:
            return told_by(error).reason
        raise AssertionError("the stream was let in")

    assert await refused(None) == "UNAUTHENTICATED"
    assert await refused(served.token("visitor")) == "PERMISSION_DENIED"
    assert await refused(served.token("doctor")) == "MALFORMED_REQUEST"


async def test_a_thousand_streams_of_two_tenants_never_mix(served: Served) -> None:
    """Whoever is served at whatever moment of a stream, it is the one who opened it."""

    async def talk(requests: Any) -> AsyncIterator[Any]:
        mine = identity.caller()
        async for _ in requests:
            await asyncio.sleep(0.001)
            assert identity.caller() is mine
            yield thing(caller_id())

    served.servicer.talk = talk
    people = [(new_id(), new_id()) for _ in range(2)]
    tokens = [served.token("doctor", subject=who, organization=at) for at, who in people]

    async def one(number: int) -> list[str]:
        call = served.start(TALK, iter([thing(), thing()]), tokens[number % 2], timeout=60.0)
        return [answer.text async for answer in call]

    for _ in range(5):
        told = await asyncio.gather(*(one(number) for number in range(200)))
        expected = [f"{at}/{who}" for at, who in people]
        assert told == [[expected[number % 2]] * 2 for number in range(200)]


@pytest.mark.parametrize(
    "kind",
    [
        "session",
        "subject",
        "organization",
        "membership",
        "suspended",
        "membership epoch",
        "everybody",
        "key",
    ],
)
async def test_a_live_stream_is_cut_when_its_caller_is_revoked(served: Served, kind: str) -> None:
    """At once, with the advice to log in; a stream of somebody else goes on."""
    served.servicer.talk = _for_ever
    subject, session, elsewhere = new_id(), new_id(), new_id()
    token = served.token("doctor", subject=subject, session=session)
    mine = served.start(TALK, _silent(), token, timeout=None)
    # Of a revision and of a key that nothing here ends.
    served.auth.revision = 2
    newer = SigningKey()
    tell(served.truth.state, newer.event())
    place = served.auth.joins(None, elsewhere, "doctor")
    theirs = newer.token(claims_of(place, elsewhere, revision=2))
    tell(served.truth.state, membership(place, elsewhere, ["doctor"]))
    other = served.start(TALK, _silent(), theirs, timeout=None)
    assert (await mine.read()).text == (await other.read()).text == "begun"
    event = {
        "session": session_revoked(session),
        "subject": subject_epoch(subject, 2),
        "organization": organization_epoch(served.ward, 2),
        "membership": membership(subject, served.ward, ended=True),
        "suspended": organization_epoch(served.ward, 0, suspended=True),
        "membership epoch": membership_epoch(subject, served.ward, 2),
        "everybody": global_epoch(2),
        "key": served.auth.key.event(wire.KEY_STATE_REVOKED),
    }[kind]
    began = asyncio.get_running_loop().time()

    tell(served.truth.state, event)
    told = await _end_of(mine)

    assert (told.code, told.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    assert asyncio.get_running_loop().time() - began < 0.5
    assert len(served.steps.live) == 1
    other.cancel()


@pytest.mark.parametrize("how", ["membership", "role"])
async def test_a_live_stream_is_cut_when_the_permission_is_lost(served: Served, how: str) -> None:
    """Known, and no longer allowed."""
    served.servicer.talk = _for_ever
    subject = new_id()
    token = served.token("doctor", subject=subject)
    call = served.start(TALK, _silent(), token, timeout=None)
    assert (await call.read()).text == "begun"
    lost = membership(subject, served.ward, ["visitor"])

    tell(served.truth.state, lost if how == "membership" else role("doctor", ["a.b.c"]))

    assert (await _end_of(call)).reason == "PERMISSION_DENIED"


async def test_a_live_stream_ends_with_its_token(served: Served) -> None:
    """At the token's own end, without the skew."""
    served.servicer.talk = _for_ever
    soon = clock.now().replace(microsecond=0) + timedelta(seconds=2)
    call = served.start(TALK, _silent(), served.token("doctor", expires_at=soon), timeout=None)
    assert (await call.read()).text == "begun"

    told = await _end_of(call)

    assert told.reason == "UNAUTHENTICATED"
    assert abs((clock.now() - soon).total_seconds()) < 0.5


async def test_a_live_stream_does_not_outlive_the_truth(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the bound, with nobody to ask, what could not be opened cannot go on."""
    monkeypatch.setattr(live, "LOOK_AGAIN_SECONDS", 0.05)
    served.servicer.talk = _for_ever
    call = served.start(TALK, _silent(), served.token("doctor"), timeout=None)
    assert (await call.read()).text == "begun"

    served.auth.reachable = False
    served.truth.state.proven_at -= 60

    told = await _end_of(call)
    assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "AUTH_UNAVAILABLE")


async def test_a_stream_whose_cut_is_turned_into_something_else_is_cut_all_the_same(
    served: Served,
) -> None:
    """Code that was interrupted may raise what it likes; the caller hears why it was cut."""

    async def talk(_requests: Any) -> AsyncIterator[Any]:
        yield thing("begun")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ValueError("the connection is gone") from None

    served.servicer.talk = talk
    session = new_id()
    call = served.start(TALK, _silent(), served.token("doctor", session=session), timeout=None)
    assert (await call.read()).text == "begun"

    tell(served.truth.state, session_revoked(session))

    assert (await _end_of(call)).reason == "UNAUTHENTICATED"

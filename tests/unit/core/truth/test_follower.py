"""Following auth's stream over a real connection, through everything that can go wrong with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from core.ids import new_id
from core.truth import NotProven, State
from core.truth import follower as follower_module
from core.truth.follower import Follower, resolving
from core.truth.refusals import AuthUnavailable
from core.truth.truth import Truth
from medhub.auth.v1 import auth_state_pb2 as wire
from medhub.auth.v1 import auth_state_service_pb2 as service
from medhub.auth.v1 import auth_state_service_pb2_grpc as stubs
from tests.support.tokens import SigningKey, claims_of, role, session_revoked

KEY = SigningKey("k1", bytes(range(32)))
Session = Callable[["Line"], Awaitable[None]]


class Line:
    """The sender's end of one stream: what the follower asked, and ways to answer."""

    def __init__(self, requests: Any, context: Any) -> None:
        self._requests, self.context = requests, context
        self.from_revision = -1
        self.history = ""

    async def probe(self) -> int:
        """The number of the next probe."""
        request = await self._requests.__anext__()
        if self.from_revision < 0:
            self.from_revision, self.history = request.from_revision, request.history
        return int(request.probe)

    async def snapshot(
        self, revision: int, *events: wire.StateEvent, last: bool = True, history: str = ""
    ) -> None:
        part = wire.Snapshot(revision=revision, events=events, last=last, history=history)
        await self.context.write(service.WatchResponse(snapshot=part))

    async def delta(self, previous: int, revision: int, *events: wire.StateEvent) -> None:
        part = wire.Delta(previous_revision=previous, revision=revision, events=events)
        await self.context.write(service.WatchResponse(delta=part))

    async def checkpoint(self, revision: int, probe: int, history: str = "") -> None:
        part = wire.Checkpoint(revision=revision, probe=probe, history=history)
        await self.context.write(service.WatchResponse(checkpoint=part))

    async def answer_probes(self, revision: int) -> None:
        """Prove the revision for ever."""
        while True:
            await self.checkpoint(revision, await self.probe())


class ScriptedAuth(stubs.AuthStateServiceServicer):
    """Plays one session for each stream that is opened; the last one again and again."""

    def __init__(self, *sessions: Session) -> None:
        self._sessions = list(sessions)
        self.lines: list[Line] = []
        self.resolve: Callable[[Any], Awaitable[service.ResolvePrincipalResponse]] | None = None

    async def Watch(  # type: ignore[override]  # the reader and writer form of a handler
        self, request_iterator: Any, context: Any
    ) -> None:
        line = Line(request_iterator, context)
        self.lines.append(line)
        play = self._sessions.pop(0) if len(self._sessions) > 1 else self._sessions[0]
        await play(line)

    async def ResolvePrincipal(self, request: Any, context: Any) -> Any:
        assert self.resolve is not None
        return await self.resolve(context)


@asynccontextmanager
async def _auth(served: ScriptedAuth) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    stubs.add_AuthStateServiceServicer_to_server(served, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(0)


@asynccontextmanager
async def _following(*sessions: Session) -> AsyncIterator[tuple[State, ScriptedAuth]]:
    served, state = ScriptedAuth(*sessions), State()
    async with _auth(served) as channel:
        follower = Follower(state, channel)
        follower.start()
        try:
            yield state, served
        finally:
            await follower.stop()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the pauses of production, so that a test takes tenths of a second."""
    for name in ("PROBE_SECONDS", "SILENCE_SECONDS", "FIRST_PAUSE", "LAST_PAUSE"):
        monkeypatch.setattr(follower_module, name, getattr(follower_module, name) / 10)


async def _until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - the state has no event for every condition here
            await asyncio.sleep(0.005)


def _lag(state: State) -> float:
    return asyncio.get_running_loop().time() - state.proven_at


async def test_a_snapshot_deltas_and_proof_arrive() -> None:
    """The state is what auth says it is, and known to be fresh."""

    async def play(line: Line) -> None:
        probe = await line.probe()
        await line.snapshot(3, KEY.event(), last=False)
        await line.snapshot(3, role("doctor", ["a.b.c"]))
        await line.delta(3, 4, role("reader", ["a.b.d"]))
        await line.checkpoint(4, probe)
        await line.answer_probes(4)

    async with _following(play) as (state, served):
        await _until(lambda: state.revision == 4 and _lag(state) < 1)

        assert state.permissions(None, ["doctor", "reader"]) == {"a.b.c", "a.b.d"}
        assert served.lines[0].from_revision == 0


async def test_a_broken_stream_resumes_where_it_stood() -> None:
    """The whole is not asked for again when nothing was missed."""

    async def first(line: Line) -> None:
        await line.checkpoint(0, await line.probe())
        await line.snapshot(5, KEY.event())
        await line.context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

    async def second(line: Line) -> None:
        await line.probe()
        await line.delta(5, 6, role("doctor", ["a.b.c"]))
        await line.answer_probes(6)

    async with _following(first, second) as (state, served):
        await _until(lambda: state.revision == 6)

        assert [line.from_revision for line in served.lines] == [0, 5]


async def test_a_missing_event_is_noticed_and_all_is_asked_for_anew() -> None:
    """Meanwhile the state stays as it was, nothing proves it, and its age shows."""
    session = new_id()

    async def first(line: Line) -> None:
        probe = await line.probe()
        await line.snapshot(5, KEY.event())
        await line.checkpoint(5, probe)
        await line.delta(6, 7, session_revoked(session))
        await line.answer_probes(5)

    async def second(line: Line) -> None:
        probe = await line.probe()
        await line.delta(5, 6, role("late", ["a.b.c"]))
        await line.checkpoint(5, probe)
        await asyncio.sleep(60)

    async def third(line: Line) -> None:
        await line.probe()
        await line.snapshot(7, KEY.event(), session_revoked(session))
        await line.answer_probes(7)

    async with _following(first, second, third) as (state, served):
        await _until(lambda: state.revision == 7)

        assert [line.from_revision for line in served.lines] == [0, 0, 0]
        assert state.dead(claims_of(new_id(), kid="k1", session=session))
        assert state.roles == {}


async def test_a_revision_out_of_range_leads_to_a_snapshot() -> None:
    """Auth was restored to an earlier time: what it has now is the truth."""

    async def first(line: Line) -> None:
        await line.probe()
        await line.snapshot(9, KEY.event())
        await line.context.abort(grpc.StatusCode.UNAVAILABLE, "")

    async def second(line: Line) -> None:
        await line.probe()
        await line.context.abort(grpc.StatusCode.OUT_OF_RANGE, "")

    async def third(line: Line) -> None:
        await line.probe()
        await line.snapshot(4, KEY.event())
        await line.answer_probes(4)

    async with _following(first, second, third) as (state, served):
        await _until(lambda: state.revision == 4)

        assert [line.from_revision for line in served.lines] == [0, 9, 0]


async def test_silence_is_noticed_whatever_tcp_thinks() -> None:
    """A stream that says nothing is given up, and the lag has grown all the while."""

    async def silent(line: Line) -> None:
        await line.checkpoint(0, await line.probe())
        await line.snapshot(2, KEY.event())
        await asyncio.sleep(60)

    async def second(line: Line) -> None:
        await line.probe()
        await line.answer_probes(2)

    async with _following(silent, second) as (state, served):
        await _until(lambda: len(served.lines) == 2)
        assert _lag(state) > 0.4

        await _until(lambda: _lag(state) < 0.3)
        assert served.lines[1].from_revision == 2


async def test_a_delayed_checkpoint_does_not_look_fresh() -> None:
    """The age counts from the question, however late the answer is delivered."""

    async def slow(line: Line) -> None:
        probes = [await line.probe()]
        await line.snapshot(2, KEY.event())
        while True:
            probes.append(await line.probe())
            if len(probes) > 4:
                await line.checkpoint(2, probes.pop(0))

    async with _following(slow) as (state, _):
        await _until(lambda: state.proven_at > 0)

        assert _lag(state) >= 0.38


@pytest.mark.parametrize("probe", [0, 99, -1])
async def test_a_checkpoint_that_nobody_asked_for_proves_nothing(probe: int) -> None:
    """It may have been on its way for an hour."""

    async def unasked(line: Line) -> None:
        await line.probe()
        await line.snapshot(2, KEY.event())
        for _ in range(20):
            await line.checkpoint(2, probe)
            await asyncio.sleep(0.01)

    async with _following(unasked) as (state, _):
        await _until(lambda: state.revision == 2)
        await asyncio.sleep(0.1)

        assert state.proven_at == float("-inf")


async def test_a_checkpoint_of_another_history_means_that_auth_was_restored() -> None:
    """The revision may be the same or higher: the whole is asked for anew, whatever was applied."""

    async def before(line: Line) -> None:
        probe = await line.probe()
        await line.snapshot(5, KEY.event(), role("reader", ["a.b.c"]), history="one")
        await line.checkpoint(5, probe, "one")

    async def resumed(line: Line) -> None:
        probe = await line.probe()
        await line.checkpoint(5, probe, "two")
        await asyncio.sleep(60)

    async def after(line: Line) -> None:
        probe = await line.probe()
        await line.snapshot(7, KEY.event(), history="two")
        while True:
            await line.checkpoint(7, probe, "two")
            probe = await line.probe()

    async with _following(before, resumed, after) as (state, served):
        await _until(lambda: state.revision == 7 and _lag(state) < 1)

        told = [(line.from_revision, line.history) for line in served.lines]
        assert told == [(0, ""), (5, "one"), (0, "")]
        assert state.permissions(None, ["reader"]) == frozenset()


async def test_a_checkpoint_ahead_of_the_state_means_a_lost_event() -> None:
    """It proves nothing, and the whole is asked for anew: no later delta may come to show it."""

    async def ahead(line: Line) -> None:
        await line.snapshot(2, KEY.event())
        await line.answer_probes(3)

    async def second(line: Line) -> None:
        await line.snapshot(3, KEY.event())
        await line.answer_probes(3)

    async with _following(ahead, second) as (state, served):
        await _until(lambda: state.revision == 2)
        assert state.proven_at == float("-inf")
        await _until(lambda: state.revision == 3 and _lag(state) < 1)

        assert served.lines[1].from_revision == 0


async def test_what_cannot_be_applied_does_not_end_the_following() -> None:
    """A malformed event is followed by a snapshot, not by silence for ever."""

    async def broken(line: Line) -> None:
        await line.snapshot(2, KEY.event())
        event = wire.StateEvent(session_revoked=wire.SessionRevoked(session_id="no uuid"))
        await line.delta(2, 3, event)
        await asyncio.sleep(60)

    async def second(line: Line) -> None:
        await line.snapshot(3, KEY.event())
        await line.answer_probes(3)

    async with _following(broken, second) as (state, served):
        await _until(lambda: state.revision == 3 and _lag(state) < 1)

        assert len(served.lines) == 2


async def test_what_is_not_understood_is_asked_for_whole_until_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At once, then now and then; meanwhile the stream is followed, and nothing is proven."""
    monkeypatch.setattr(follower_module, "UNDERSTAND_SECONDS", 0.1)
    unread = wire.StateEvent.FromString(b"\x9a\x06\x00")

    async def first(line: Line) -> None:
        probe = await line.probe()
        await line.snapshot(1, KEY.event())
        await line.checkpoint(1, probe)
        await line.delta(1, 2, unread)
        await line.answer_probes(2)

    async def second(line: Line) -> None:
        await line.snapshot(2, KEY.event(), unread)
        await line.delta(2, 3, role("doctor", ["a.b.c"]))
        await line.answer_probes(3)

    async def third(line: Line) -> None:
        await line.probe()
        assert not state.understood
        assert (state.revision, state.proven_at) == (3, float("-inf"))
        await line.snapshot(4, KEY.event())
        await line.answer_probes(4)

    async with _following(first, second, third) as (state, served):
        await _until(lambda: state.revision == 4 and _lag(state) < 1)

        assert state.understood
        assert [line.from_revision for line in served.lines] == [0, 0, 0]


async def test_a_message_that_is_not_understood_is_not_passed_over() -> None:
    """Neither snapshot, nor delta, nor checkpoint: what it says may be what counts."""

    async def first(line: Line) -> None:
        await line.snapshot(1, KEY.event())
        await line.context.write(service.WatchResponse.FromString(b"\x9a\x06\x00"))
        await asyncio.sleep(60)

    async def second(line: Line) -> None:
        await line.probe()
        await line.snapshot(1, KEY.event())
        await line.answer_probes(1)

    async with _following(first, second) as (state, served):
        await _until(lambda: _lag(state) < 1)

        assert [line.from_revision for line in served.lines[1:]] == [0]


async def test_an_absent_auth_is_found_when_it_comes() -> None:
    """Alive and not ready until then."""
    state = State()
    async with grpc.aio.insecure_channel("127.0.0.1:1") as nowhere:
        follower = Follower(state, nowhere)
        follower.start()
        await asyncio.sleep(0.2)
        await follower.stop()

    assert state.revision == 0
    assert state.proven_at == float("-inf")


@pytest.mark.parametrize(
    ("code", "details", "expected"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, b"..TOKEN_INVALID..", NotProven),
        (grpc.StatusCode.INVALID_ARGUMENT, b"..TOKEN_INVALID..", NotProven),
        (grpc.StatusCode.UNAUTHENTICATED, b"..UNAUTHENTICATED..", AuthUnavailable),
        (grpc.StatusCode.PERMISSION_DENIED, b"", AuthUnavailable),
        (grpc.StatusCode.INTERNAL, b"", AuthUnavailable),
        (grpc.StatusCode.UNIMPLEMENTED, b"", AuthUnavailable),
    ],
)
async def test_only_auths_word_on_the_token_makes_it_dead(
    code: grpc.StatusCode, details: bytes, expected: type[Exception]
) -> None:
    """That this server itself was refused says nothing of the caller."""

    async def refuse(context: Any) -> service.ResolvePrincipalResponse:
        await context.abort(code, "", (("grpc-status-details-bin", details),))
        raise AssertionError

    served = ScriptedAuth(Line.answer_probes)  # type: ignore[arg-type]
    served.resolve = refuse
    async with _auth(served) as channel:
        resolve = resolving(channel)
        if expected is NotProven:
            with pytest.raises(NotProven):
                await resolve("token")
        else:
            token = KEY.token(claims_of(new_id()))
            state = State()
            state.apply_snapshot(wire.Snapshot(revision=1, events=[KEY.event()], last=True))
            with pytest.raises(AuthUnavailable):
                await Truth(state, resolve).caller_of(token, bound=2.0)

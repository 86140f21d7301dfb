"""What goes wrong inside stays inside, and no caller is left waiting."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import psycopg
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest

from core.database import Database
from core.database.access import AccessRecorder
from core.errors import NotFound, Refusal
from core.rpc.admission import LIMITS
from core.telemetry.logs import JsonLines
from core.telemetry.traces import Traces
from medhub.options.v1 import policy_pb2 as options
from tests.support.frozen import OWN_BACKEND, ice
from tests.support.postgres import ServiceDatabase
from tests.support.probe_server import Served, serving, thing, told_by

ASK = "medhub.probe.v1.ProbeService/Ask"
TALK = "medhub.probe.v1.ProbeService/Talk"
CANARY = "Durand-Nightingale-1820"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that any logger of the process writes, as a server writes it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines("probe"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


class _Quoting(Refusal):
    """A refusal that carries what it must not."""

    reason = "NOT_FOUND"


class _Undeclared(Refusal):
    """A reason that no contract declares."""

    reason = "NOBODY_DECLARED_THIS"


def _plain(_ward: ServiceDatabase) -> None:
    raise ValueError(f"no such patient: {CANARY}")


def _chained(_ward: ServiceDatabase) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as inner:
        raise RuntimeError(f"while reading {CANARY}") from inner


def _implicit(_ward: ServiceDatabase) -> None:
    try:
        raise LookupError(CANARY)
    except LookupError:
        raise OSError(2, CANARY, CANARY)  # noqa: B904 - the implicit chain is what is tested


def _postgres(ward: ServiceDatabase) -> None:
    with psycopg.connect(ward.admin_url) as connection:
        connection.execute("SELECT %s::uuid", (CANARY,))


def _group(_ward: ServiceDatabase) -> None:
    raise ExceptionGroup(CANARY, [ValueError(CANARY)])


def _exit(_ward: ServiceDatabase) -> None:
    raise SystemExit(CANARY)


def _aborted(_ward: ServiceDatabase) -> None:
    raise grpc.aio.AbortError(CANARY)


def _usage(_ward: ServiceDatabase) -> None:
    raise grpc.aio.UsageError(CANARY)


def _undeclared(_ward: ServiceDatabase) -> None:
    raise _Undeclared(metadata={CANARY: CANARY})


def _untellable(_ward: ServiceDatabase) -> None:
    raise _Quoting(retry_after=CANARY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fault",
    [
        _plain, _chained, _implicit, _postgres, _group, _exit, _aborted, _usage, _undeclared,
        _untellable,
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", [ASK, TALK])
async def test_no_text_of_a_fault_gets_out(
    recorder: AccessRecorder,
    ward: ServiceDatabase,
    logged: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    fault: Any,
    method: str,
) -> None:
    """Neither in status, trailer, log, metric nor trace: INTERNAL, and a number for the log."""
    exporter = InMemorySpanExporter()
    traces = Traces("probe", exporter)
    sampled = (("traceparent", "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"),)

    async def ask(_request: Any) -> Any:
        fault(ward)

    async def talk(requests: Any) -> AsyncIterator[Any]:
        async for request in requests:
            fault(ward)
            yield request

    async with serving(recorder, traces=traces) as served:
        served.servicer.ask, served.servicer.talk = ask, talk
        token = served.token("doctor")
        if method == ASK:
            call = served.call(ASK, thing(CANARY), token, metadata=sampled)
        else:
            call = served.start(TALK, iter([thing(CANARY)]), token, metadata=sampled).read()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        told = told_by(refused.value)
    # A server that has stopped has noted every call; before that the answer may be here first.
    lines, metrics = served.log(), generate_latest(served.steps.metrics.registry).decode()
    traces._provider.force_flush()
    spans: tuple[ReadableSpan, ...] = exporter.get_finished_spans()
    traces.close()

    assert (told.code, told.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "INTERNAL" in lines
    assert "INTERNAL" in metrics
    assert len(spans) == 1
    captured = capfd.readouterr()
    heard = [told.trailers, told.message, lines, metrics, *(span.to_json() for span in spans)]
    for place in (*heard, logged.getvalue(), captured.out, captured.err):
        assert CANARY not in place
    if fault not in (_undeclared, _untellable):
        assert told.metadata["incident"] in logged.getvalue()
        assert fault.__name__ in logged.getvalue()


async def test_metadata_that_a_reason_does_not_document_is_left_out(served: Served) -> None:
    """A refusal cannot carry more than the contract says."""

    async def ask(_request: Any) -> Any:
        raise NotFound(metadata={"name": CANARY})

    served.servicer.ask = ask

    told = await served.refused(ASK, thing(), served.token("doctor"))

    assert (told.code, told.metadata) == (grpc.StatusCode.NOT_FOUND, {})
    assert CANARY not in told.trailers


async def test_what_a_forgotten_task_says_is_not_logged(logged: io.StringIO) -> None:
    """asyncio shows the exception of a task that nobody awaited; we show where it came from."""

    async def fail() -> None:
        raise ValueError(CANARY)

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    context = {"message": "Task exception was never retrieved", "future": task}
    loop.call_exception_handler({**context, "exception": task.exception()})

    assert "never retrieved" in logged.getvalue()
    assert "fail" in logged.getvalue()
    assert CANARY not in logged.getvalue()


@pytest.mark.parametrize("method", [ASK, TALK])
async def test_a_handler_that_raises_cancelled_leaves_nobody_waiting(
    served: Served, method: str
) -> None:
    """The caller did not give up, so it is an outage of ours."""

    async def ask(_request: Any) -> Any:
        raise asyncio.CancelledError

    async def talk(_requests: Any) -> AsyncIterator[Any]:
        for _ in range(1):
            raise asyncio.CancelledError
        yield

    served.servicer.ask, served.servicer.talk = ask, talk
    token = served.token("doctor")

    if method == ASK:
        call = served.call(ASK, thing(), token, timeout=None)
    else:
        call = served.start(TALK, iter([thing()]), token, timeout=None).read()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_handler_that_takes_too_long_is_stopped(served: Served) -> None:
    """At the ceiling of the policy, though the caller would wait for ever."""
    ended: list[str] = []

    async def ask(_request: Any) -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    served.servicer.ask = ask

    told = await served.refused(ASK, thing(), served.token("doctor"), timeout=None)

    assert (told.code, told.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    assert ended == ["cleaned up"]


@pytest.mark.parametrize("asks", [True, False])
async def test_a_frozen_database_does_not_keep_the_answer(
    served: Served, db: Database, asks: bool
) -> None:
    """The deadline of the policy ends the call with its reason, well before its caller leaves."""
    with ice() as cold:

        async def ask(_request: Any) -> Any:
            async with db.begin() as tx:
                row = await tx.one(OWN_BACKEND)
                assert row is not None
                cold.freeze(row.pid)
                if asks:
                    await tx.one(OWN_BACKEND)
                await asyncio.sleep(60)

        served.servicer.ask = ask

        told = await served.refused(ASK, thing(), served.token("doctor"), timeout=6)

    assert (told.code, told.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


async def test_the_callers_own_deadline_stops_the_handler(served: Served) -> None:
    """Nobody works on for a caller who has gone."""
    ended = asyncio.Event()

    async def ask(_request: Any) -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    served.servicer.ask = ask

    told = await served.refused(ASK, thing(), served.token("doctor"), timeout=0.1)

    assert told.code is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(60):
        await ended.wait()


@pytest.mark.parametrize("method", [ASK, TALK])
async def test_a_caller_that_gives_up_ends_the_handler(served: Served, method: str) -> None:
    """Its place is free again, and the log says who ended it."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def ask(_request: Any) -> Any:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def talk(requests: Any) -> AsyncIterator[Any]:
        yield await ask(requests)

    served.servicer.ask, served.servicer.talk = ask, talk
    request = thing() if method == ASK else iter([thing()])
    call = served.start(method, request, served.token("doctor"))
    waiting = asyncio.ensure_future(call.read() if method == TALK else call.code())
    async with asyncio.timeout(60):
        await begun.wait()
        call.cancel()
        await ended.wait()
        await served.steps.admission.emptied()
    await asyncio.gather(waiting, return_exceptions=True)

    assert '"code":"CANCELLED"' in served.log()
    assert len(served.steps.live) == 0


async def test_a_full_server_says_when_to_come_back(recorder: AccessRecorder) -> None:
    """While other classes of load, and health, are answered."""
    limits = {**LIMITS, options.LOAD_CLASS_WRITE: 2}
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def ask(request: Any) -> Any:
        begun.release()
        await go_on.wait()
        return request

    async with serving(recorder, limits=limits) as served:
        served.servicer.ask = ask
        token = served.token("doctor")
        held = [asyncio.ensure_future(served.call(ASK, thing(), token)) for _ in range(2)]
        await asyncio.gather(begun.acquire(), begun.acquire())

        told = await served.refused(ASK, thing(), token)

        assert (told.code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert told.retry_after == pytest.approx(0.2)
        health: Any = served.channel.unary_unary("/grpc.health.v1.Health/Check")
        assert await health(b"", timeout=15) == b"\x08\x01"
        go_on.set()
        await asyncio.gather(*held)
        assert await served.call(ASK, thing(), token)

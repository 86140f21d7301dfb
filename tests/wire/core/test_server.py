"""The server around the calls: health, reflection, its port, and its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from core.database.access import AccessRecorder
from core.rpc import health as health_module
from core.rpc.health import Health
from core.rpc.server import Server
from core.starting import CannotStart
from tests.support.probe_server import (
    PATIENTS,
    PROBE,
    Served,
    Servicer,
    serving,
    settings_with,
    thing,
    told_by,
)

ASK = "medhub.probe.v1.ProbeService/Ask"
TALK = "medhub.probe.v1.ProbeService/Talk"
REFLECT = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
ENDS_OF_A_DRAIN = (
    grpc.StatusCode.OK,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
)


async def _health(served: Served, service: str = "") -> int:
    check: Any = served.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    return int((await check(health_pb2.HealthCheckRequest(service=service), timeout=15)).status)


def _watch(served: Served, service: str = "") -> Any:
    watch: Any = served.channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    return watch(health_pb2.HealthCheckRequest(service=service))


async def _reflected(served: Served, token: str | None) -> list[str]:
    reflect: Any = served.channel.stream_stream(
        REFLECT,
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    call = reflect(iter([asked]), metadata=metadata, timeout=5)
    answer = await call.read()
    return [service.name for service in answer.list_services_response.service]


async def test_health_is_told_by_name_and_follows_its_conditions(
    recorder: AccessRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each service, and the server as a whole; a condition that breaks counts as not holding."""
    monkeypatch.setattr(health_module, "CHECK_EVERY", 0.02)
    holds: list[bool | Exception] = [False]

    async def condition() -> bool:
        if isinstance(holds[0], Exception):
            raise holds[0]
        return holds[0]

    async with serving(recorder, conditions={"it": condition}) as served:
        watch = _watch(served, PROBE)
        assert (await watch.read()).status == NOT_SERVING

        holds[0] = True
        assert (await watch.read()).status == SERVING
        assert [await _health(served, name) for name in ("", PATIENTS, PROBE)] == [SERVING] * 3

        holds[0] = ValueError("the condition broke")
        assert (await watch.read()).status == NOT_SERVING
        holds[0] = True
        assert (await watch.read()).status == SERVING
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await _health(served, "medhub.nothing.v1.Nothing")
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
        watch.cancel()


async def test_reflection_is_for_callers_with_a_token(served: Served) -> None:
    """Any token will do; without one nothing is shown."""
    assert PATIENTS in await _reflected(served, served.token("visitor"))

    for token in (None, "x.y.z"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _reflected(served, token)
        assert told_by(refused.value).reason == "UNAUTHENTICATED"


@pytest.mark.parametrize(("setting", "shown"), [("open", True), ("off", False)])
async def test_reflection_is_as_set(recorder: AccessRecorder, setting: str, shown: bool) -> None:
    """Open to all under development, or not there."""
    async with serving(recorder, reflection=setting) as served:
        if shown:
            assert PROBE in await _reflected(served, None)
        else:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await _reflected(served, served.token("doctor"))
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_two_servers_do_not_share_a_port(served: Served) -> None:
    """The second does not start, unless workers are meant to share."""
    with pytest.raises(CannotStart):
        Server(
            settings_with(listen=f"127.0.0.1:{served.server.port}"),
            {PROBE: Servicer()},
            served.steps,
            Health((), {}),
        )


async def test_a_worker_takes_the_port_it_shares_when_it_can_serve(
    recorder: AccessRecorder, free_port: int
) -> None:
    """Until then the callers of the port are led to the workers that can."""
    shared: dict[str, Any] = {"listen": f"127.0.0.1:{free_port}", "so_reuseport": True}
    holds = False

    async def condition() -> bool:
        return holds

    async def answered() -> None:
        async with serving(recorder, conditions={"it": condition}, **shared) as served:
            assert served.server.port == free_port
            assert await _health(served) == SERVING

    worker = asyncio.create_task(answered())
    await asyncio.sleep(0.5)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", free_port)
    holds = True

    async with asyncio.timeout(60):
        await worker


async def test_a_worker_that_never_could_serve_stops(recorder: AccessRecorder) -> None:
    """It has no callers to wait for, and no port to give back."""
    async with serving(recorder) as served:
        settings = settings_with(so_reuseport=True)
        worker = Server(settings, {}, served.steps, Health((), {}))
        starting = asyncio.create_task(worker.start())
        await asyncio.sleep(0)

        starting.cancel()
        async with asyncio.timeout(60):
            await worker.stop()

    assert worker.port == 0


async def test_no_call_fails_while_the_server_stops(recorder: AccessRecorder) -> None:
    """Calls in progress end well; health is told first, and those that come later find nobody."""
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def ask(request: Any) -> Any:
        begun.release()
        if request.number:
            await go_on.wait()
        return request

    async with serving(recorder, drain_seconds=0.2) as served:
        served.servicer.ask = ask
        token = served.token("doctor")
        watch = _watch(served)
        while (await watch.read()).status != SERVING:
            pass
        held = [asyncio.ensure_future(served.call(ASK, thing("held", 1), token)) for _ in range(20)]
        for _ in held:
            await begun.acquire()

        stopping = asyncio.ensure_future(served.server.stop())
        assert (await watch.read()).status == NOT_SERVING
        assert (await served.call(ASK, thing("still let in"), token)).text == "still let in"
        await asyncio.sleep(0.4)
        late = await served.refused(ASK, thing("late"), token)
        assert not stopping.done()
        go_on.set()

        assert [answer.text for answer in await asyncio.gather(*held)] == ["held"] * 20
        assert late.code is grpc.StatusCode.UNAVAILABLE
        async with asyncio.timeout(60):
            await stopping


async def test_calls_that_keep_coming_end_well_or_never_begin(recorder: AccessRecorder) -> None:
    """Whoever is not answered while a server stops may call again: nothing was done half way.

    CANCELLED is grpc's own, for what comes while it tells a connection to go.
    """
    begun = 0

    async def ask(request: Any) -> Any:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0.005)
        return request

    async with serving(recorder, drain_seconds=0.1) as served:
        served.servicer.ask = ask
        token = served.token("doctor")
        codes: list[grpc.StatusCode] = []

        async def keep_calling() -> None:
            while not codes or codes[-1] is grpc.StatusCode.OK:
                try:
                    await served.call(ASK, thing(), token)
                    codes.append(grpc.StatusCode.OK)
                except grpc.aio.AioRpcError as error:
                    codes.append(error.code())

        calling = [asyncio.ensure_future(keep_calling()) for _ in range(8)]
        await asyncio.sleep(0.1)
        await served.server.stop()
        await asyncio.gather(*calling)

    assert set(codes) <= set(ENDS_OF_A_DRAIN)
    assert begun == codes.count(grpc.StatusCode.OK)


async def test_streams_are_told_to_go_elsewhere(recorder: AccessRecorder) -> None:
    """They do not hold the server to the end of its grace, nor does who watches health."""

    async def talk(_requests: Any) -> AsyncIterator[Any]:
        yield thing("begun")
        await asyncio.sleep(60)

    async with serving(recorder) as served:
        served.servicer.talk = talk
        watch = _watch(served)
        await watch.read()
        call = served.start(TALK, iter([thing()]), served.token("doctor"), timeout=None)
        assert (await call.read()).text == "begun"

        async with asyncio.timeout(60):
            await served.server.stop()

        with pytest.raises(grpc.aio.AioRpcError) as cut:
            await call.read()
        assert told_by(cut.value).reason == "UNAVAILABLE"
        assert told_by(cut.value).retry_after == pytest.approx(0.1)


async def test_as_much_metadata_as_the_edge_lets_in_is_read(served: Served) -> None:
    """gRPC alone would refuse it from 8 KiB on, in its own words."""

    async def echo(request: Any) -> Any:
        return request

    served.servicer.ask = echo
    long = tuple((f"x-{number}", "y" * 950) for number in range(34))

    answer = await served.call(ASK, thing("a"), served.token("doctor"), metadata=long)
    told = await served.refused(ASK, thing("a"), "t" * 20_000)

    assert answer == thing("a")
    assert (told.code, told.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")

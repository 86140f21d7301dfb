"""What the edge adds to a call: JSON through Envoy against gRPC straight to the server."""

from functools import partial

from benchmarks import http_load
from benchmarks.figures import Effort, Found, Line, Section, Target
from benchmarks.load import carry_out, plan
from benchmarks.patients import GET, readings
from benchmarks.processes import Meter
from benchmarks.stage import Stage
from hub.ports import HOST, Port
from medhub.clinical.v1 import patient_service_pb2

_IN_FLIGHT = 16
_MICRO = 1e6
_CLIENTS = (
    "The two clients are not the same: the HTTP client of this benchmark costs less than the gRPC"
    " client, so the added p50 looks smaller than Envoy's own part of it."
)


def measure(stage: Stage, effort: Effort) -> Section:
    """Measure both ways, launch by launch."""
    payloads, found = readings(stage, 50), Found()
    for _ in range(effort.launches):
        stage.relaunch("clinical")
        stage.relaunch("envoy")
        found.launch(partial(_launch, stage, effort, payloads, found))
    return _section(found)


def _launch(stage: Stage, effort: Effort, payloads: list[bytes], found: Found) -> None:
    token, calls = stage.session().token, effort.calls(5_000, 300)
    names = [patient_service_pb2.GetPatientRequest.FromString(one).name for one in payloads]
    edge, direct = stage.layout.ports[Port.EDGE], stage.running.grpc["clinical"]

    def by_json(calls: int, connections: int) -> http_load.Plan:
        paths = [f"/clinical/v1/{name}" for name in names]
        return http_load.Plan(HOST, edge, paths, token, calls, connections)

    http_load.carry_out(by_json(calls // 5, _IN_FLIGHT))
    with Meter({"envoy": stage.cpu("envoy"), "server": stage.cpu("clinical")}) as json:
        http_load.carry_out(by_json(calls, _IN_FLIGHT))
    with Meter({"server": stage.cpu("clinical")}) as grpc:
        carry_out(plan(direct, GET, payloads, calls=calls, in_flight=_IN_FLIGHT, token=token))
    few = effort.calls(1_500, 150)
    alone = http_load.carry_out(by_json(few, 1))
    straight = carry_out(plan(direct, GET, payloads, calls=few, in_flight=1, token=token))
    found.add(
        envoy=json.used["envoy"] / calls * _MICRO,
        by_json=json.used["server"] / calls * _MICRO,
        by_grpc=grpc.used["server"] / calls * _MICRO,
        p50=alone.p50,
        p99=alone.p99,
        straight_p50=straight.p50,
        straight_p99=straight.p99,
    )


def _section(found: Found) -> Section:
    server = found["by_grpc"]
    lines = [
        Line(
            "Envoy CPU a JSON call", found["envoy"], "µs", "the server's own",
            found["envoy"].over(server), Target(200, "µs"),
        ),
        Line("server CPU a call, straight", server, "µs"),
        Line(
            "server CPU a call, through the edge", found["by_json"], "µs", "straight",
            found["by_json"].over(server),
        ),
        Line("p50 alone, straight by gRPC", found["straight_p50"], "ms"),
        Line(
            "p50 alone, JSON through the edge", found["p50"], "ms", "straight",
            found["p50"].over(found["straight_p50"]),
        ),
        Line(
            "p50 that the edge adds", found["p50"].less(found["straight_p50"]), "ms",
            target=Target(0.6, "ms"),
        ),
        Line(
            "p99 alone, JSON through the edge", found["p99"], "ms", "straight",
            found["p99"].over(found["straight_p99"]),
        ),
    ]  # fmt: skip
    return Section(
        "The edge",
        f"GetPatient as JSON over HTTP/1.1 connections that stay open ({_IN_FLIGHT}, then one),"
        " through Envoy, against the same by gRPC straight to the server. The server's CPU holds"
        " what carries records to the trail, on both sides.",
        lines,
        [_CLIENTS, *found.notes()],
    )

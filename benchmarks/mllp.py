"""HL7 messages over MLLP to their acknowledgement, at `stored` and at `processed`.

One gateway process, several senders that pipeline. At `stored` an acknowledgement leaves when
the message is durable and processing follows; at `processed` when its effects are committed.
"""

from functools import partial
from itertools import count
from secrets import token_hex

from google.protobuf.field_mask_pb2 import FieldMask

from benchmarks.figures import Effort, Found, Line, Section, Target
from benchmarks.load import Outcome
from benchmarks.mllp_load import Plan, carry_out
from benchmarks.processes import Meter
from benchmarks.stage import ADMINISTRATOR, Stage
from hub.demo import messages as hl7
from medhub.clinical.v1 import hl7_pb2, hl7_v2_service_pb2, hl7_v2_service_pb2_grpc

_CONNECTIONS = 4
_WINDOW = 50
_MICRO = 1e6
_MARK = "@NUMBER@"
_NUMBERS = count(1)
_RUN = token_hex(3).upper()
_POINTS = {
    "stored": hl7_pb2.ACK_POINT_STORED,
    "processed": hl7_pb2.ACK_POINT_PROCESSED,
}


def measure(stage: Stage, effort: Effort) -> Section:
    """Measure both points, launch by launch; the endpoint ends as it was."""
    found = Found()
    before = _endpoint(stage).ack_point
    try:
        for _ in range(effort.launches):
            for point, messages in (("stored", (6_000, 300)), ("processed", (1_500, 100))):
                found.launch(partial(_launch, stage, point, effort.calls(*messages), found))
    finally:
        _set_point(stage, before)
    return _section(found)


def _launch(stage: Stage, point: str, messages: int, found: Found) -> None:
    _set_point(stage, _POINTS[point])
    for part in ("clinical", "gateway"):
        stage.relaunch(part)
    _send(stage, max(messages // 5, 50))
    stage.settle()
    sources = {part: stage.cpu(part) for part in ("gateway", "clinical", "postgres")}
    with Meter(sources) as answering:
        done = _send(stage, messages)
    settling = stage.settle()
    found.add(
        **{f"{point}_rate": messages / done.seconds},
        **{f"{point}_p50": done.p50, f"{point}_p99": done.p99},
        **{f"{point}_{part}": used / messages * _MICRO for part, used in answering.used.items()},
        **{f"{point}_through": messages / (done.seconds + settling)},
    )


def _send(stage: Stage, messages: int) -> Outcome:
    first = next(_NUMBERS) * 1_000_000
    return carry_out(
        Plan(
            stage.running.mllp_host, stage.running.mllp_port, _template(), first, messages,
            _CONNECTIONS, _WINDOW, _RUN,
        )
    )  # fmt: skip


def _template() -> str:
    """ADT^A28: a new person with each message."""
    somebody = hl7.Patient(_MARK, f"VERDIER{_MARK}", "Alice", "19800512", "F")
    return hl7.new_identity(somebody, _MARK, hl7.now()).decode()


def _stub(stage: Stage) -> hl7_v2_service_pb2_grpc.Hl7V2ServiceStub:
    return hl7_v2_service_pb2_grpc.Hl7V2ServiceStub(stage.channel("clinical"))


def _endpoint(stage: Stage) -> hl7_pb2.Hl7Endpoint:
    name = stage.layout.data.gateway.read_text().strip()
    listed: hl7_v2_service_pb2.ListEndpointsResponse = stage.session(ADMINISTRATOR).call(
        _stub(stage).ListEndpoints, hl7_v2_service_pb2.ListEndpointsRequest(page_size=200)
    )
    return next(one for one in listed.hl7_endpoints if one.name == name)


def _set_point(stage: Stage, point: hl7_pb2.AckPoint) -> None:
    endpoint = _endpoint(stage)
    endpoint.ack_point = point
    request = hl7_v2_service_pb2.UpdateEndpointRequest(
        hl7_endpoint=endpoint, update_mask=FieldMask(paths=["ack_point"])
    )
    stage.session(ADMINISTRATOR).call(_stub(stage).UpdateEndpoint, request)


def _section(found: Found) -> Section:
    lines = [
        Line(
            "stored, messages a second", found["stored_rate"], "/s", "processed",
            found["stored_rate"].over(found["processed_rate"]),
            Target(1_500, "/s", at_most=False),
        ),
        Line("processed, messages a second", found["processed_rate"], "/s"),
        Line(
            "stored and then processed and in the trail, messages a second",
            found["stored_through"], "/s", "stored",
            found["stored_through"].over(found["stored_rate"]),
        ),
    ]  # fmt: skip
    for value, unit in (("p50", "ms"), ("p99", "ms"), ("gateway", "µs"), ("clinical", "µs")):
        mine, theirs = found[f"stored_{value}"], found[f"processed_{value}"]
        what = f"{value} to the acknowledgement" if unit == "ms" else f"{value} CPU a message"
        lines += [
            Line(f"stored, {what}", mine, unit),
            Line(f"processed, {what}", theirs, unit, "stored", theirs.over(mine)),
        ]
    lines.append(Line("stored, PostgreSQL CPU a message", found["stored_postgres"], "µs"))
    return Section(
        "MLLP to the acknowledgement",
        f"ADT^A28 messages of new people through one gateway process, {_CONNECTIONS} connections"
        f" with {_WINDOW} messages in flight each. Every acknowledgement is checked: AA, and of a"
        " message that waits. CPU is counted until the last acknowledgement.",
        lines,
        found.notes(),
    )

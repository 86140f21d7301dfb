"""The audit trail: events from the outbox to a signed checkpoint.

Records of access are put into the clinical outbox while compliance is paused; the figure is how
fast they are numbered, sealed, sent, hashed into the log and under a signed checkpoint.
"""

import json
import time
from datetime import UTC, datetime
from uuid import UUID

import jwt
import psycopg

from benchmarks.figures import Effort, Found, Line, Section
from benchmarks.patients import readings
from benchmarks.processes import Meter
from benchmarks.stage import ADMINISTRATOR, Stage
from hub.demo.calls import Session
from hub.services import Service
from medhub.clinical.v1 import patient_service_pb2
from medhub.compliance.v1 import audit_service_pb2

_MICRO = 1e6
_AT_ONCE = 1_000
_LOOK_EVERY = 0.02
_PATIENCE_SECONDS = 240.0


def measure(stage: Stage, effort: Effort) -> Section:
    """Measure it, launch by launch."""
    found = Found()
    names = [
        patient_service_pb2.GetPatientRequest.FromString(one).name
        for one in readings(stage, effort.calls(200, 10))
    ]
    patients = [UUID(name.removeprefix("patients/")) for name in names]
    for _ in range(effort.launches):
        for part in ("compliance", "clinical"):
            stage.relaunch(part)
        _launch(stage, effort, patients, found)
    return _section(found)


def _launch(stage: Stage, effort: Effort, patients: list[UUID], found: Found) -> None:
    events = effort.calls(20_000, 500)
    _insert(stage, patients, len(patients))
    stage.settle()
    reader = stage.session(ADMINISTRATOR)
    wanted = _size(stage, reader) + events
    sources = {part: stage.cpu(part) for part in ("clinical", "compliance", "postgres")}
    with Meter(sources) as meter:
        with stage.paused("compliance"):
            _insert(stage, patients, events)
        began = time.monotonic()
        while stage.owes("clinical") or _size(stage, reader) < wanted:
            if time.monotonic() - began > _PATIENCE_SECONDS:
                raise TimeoutError("the events do not reach the trail")
            time.sleep(_LOOK_EVERY)
        seconds = time.monotonic() - began
    found.add(
        rate=events / seconds,
        **{part: used / events * _MICRO for part, used in meter.used.items()},
    )


def _insert(stage: Stage, patients: list[UUID], events: int) -> None:
    """Put access records into the outbox, as the server's recorder does."""
    claims = jwt.decode(stage.session().token, options={"verify_signature": False})
    with psycopg.connect(
        stage.layout.database(Service.CLINICAL).app, autocommit=True
    ) as connection:
        for first in range(0, events, _AT_ONCE):
            records = [
                _record(claims, patients[number % len(patients)])
                for number in range(first, min(first + _AT_ONCE, events))
            ]
            connection.execute("SELECT medhub.append_access(%s::jsonb)", (json.dumps(records),))


def _record(claims: dict[str, str], patient: UUID) -> dict[str, object]:
    return {
        "organization_id": claims["org"],
        "occurred_at": datetime.now(UTC).isoformat(),
        "kind": "access",
        "context": {
            "actor": claims["sub"], "actor_kind": "user", "session": None,
            "method": "medhub.clinical.v1.PatientService/GetPatient",
            "action": "clinical.patients.read", "purpose": "care", "trace": "0" * 32,
            "peer": "127.0.0.1", "on_behalf": None,
        },
        "entity": "patients", "operation": "read", "subject": str(patient),
        "subject_kind": "patient", "resource": f"patients/{patient}", "detail": {},
    }  # fmt: skip


def _size(stage: Stage, reader: Session) -> int:
    """How many events the newest signed checkpoint covers."""
    asked = audit_service_pb2.GetCheckpointRequest()
    return int(reader.call(stage.clients.audit.GetCheckpoint, asked).tree_size)


def _section(found: Found) -> Section:
    lines = [Line("events a second, to the checkpoint", found["rate"], "/s")]
    server = found["clinical"]
    lines.append(Line("CPU an event, the clinical server: number, seal, send", server, "µs"))
    for part, what in (
        ("compliance", "compliance: check, hash, sign"),
        ("postgres", "PostgreSQL, both databases"),
    ):
        ratio = found[part].over(server)
        lines.append(Line(f"CPU an event, {what}", found[part], "µs", "the clinical server", ratio))
    return Section(
        "From the outbox to the signed checkpoint",
        "Access records of 200 people stand in the clinical outbox; the clock runs from the moment"
        " compliance may take them until a signed checkpoint covers the last.",
        lines,
    )

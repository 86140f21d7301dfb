"""Killing any one process loses nothing that was acknowledged and leaves nothing unaudited."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from hub.data_dir import DataDir
from hub.demo import messages
from hub.layout import Layout
from hub.services import Service
from medhub.event.v1.audit_event_pb2 import ClearPart
from tests.support.campaign import SEED, WHOLE
from tests.support.mixed_load import Load, load
from tests.support.whole import MEDHUB, Whole, up

pytestmark = [pytest.mark.timeout(900), pytest.mark.campaign]
MESSAGES = 2000
# A random moment of the sending: it takes a few seconds.
LATEST_KILL_SECONDS = 3.0
# What was acknowledged reaches the trail within this time, however loaded the machine.
CATCH_UP_SECONDS = 120.0
VICTIMS = (
    "gateway", "clinical", "compliance", "analytics", "auth", "billing", "postgres", "envoy",
)  # fmt: skip
_MARKS = {
    "gateway": "clinical.gateway",
    "clinical": "clinical",
    "compliance": "compliance",
    "analytics": "analytics",
    "auth": "auth",
    "billing": "billing",
}
_ANY_EVENT: LiteralString = "SELECT 1 FROM medhub.audit_outbox LIMIT 1"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One platform, which heals between the tests."""
    with up(tmp_path_factory.mktemp("kill") / "medhub") as started:
        yield started


def victims() -> list[str]:
    """All of them in a campaign; else one, drawn by a seed that a failure shows."""
    chosen = list(VICTIMS) if WHOLE else [random.Random(SEED).choice(VICTIMS)]
    return [f"{name}-{SEED}" for name in chosen]


@pytest.mark.parametrize("victim", victims())
def test_a_killed_process_loses_nothing(whole: Whole, tmp_path: Path, victim: str) -> None:
    """2,000 messages are sent and people work while one process is killed with -9: all of it is
    there once, and in the trail.
    """
    name, _, seed = victim.partition("-")
    moment = random.Random(int(seed)).uniform(0.2, LATEST_KILL_SECONDS)
    run = f"{name[0].upper()}{time.time_ns() % 1_000_000}"
    file = tmp_path / "messages.hl7"
    at = messages.now()
    people = [
        messages.Patient(f"{run}-{n}", "PETIT", "Zoé", "19900101", "F") for n in range(MESSAGES)
    ]
    file.write_bytes(b"".join(messages.new_identity(p, f"{run}-{p.ipp}", at) for p in people))

    with load(whole) as people_at_work:
        sending = subprocess.Popen(
            [MEDHUB, "hl7", "send", str(file), "--host", whole.running.mllp_host,
             "--port", str(whole.running.mllp_port)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        time.sleep(moment)
        killed = _pid_of(whole, name)
        os.kill(killed, signal.SIGKILL)
        output, _ = sending.communicate(timeout=300)

    assert sending.returncode == 0, f"seed {SEED}: {output}"
    assert _ingested(whole, run) == MESSAGES, f"seed {SEED}"
    _until_audited(whole)
    _assert_kept(whole, people_at_work)
    _until_counted(whole)
    verified = whole.medhub("audit", "verify")
    assert verified.returncode == 0, f"seed {SEED}: {verified.stdout}{verified.stderr}"


def _layout(whole: Whole) -> Layout:
    return Layout.found(DataDir.at(whole.data_dir))


def _pid_of(whole: Whole, name: str) -> int:
    """The process of a part, below this platform's supervisor."""
    if name == "postgres":
        lock = DataDir.at(whole.data_dir).postgres
        pid_file = next(p for p in lock.rglob("postmaster.pid"))
        return int(pid_file.read_text().split()[0])
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            argv = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        module = argv[argv.index(b"-m") + 1].decode() if b"-m" in argv[:-1] else ""
        found = module == _MARKS.get(name) or (name == "envoy" and b"envoy" in argv[0])
        if found and parent == whole.running.pid:
            return int(entry.name)
    raise AssertionError(f"{name} does not run")


def _rows(whole: Whole, service: Service, sql: LiteralString, *values: object) -> list[Any]:
    """Rows of a service's database, as the superuser sees it."""
    url = _layout(whole).admin_url().rpartition("/")[0] + f"/medhub_{service}"
    with closing(psycopg.connect(url, autocommit=True, connect_timeout=20)) as connection:
        return connection.execute(sql, values).fetchall()


def _ingested(whole: Whole, run: str) -> int:
    counted = _rows(
        whole, Service.CLINICAL,
        "SELECT count(DISTINCT patient_id) FROM hl7_message WHERE control_id LIKE %s"
        " AND state = 'PROCESSED'", f"{run}-%",
    )  # fmt: skip
    return int(counted[0][0])


def _assert_kept(whole: Whole, worked: Load) -> None:
    """What people were told was done is there once, and what they were shown is in the trail."""
    assert worked.wrong == [], f"seed {SEED}"
    assert worked.created, f"seed {SEED}: nobody could work"
    found = _rows(
        whole, Service.CLINICAL, "SELECT 'patients/' || id FROM patient WHERE birth_name LIKE %s",
        f"{worked.prefix}%",
    )  # fmt: skip
    assert sorted(name for (name,) in found) == sorted(worked.created), f"seed {SEED}"
    shown = [e for e in _told(whole, "clinical") if e.method.endswith("/GetPatient")]
    assert len(shown) >= len(worked.shown), f"seed {SEED}"
    log_ins = [e for e in _told(whole, "auth") if e.method.endswith("/Login")]
    assert len(log_ins) >= worked.sessions, f"seed {SEED}"


def _told(whole: Whole, source: str) -> list[ClearPart]:
    """Every event of a service in the trail, once its outbox is empty."""
    _until_empty(whole, Service(source))
    rows = _rows(
        whole, Service.COMPLIANCE, "SELECT clear FROM audit_event WHERE source = %s", source
    )
    return [ClearPart.FromString(clear) for (clear,) in rows]


def _until_empty(whole: Whole, service: Service, anything: LiteralString = _ANY_EVENT) -> None:
    """A relay catches up with what a service has left for it."""
    until = time.monotonic() + CATCH_UP_SECONDS
    while _rows(whole, service, anything):
        assert time.monotonic() < until, f"seed {SEED}: a queue of {service} does not empty"
        time.sleep(0.5)


def _until_audited(whole: Whole) -> None:
    """Every row of a patient has its one event of insertion in the trail."""
    told = _told(whole, "clinical")
    patients = _rows(whole, Service.CLINICAL, "SELECT count(*) FROM patient")[0][0]
    inserted = [e for e in told if (e.entity, e.operation) == ("patient", "insert")]
    assert len(inserted) == patients, f"seed {SEED}"


def _until_counted(whole: Whole) -> None:
    """Every row of a patient is counted once."""
    _until_empty(whole, Service.CLINICAL, "SELECT 1 FROM medhub.fact_outbox LIMIT 1")
    patients = _rows(whole, Service.CLINICAL, "SELECT count(*) FROM patient")[0][0]
    counted = _rows(
        whole, Service.ANALYTICS,
        "SELECT sum(count) FROM figure WHERE series = 'clinical.patient.insert'",
    )  # fmt: skip
    assert counted[0][0] == patients, f"seed {SEED}"

"""Twice as many calls as a service can answer: it answers nearly as many as it can, and says to the
others when to come back.

Phases of just enough load and of too much follow one another, and each is compared with those
around it: whatever else the machine does meets both, and one phase that it disturbs decides
nothing.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, median

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.patients import readings
from benchmarks.run import run_module
from benchmarks.stage import Stage
from hub.data_dir import DataDir
from medhub.clinical.v1 import patient_service_pb2 as patients
from tests.support.campaign import WHOLE, told
from tests.support.flood import Flood, Outcome
from tests.support.whole import up

pytestmark = [pytest.mark.timeout(900), pytest.mark.campaign]
# Seconds of just enough load, and of too much; and how often both follow one another.
JUST_ENOUGH, TOO_MUCH = (5.0, 20.0) if WHOLE else (2.0, 3.0)
ROUNDS = 3 if WHOLE else 4
TIMES = 2.0
# As many in flight as keep one server busy.
IN_FLIGHT = 32
CONNECTIONS = 16
# By itself; beside other tests, which take the cores as they please, a collapse alone shows.
LEAST_SHARE = 0.8 if WHOLE else 0.5
# How much larger a server may be after the flood than after its first round.
MOST_GROWTH_KIB = 48 * 1024
HEALTH_SECONDS = 10.0
_LOOK_EVERY = 0.25


@dataclass
class Health:
    """What the server and the edge said of their health, asked again and again."""

    stage: Stage
    said: Counter[str] = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Ask until told to stop, and note the size of the server."""
        pid = self.stage.pid("clinical")
        stub = health_pb2_grpc.HealthStub(self.stage.channel("clinical"))
        while not self._stop.wait(_LOOK_EVERY):
            try:
                answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=HEALTH_SECONDS)
                name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
            except grpc.RpcError as error:
                name = str(error.code())
            self.said[name] += 1
            self.sizes.append(_resident(pid))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch for the length of a block."""
        thread = threading.Thread(target=self.watch)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])


def _flood(stage: Stage) -> Flood:
    """Reads of patients by REST, each of which leaves a record before it is answered."""
    names = [patients.GetPatientRequest.FromString(one).name for one in readings(stage, 50)]
    one_round = [
        {"seconds": JUST_ENOUGH, "in_flight": IN_FLIGHT},
        {"seconds": TOO_MUCH, "times": TIMES},
    ]
    return Flood(
        port=int(stage.running.http.rpartition(":")[2]),
        headers={
            ":method": "GET",
            ":scheme": "http",
            ":authority": "edge",
            "authorization": f"Bearer {stage.session().token}",
        },
        paths=[f"/clinical/v1/{name}" for name in names],
        connections=CONNECTIONS,
        # The first round warms up.
        phases=[*one_round, *(one_round * ROUNDS), one_round[0]],
    )


def test_a_service_that_is_asked_too_much_answers_what_it_can(tmp_path: Path) -> None:
    """Goodput keeps to four fifths of the peak at least; every refusal is RESOURCE_EXHAUSTED with
    RetryInfo; health answers, and the server does not grow.
    """
    with up(tmp_path):
        stage = Stage(DataDir.at(tmp_path))
        health = Health(stage)
        flood = _flood(stage)

        with health.watched():
            outcomes = [Outcome(**o) for o in run_module("tests.support.flood", asdict(flood))]

        stage.close()
    peaks, floods = outcomes[2::2], outcomes[3::2]
    shares = [_share(*three) for three in zip(peaks, floods, peaks[1:], strict=False)]
    share = median(shares)
    told(f"{share:.2f} of the peak, {shares}: {[o.ended for o in floods]}")
    _assert_refused_well(floods)
    assert share >= LEAST_SHARE, outcomes
    _assert_answered(health.said)
    _assert_flat(health.sizes)


def _share(before: Outcome, flood: Outcome, after: Outcome) -> float:
    """How much of what was answered before and after it a flood leaves."""
    return flood.answered / mean((before.answered, after.answered))


def _assert_refused_well(floods: list[Outcome]) -> None:
    """Nothing but answers and refusals that say when to come back; and there were such."""
    ended = sum((Counter(o.ended) for o in floods), Counter[str]())
    assert set(ended) <= {"200", "429", "LATE"}, ended
    assert ended["429"], "nobody was refused: it was not too much"


def _assert_answered(said: Counter[str]) -> None:
    """Health always answered, and hardly ever that a condition was looked at too late."""
    assert set(said) <= {"SERVING", "NOT_SERVING"}, said
    assert said["SERVING"] >= 0.9 * said.total(), said


def _assert_flat(sizes: list[int]) -> None:
    """From a third of the time on, when all that is kept has been filled."""
    third = len(sizes) // 3
    assert max(sizes[third:]) - sizes[third] < MOST_GROWTH_KIB, sizes

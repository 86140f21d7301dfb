"""Who calls and whether they may: what it costs inside a server, and how often auth is asked."""

import urllib.request

from benchmarks.figures import Effort, Found, Line, Section, Target
from benchmarks.load import carry_out, plan, warm_up
from benchmarks.patients import GET, readings
from benchmarks.run import run_module
from benchmarks.stage import Stage
from hub.ports import Port
from hub.services import Service

_IN_FLIGHT = 16


def measure(stage: Stage, effort: Effort) -> Section:
    """Measure it, launch by launch."""
    found, payloads = Found(), readings(stage, 20)
    env = stage.layout.environment(Service.CLINICAL)
    for _ in range(effort.launches):
        told = {"token": stage.session().token, "calls": effort.calls(200_000, 5_000)}
        proof = run_module("benchmarks.cached_check", told, env=env)
        found.add(p50=proof["p50"], p99=proof["p99"], mean=proof["mean"], hops=proof["hops"])
        stage.relaunch("clinical")
        found.add(**_hops(stage, effort, payloads))
    return _section(found)


def _hops(stage: Stage, effort: Effort, payloads: list[bytes]) -> dict[str, float]:
    """Questions that a live server asked of auth, for a new principal and then for its calls."""
    target, token = stage.running.grpc["clinical"], stage.session().token
    calls = effort.calls(5_000, 200)
    before = _asked(stage)
    warm_up(plan(target, GET, payloads, calls=100, in_flight=_IN_FLIGHT, token=token))
    warm = _asked(stage)
    carry_out(plan(target, GET, payloads, calls=calls, in_flight=_IN_FLIGHT, token=token))
    return {"first": warm - before, "steady": (_asked(stage) - warm) / calls * 100}


def _asked(stage: Stage) -> float:
    """The clinical server's own count of questions asked of auth."""
    url = f"http://{stage.layout.address(Port.CLINICAL_METRICS)}/metrics"
    with urllib.request.urlopen(url) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(one.split()[1] for one in lines if one.startswith("medhub_auth_hops ")))


def _section(found: Found) -> Section:
    lines = [
        Line(
            "proof and permission of a known token, p50", found["p50"], "µs",
            target=Target(100, "µs"),
        ),
        Line(
            "proof and permission of a known token, p99", found["p99"], "µs", "p50",
            found["p99"].over(found["p50"]), Target(1_000, "µs"),
        ),
        Line("proof and permission of a known token, mean", found["mean"], "µs"),
        Line("questions asked of auth for a principal seen first", found["first"], ""),
        Line(
            "questions asked of auth in 100 calls, steady state", found["steady"], "",
            target=Target(0.5, ""),
        ),
    ]  # fmt: skip
    return Section(
        "Who calls, and may they",
        "The server's own parts prove the token of GetPatient against the streamed state and hold"
        " it against the policy. The questions are those that a live clinical server counts.",
        lines,
    )

"""What is counted, and under which labels."""

from prometheus_client import generate_latest

from core.telemetry.metrics import Metrics


def test_calls_are_counted_by_method_and_code() -> None:
    """And timed by method; a gauge is read when it is scraped."""
    metrics, lag = Metrics(), [1.5]
    metrics.gauge("medhub_lag_seconds", "Lag.", lambda: lag[0])
    for code in ("OK", "OK", "NOT_FOUND"):
        metrics.ended("a.v1.A/Get", code, 0.003)
    lag[0] = 2.5

    told = generate_latest(metrics.registry).decode()

    assert 'medhub_calls_total{code="OK",method="a.v1.A/Get"} 2.0' in told
    assert 'medhub_calls_total{code="NOT_FOUND",method="a.v1.A/Get"} 1.0' in told
    assert 'medhub_call_seconds_bucket{le="0.005",method="a.v1.A/Get"} 3.0' in told
    assert "medhub_lag_seconds 2.5" in told

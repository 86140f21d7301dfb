"""A span of a sampled call."""

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core.telemetry.traces import Traces, new_trace_id, to_collector


def test_a_span_joins_its_callers_trace() -> None:
    """Under the caller's span, as long as the call was."""
    exporter = InMemorySpanExporter()
    traces = Traces("probe", exporter)

    traces.record("a.v1.A/Get", "OK", "ab" * 16, "cd" * 8, 0.25)
    traces.close()

    (span,) = exporter.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert (span.name, span.context.trace_id) == ("a.v1.A/Get", int("ab" * 16, 16))
    assert span.parent.span_id == int("cd" * 8, 16)
    assert (span.end_time or 0) - (span.start_time or 0) == 250_000_000


def test_without_a_collector_nothing_is_traced() -> None:
    """And every call still has an id of its own."""
    assert to_collector("probe", "") is None
    assert len({new_trace_id() for _ in range(100)}) == 100

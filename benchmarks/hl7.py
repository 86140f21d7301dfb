"""The HL7 parser against python-hl7, as a scenario of the whole run."""

from benchmarks.figures import Effort, Line, Section, Series
from benchmarks.hl7_parse import SIDES, rate, samples


def measure(effort: Effort) -> Section:
    """Measure every sort of message, side by side."""
    seconds = 0.05 if effort.quick else 0.3
    lines = []
    for name, raw in samples().items():
        rates: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(effort.launches):
            for side, work in SIDES.items():
                rates[side].append(rate(work, raw, seconds))
        theirs, lazy, whole = (Series.of(rates[side]) for side in ("python-hl7", "lazy", "whole"))
        lines += [
            Line(f"{name}: used fields and ACK", lazy, "/s", "python-hl7", lazy.over(theirs)),
            Line(f"{name}: read whole and ACK", whole, "/s", "python-hl7", whole.over(theirs)),
        ]
    return Section(
        "Reading HL7 v2",
        "Messages a second of CPU time. On both sides a message is parsed, four fields are read and"
        " an ACK is built; read whole means charset, checks and every mapped value besides.",
        lines,
    )

"""The lazy HL7 v2 parser against python-hl7, side by side.

    python benchmarks/hl7_parse.py [--rounds 9] [--seconds 0.3]

For each message, both sides do the work of receiving it: parse, read PID-3.1, PID-5.1, PID-7 and
PV1-3.1, and build an ACK. A third figure is the whole reading: charset, checks, domain values
and ACK. Rounds are interleaved, so that a busy machine slows all alike; the figure is the
median of the rounds, in messages per second of CPU time.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import hl7

from clinical.domain.ins import TenantKind
from clinical.formats.hl7v2.ack import Issue, Verdict, application_ack
from clinical.formats.hl7v2.header import Header
from clinical.formats.hl7v2.message import Message
from clinical.formats.hl7v2.reader import Terms
from clinical.formats.hl7v2.reading import read
from tests.support import hl7_messages as messages

Work = Callable[[bytes], object]
ISSUE = Issue("MH-0001", datetime(2026, 3, 1, tzinfo=UTC))
TERMS = Terms(tenant=TenantKind.TEST)


def samples() -> dict[str, bytes]:
    """Messages of two kinds and two sizes."""
    padding = messages.joined([f"ZFV|{'x' * 60}|{number}|a^b^c|d~e~f" for number in range(90)])
    results = [
        messages.obx(number, "NM", messages.GLUCOSE, f"{number}.4", unit="mmol/L^^UCUM", flags="N")
        for number in range(1, 61)
    ]
    admission = messages.adt("A01", messages.ANNE_WITH_INS)
    kin = messages.joined(
        [
            f"NK1|{number}|MARTIN^LUCIE^^^^^L|MTH|1 RUE DE LA PAIX^^PARIS^^75002^FRA^H"
            f"|^PRN^PH^^33^1^555||{'|' * 20}C^Contact^99KIN"
            for number in range(1, 6)
        ]
    )
    texts = {
        "ADT, short": admission,
        "ADT": admission + kin,
        "ORU": messages.oru(results[:9]),
        "ADT with Z-segments": admission + padding,
        "ORU, 60 OBX": messages.oru(results),
    }
    return {f"{name}, {len(text) / 1000:.1f} KB": text.encode() for name, text in texts.items()}


def lazily(raw: bytes) -> object:
    """Our parser: used fields and ACK."""
    message = Message(raw.decode())
    used = [message.text(path) for path in ("PID-3.1", "PID-5.1", "PID-7", "PV1-3.1")]
    return used, application_ack(Header.of(raw), Verdict.ACCEPTED, (), ISSUE)


def wholly(raw: bytes) -> object:
    """Our parser and readers: everything mapped is read and checked, and an ACK built."""
    reading = read(raw, TERMS)
    ack = application_ack(reading.header, reading.verdict, reading.findings, ISSUE)
    assert reading.content is not None
    return ack


def by_python_hl7(raw: bytes) -> object:
    """The `hl7` package: the same fields, and its own ACK."""
    message = hl7.parse(raw.decode())
    used = [
        message.extract_field("PID", 1, 3, 1, 1),
        message.extract_field("PID", 1, 5, 1, 1),
        message.extract_field("PID", 1, 7),
        message.extract_field("PV1", 1, 3, 1, 1),
    ]
    return used, str(message.create_ack("AA"))


SIDES: dict[str, Work] = {"python-hl7": by_python_hl7, "lazy": lazily, "whole": wholly}


def rate(work: Work, raw: bytes, seconds: float) -> float:
    """Messages per second of CPU time, over a run of about that many seconds."""
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        for _ in range(20):
            work(raw)
        done += 20
    return done / spent


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="The lazy HL7 v2 parser against python-hl7.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.3)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {options.rounds} rounds")
    print(
        f"{'message':28}{'python-hl7':>12}{'lazy':>12}{'whole':>12}{'lazy/hl7':>10}{'whole/hl7':>11}"
    )
    for name, raw in samples().items():
        rounds: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(options.rounds):
            for side, work in SIDES.items():
                rounds[side].append(rate(work, raw, options.seconds))
        theirs, lazy, whole = (statistics.median(rounds[side]) for side in SIDES)
        print(
            f"{name:28}{theirs:>10,.0f}/s{lazy:>10,.0f}/s{whole:>10,.0f}/s"
            f"{lazy / theirs:>9.0f}x{whole / theirs:>10.1f}x"
        )


if __name__ == "__main__":
    main()

"""Readings of built messages, on the terms of a test tenant."""

from clinical.domain.hl7 import PatientEvent
from clinical.domain.ins import TenantKind
from clinical.formats.hl7v2.reader import Terms
from clinical.formats.hl7v2.reading import Reading, read

TERMS = Terms(tenant=TenantKind.TEST)


def reading_of(text: str, terms: Terms = TERMS) -> Reading:
    """A message's text, read from its UTF-8 bytes."""
    return read(text.encode(), terms)


def event_of(text: str, terms: Terms = TERMS) -> PatientEvent:
    """The event that a message is; the test fails, showing the findings, if it is none."""
    reading = reading_of(text, terms)
    assert isinstance(reading.content, PatientEvent), reading.findings
    return reading.content


def rules_of(reading: Reading) -> list[str]:
    """The ids of the rules that a message breaks, in order."""
    return [finding.rule for finding in reading.findings]

"""Events as relays send them: checked for what the log needs, kept as the bytes they are."""

from datetime import UTC
from uuid import UUID

from google.protobuf.message import DecodeError

from compliance.domain.arrivals import Arrival
from core.errors import InvalidField
from medhub.event.v1.audit_event_pb2 import ClearPart, EventKind, SealedEvent

MAX_CLEAR = 8 * 1024
"""Bytes. A bundle of 256 leaves then fits into one gRPC message of 4 MiB, and leaves are small."""


def arrival_from_proto(source: str, place: int, event: SealedEvent) -> Arrival:
    """The event at a place of a batch. Raises InvalidField."""
    field = f"events[{place}].clear"
    clear = _parsed(event.clear, field)
    if clear.source != source or clear.source_seq < 1:
        raise InvalidField(field=field, rule="source")
    if clear.kind not in EventKind.values() or not clear.kind or "\0" in clear.method:
        raise InvalidField(field=field, rule="clear_part")
    try:
        return Arrival(
            organization=_canonical(clear.organization_id),
            event_id=_canonical(clear.event_id),
            source=clear.source,
            source_seq=clear.source_seq,
            occurred_at=clear.occurred_time.ToDatetime(tzinfo=UTC),
            kind=int(clear.kind),
            method=clear.method,
            subject_ref=_canonical(clear.subject_ref) if clear.subject_ref else None,
            actor_ref=_canonical(clear.actor_ref) if clear.actor_ref else None,
            clear=event.clear,
            sealed=event.sealed,
        )
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule="clear_part") from None


def same_event(held: bytes, arriving: bytes) -> bool:
    """Whether a clear part that arrives repeats the one held.

    Equal bytes, or equal but for references that the repeat lacks: when a person's key was
    destroyed between the two sendings, the relay can no longer learn their reference.
    """
    if held == arriving:
        return True
    first, second = ClearPart.FromString(held), ClearPart.FromString(arriving)
    for reference in ("subject_ref", "actor_ref"):
        if not getattr(second, reference):
            first.ClearField(reference)
    return first == second


def _parsed(clear: bytes, field: str) -> ClearPart:
    if len(clear) > MAX_CLEAR:
        raise InvalidField(field=field, rule="max_bytes")
    try:
        return ClearPart.FromString(clear)
    except DecodeError:
        raise InvalidField(field=field, rule="clear_part") from None


def _canonical(text: str) -> UUID:
    """The UUID of its one spelling. Raises ValueError."""
    value = UUID(text)
    if str(value) != text:
        raise ValueError("a UUID has one spelling")
    return value

"""The parts of an event, made from a row of the outbox.

The clear part names nobody. It is made from the row and the references alone, the same way each
time, so that an event which is sent twice is recognised. What ties a sealed part to its event,
so that it cannot be moved to another, is shared with compliance, which opens it.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.contract.paths import KINDS
from core.database.outbox import Entry
from medhub.event.v1.audit_event_pb2 import ActorPart, ClearPart, EventKind, Outcome, SubjectPart

MAX_TEXT = 200
"""Characters of a word in clear (a method, a purpose); the contract's own are far shorter."""

MAX_FIELDS = 100
"""Fields named in clear: more than any of our tables has. With MAX_FIELD, within 8 KiB."""

MAX_FIELD = 63
"""Bytes: the longest name that PostgreSQL gives a column."""

MAX_JSON = 4 * 1024 * 1024
"""Bytes of values before or after; of a larger one only the size is kept, so that it passes."""

EVENT_KINDS = {
    "change": EventKind.EVENT_KIND_CHANGE,
    "access": EventKind.EVENT_KIND_ACCESS,
    "refusal": EventKind.EVENT_KIND_REFUSAL,
    "act": EventKind.EVENT_KIND_ACT,
}
# A caller is a `service` where a subject is a `service_account`.
_COLLECTIONS = {"service": "serviceAccounts", **{kind: name for name, kind in KINDS.items()}}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Part(StrEnum):
    """The two sealed parts of an event."""

    SUBJECT = "subject"
    ACTOR = "actor"


def associated(part: Part, *, event_id: str, organization: str, key: str) -> bytes:
    """The associated data of one part: which event, whose, and under which key."""
    return f"medhub/audit/{part}/{event_id}/{organization}/{key}".encode()


def subject_of(entry: Entry) -> str:
    """The resource name of the person concerned; empty for none."""
    return "" if entry.subject is None else _name(entry.subject_kind, entry.subject)


def actor_of(entry: Entry) -> str:
    """The resource name of whoever acted; empty when nobody was known."""
    actor = entry.context.get("actor")
    return _name(str(entry.context.get("actor_kind")), actor) if actor else ""


def clear_part(entry: Entry, source: str, *, subject_ref: str, actor_ref: str) -> ClearPart:
    """What anybody who may verify the log can read of an event."""
    context, detail = entry.context, _detail(entry)
    part = ClearPart(
        event_id=str(entry.id),
        organization_id=str(entry.organization_id),
        source=source,
        source_seq=entry.source_seq,
        kind=EVENT_KINDS[entry.kind],
        method=_word(context.get("method")),
        action=_word(entry.operation if entry.kind == "act" else context.get("action")),
        outcome=_outcome(entry, detail),
        purpose=_word(context.get("purpose")),
        entity=_word(entry.entity),
        operation=_word(entry.operation if entry.kind == "change" else ""),
        fields=_fields(entry, detail),
        subject_ref=subject_ref,
        actor_ref=actor_ref,
        break_glass=detail.get("break_glass") is True,
        auth_degraded=context.get("auth_degraded") is True,
        count=_count(detail),
    )
    part.occurred_time.FromDatetime(entry.occurred_at.astimezone(UTC))
    return part


def subject_part(entry: Entry) -> SubjectPart:
    """About whom, and what."""
    if entry.kind == "change":
        before, after = _json(entry.before), _json(entry.after)
        return SubjectPart(
            subject=subject_of(entry), resource=entry.resource, before=before, after=after
        )
    return SubjectPart(
        subject=subject_of(entry), resource=entry.resource, detail=_json(entry.after)
    )


def forgotten_subject_part() -> SubjectPart:
    """In place of what was about a person who is forgotten: neither name, nor thing, nor value."""
    return SubjectPart(detail='{"forgotten":true}')


def actor_part(entry: Entry) -> ActorPart:
    """Who acted, and from where."""
    context = entry.context
    session = context.get("session")
    return ActorPart(
        actor=actor_of(entry),
        on_behalf=_acting(entry),
        session=f"sessions/{session}" if session else "",
        peer=str(context.get("peer") or ""),
        trace=str(context.get("trace") or ""),
    )


def forgotten_actor_part(entry: Entry) -> ActorPart:
    """In place of an actor who is forgotten: what is nobody's, the trace and the service."""
    return ActorPart(on_behalf=_acting(entry), trace=str(entry.context.get("trace") or ""))


def _acting(entry: Entry) -> str:
    """The service account that acted on behalf of the actor; empty when none did."""
    acting = entry.context.get("on_behalf")
    return _name("service", acting) if acting else ""


def _name(kind: str, person: UUID | str) -> str:
    return f"{_COLLECTIONS.get(kind, kind + 's')}/{person}"


def _detail(entry: Entry) -> Mapping[str, Any]:
    """What an access, a refusal or an act says of itself; a change has values there."""
    return {} if entry.kind == "change" else entry.after or {}


def _outcome(entry: Entry, detail: Mapping[str, Any]) -> Outcome:
    refused = entry.kind == "refusal" or detail.get("outcome", "OK") != "OK"
    return Outcome.OUTCOME_REFUSED if refused else Outcome.OUTCOME_SUCCESS


def _fields(entry: Entry, detail: Mapping[str, Any]) -> list[str]:
    named: Iterable[object] = detail.get("fields") or detail.get("categories") or ()
    if entry.kind == "change":
        named = {*(entry.before or {}), *(entry.after or {})}
    # Bytes count: 100 fields of 63 bytes stay within what a leaf may hold.
    words = [str(field).encode()[:MAX_FIELD].decode(errors="ignore") for field in named]
    return sorted(words)[:MAX_FIELDS]


def _count(detail: Mapping[str, Any]) -> int:
    count = detail.get("count", 1)
    return count if isinstance(count, int) and 0 < count < 2**63 else 1


def _word(value: object) -> str:
    """A word in clear. A NUL, which PostgreSQL does not take in a text, is left out."""
    return str(value or "").replace("\0", "")[:MAX_TEXT]


def _json(values: Mapping[str, Any] | None) -> str:
    if not values:
        return ""
    text = _encode(values)
    size = len(text.encode())
    return text if size <= MAX_JSON else _encode({"left_out_bytes": size})

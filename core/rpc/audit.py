"""The record of access: durable before the answer leaves.

Subjects come from the field paths of the method's policy. Many calls share one flush. When it
fails, so does the call: an unaudited read does not happen.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from google.protobuf.message import Message

from core.contract import Method
from core.contract.paths import person_of, values_at
from core.database.access import AccessRecord
from core.errors import Refusal
from core.identity import Call, Grant, Kind
from medhub.options.v1 import policy_pb2 as options

# Refusals of known callers that the trail keeps one by one, by their code: each tells the caller
# something of what is there. Those of unknown callers are aggregated, so that an attacker cannot
# fill the trail.
_TELLING = frozenset({"PERMISSION_DENIED", "NOT_FOUND", "ALREADY_EXISTS"})
# What a resource name looks like. A refused request has not been validated: its name could hold
# anything, be of any length, and even spoil the flush that it shares with other calls.
_NAME = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_.~-]+)*")
MAX_NAME = 200


class Recorder(Protocol):
    """Keeps access records; returns when they are durable."""

    async def record(self, records: Sequence[AccessRecord]) -> None:
        """Raises Unavailable when they could not be kept."""


class Strangers(Protocol):
    """Counts refusals of callers who are not known."""

    def note(self, peer: str, method: str, reason: str) -> None:
        """Count one."""


async def record_access(
    recorder: Recorder, method: Method, call: Call, request: Message | None, response: Message
) -> None:
    """Record who was shown whose data, one event for each person.

    A change shows what it answers too, and it may have changed nothing: a rehearsal, a repeat, the
    same value again. So it is recorded as a showing besides what the triggers record.
    """
    if method.audit not in (options.AUDIT_KIND_ACCESS, options.AUDIT_KIND_CHANGE):
        return
    subjects = method.subjects.in_response(response)
    if request is not None:
        subjects += method.subjects.in_request(request)
    if not subjects and method.audit == options.AUDIT_KIND_CHANGE:
        return
    resource = _resource(method, request)
    detail: dict[str, object] = {"auth_degraded": True} if call.caller.degraded else {}
    await recorder.record([
        AccessRecord(
            call, "access", ids, kind, resource, entity=_entity(method), operation="read",
            detail={**detail, **_opening(grant)},
        )
        for kind, every in _by_kind(subjects)
        for grant, ids in _by_grant(every, call.opened)
    ])  # fmt: skip


async def record_refusal(
    recorder: Recorder, strangers: Strangers, method: Method, call: Call, refusal: Refusal,
    code: str, request: Message | None,
) -> None:  # fmt: skip
    """Record that a call was refused: one by one for known callers, counted for others."""
    if call.caller.kind is Kind.ANONYMOUS:
        # Whoever proves nothing: by no token, or by a secret in the request.
        if code == "UNAUTHENTICATED":
            strangers.note(call.peer, method.name, refusal.reason)
        return
    if code in _TELLING:
        resource, detail = _resource(method, request), {"reason": refusal.reason}
        # The person whose record was asked for finds in their trail who was refused.
        subjects = (*person_of(resource), *refusal.concerns)
        await recorder.record([
            AccessRecord(
                call, "refusal", ids, kind, resource, entity=_entity(method), operation="read",
                detail=detail,
            )
            for kind, ids in _by_kind(subjects)
        ])  # fmt: skip


def _by_grant(
    ids: tuple[UUID, ...], opened: Mapping[UUID, Grant]
) -> list[tuple[Grant | None, tuple[UUID, ...]]]:
    """The persons by the grant that opened their record; None: something else did."""
    if not opened:
        return [(None, ids)]
    found: dict[Grant | None, list[UUID]] = {}
    for each in ids:
        found.setdefault(opened.get(each), []).append(each)
    return [(grant, tuple(several)) for grant, several in found.items()] or [(None, ())]


def _opening(grant: Grant | None) -> dict[str, object]:
    """What the trail says of a record that a grant opened; an emergency stands in clear."""
    if grant is None:
        return {}
    told: dict[str, object] = {"grant": f"accessGrants/{grant.id}"}
    return {**told, "break_glass": True} if grant.break_glass else told


def _entity(method: Method) -> str:
    return method.permission.split(".")[1] if method.permission else ""


def _resource(method: Method, request: Message | None) -> str:
    if request is None or not method.resource:
        return ""
    name = next(iter(values_at(request, method.resource)), "")
    fits = isinstance(name, str) and len(name) <= MAX_NAME and _NAME.fullmatch(name)
    return name if fits else ""


def _by_kind(
    subjects: Iterable[tuple[str, UUID]],
) -> list[tuple[str, tuple[UUID, ...]]]:
    kinds: dict[str, dict[UUID, None]] = {}
    for kind, subject in subjects:
        kinds.setdefault(kind, {})[subject] = None
    return [(kind, tuple(ids)) for kind, ids in kinds.items()] or [("", ())]

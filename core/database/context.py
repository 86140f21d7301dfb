"""What a transaction tells PostgreSQL about the call it serves.

Three settings, local to the transaction: the tenant and the caller, which row-level security
reads, and the audit context, without which the capture triggers refuse every write.
"""

import asyncio
import json
from uuid import UUID

from core.errors import DeadlineExceeded
from core.identity import Call

PLATFORM = UUID(int=0)  # stands for "the platform" where no organization applies
LONGEST_STATEMENT = 30.0  # seconds, for calls without a deadline (streams, background work)
LONGEST_LOCK_WAIT = 2.0  # seconds; past it another call holds the row for too long: retry

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def audit_context(call: Call) -> dict[str, object]:
    """Who acts, in which call, to what end: the `context` of each audit event."""
    caller = call.caller
    context: dict[str, object] = {
        "actor": _text(caller.subject),
        "actor_kind": caller.kind.value,
        "session": _text(caller.session),
        "method": call.method,
        "action": call.action or call.method,
        "purpose": call.purpose,
        "trace": call.trace_id,
        "peer": call.peer,
        "on_behalf": _text(caller.actor),
    }
    if caller.degraded:
        # The proof of identity was older than the method asks for, because auth was away.
        context["auth_degraded"] = True
    return context


def encode_context(call: Call) -> str:
    """The audit context as the JSON text that `medhub.context` holds."""
    return _encode(audit_context(call))


def organization_text(call: Call) -> str:
    """The tenant as `medhub.organization` holds it; empty for none."""
    organization = call.caller.organization
    return "" if organization is None else str(organization)


def subject_text(call: Call) -> str:
    """The caller as `medhub.subject` holds it; empty for nobody."""
    subject = call.caller.subject
    return "" if subject is None else str(subject)


def seconds_left(call: Call) -> float:
    """The time a statement of this call may take, in seconds. Raises DeadlineExceeded."""
    if call.deadline is None:
        return LONGEST_STATEMENT
    left = call.deadline - asyncio.get_running_loop().time()
    if left <= 0:
        raise DeadlineExceeded
    return min(left, LONGEST_STATEMENT)

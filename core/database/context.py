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

_quote = json.encoder.encode_basestring


def encode_context(call: Call) -> str:
    """The audit context as JSON: who acts, in which call, to what end.

    It is written by hand, since every read has one. What the platform itself has made (ids,
    kinds, names of the contract) holds nothing to escape.
    """
    caller = call.caller
    # The proof of identity was older than the method asks for, because auth was away.
    degraded = ',"auth_degraded":true' if caller.degraded else ""
    return (
        f'{{"actor":{_id(caller.subject_text)},"actor_kind":"{caller.kind.value}",'
        f'"session":{_id(caller.session_text)},"method":{_quote(call.method)},'
        f'"action":{_quote(call.action or call.method)},"purpose":{_quote(call.purpose)},'
        f'"trace":{_quote(call.trace_id)},"peer":{_quote(call.peer)},'
        f'"on_behalf":{_id(caller.actor_text)}{degraded}}}'
    )


def _id(text: str) -> str:
    return f'"{text}"' if text else "null"


def seconds_left(call: Call) -> float:
    """The time a statement of this call may take, in seconds. Raises DeadlineExceeded."""
    if call.deadline is None:
        return LONGEST_STATEMENT
    left = call.deadline - asyncio.get_running_loop().time()
    if left <= 0:
        raise DeadlineExceeded
    return min(left, LONGEST_STATEMENT)

"""From an exception to what a caller reads. The only place that ends a call with an error.

grpcio sends the text of an uncaught exception to the caller. Here a refusal becomes its code,
reason and texts, and anything else becomes INTERNAL with an incident number; the cause goes to
the log of the server, never to the wire.
"""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from core.contract import Contract, Reason
from core.errors import DeadlineExceeded, Refusal, Unavailable
from core.rpc.field_rules import SENTENCES

DOMAIN = "medhub"
DETAILS_KEY = "grpc-status-details-bin"
_STATUS = {code.value[0]: code for code in grpc.StatusCode}
_log = logging.getLogger("medhub.incident")


class Internal(Refusal):
    """A fault of the platform; the number leads to its cause in the log."""

    reason = "INTERNAL"


class Cancelled(Refusal):
    """The caller gave the call up."""

    reason = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Told:
    """How a refusal reads on the wire."""

    code: grpc.StatusCode
    reason: str
    message: str
    details: bytes


def refusal_of(error: BaseException, method: str, trace_id: str, *, given_up: bool) -> Refusal:
    """The refusal that an exception stands for. What is no refusal is logged as an incident."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded()
    if isinstance(error, asyncio.CancelledError):
        return Cancelled() if given_up else Unavailable(retry_after=1.0)
    incident = secrets.token_hex(8)
    _log.error("incident %s in %s", incident, method, exc_info=error, extra={"trace_id": trace_id})
    return Internal(metadata={"incident": incident})


def tell(refusal: Refusal, contract: Contract, language: str) -> Told:
    """Put a refusal into words. What cannot be told as it is, is told as INTERNAL."""
    reason = contract.reasons.get(refusal.reason)
    if reason is None:
        _log.error("no contract declares the reason %s", refusal.reason)
        refusal, reason = Internal(), contract.reasons[Internal.reason]
    try:
        return _told(refusal, reason, language)
    except (TypeError, ValueError):
        _log.exception("the refusal %s cannot be told", refusal.reason)
        return _told(Internal(), contract.reasons[Internal.reason], language)


def _told(refusal: Refusal, reason: Reason, language: str) -> Told:
    status = status_pb2.Status(code=reason.code, message=reason.texts["en"])
    for detail in _details(refusal, reason, language):
        status.details.add().Pack(detail)
    return Told(_STATUS[reason.code], reason.name, reason.texts["en"], status.SerializeToString())


def _details(refusal: Refusal, reason: Reason, language: str) -> list[Message]:
    metadata = {k: v for k, v in refusal.metadata.items() if k in reason.metadata}
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=reason.name, domain=DOMAIN, metadata=metadata),
        error_details_pb2.LocalizedMessage(locale=language, message=reason.texts[language]),
    ]
    if refusal.violations:
        bad = error_details_pb2.BadRequest()
        for violation in refusal.violations:
            bad.field_violations.add(
                field=violation.field,
                reason=violation.rule.upper().replace(".", "_"),
                description=violation.description or SENTENCES.get(violation.rule, ""),
            )
        details.append(bad)
    if refusal.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(timedelta(seconds=refusal.retry_after))
        details.append(retry)
    return details


async def end(context: grpc.aio.ServicerContext[bytes, bytes], told: Told) -> NoReturn:
    """End the call. Awaited, always: an abort that nobody awaits does nothing."""
    await context.abort(told.code, told.message, ((DETAILS_KEY, told.details),))

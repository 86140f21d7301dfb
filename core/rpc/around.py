"""The four kinds of handler, each with every step around it.

This file alone knows them. The steps are called one after the other in one coroutine, since
interceptors that wrap one another add up. Their order is that of the path of a call:

    translate (access log (admission (deadline (
        authenticate → authorize → parse → validate → idempotency → servicer → audit of access
    ))))
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message

from core import identity
from core.contract import Access, Contract, Method
from core.identity import Call
from core.rpc import audit, validate
from core.rpc.access_log import AccessLog
from core.rpc.admission import Admission
from core.rpc.authenticate import authenticate, token_of
from core.rpc.authorize import authorize, grants_for
from core.rpc.deadlines import Deadlines
from core.rpc.headers import AUTH_REVISION, LOOPBACK, Headers
from core.rpc.live import LiveStreams
from core.rpc.redact import redacted
from core.rpc.translate import end, refusal_of, tell
from core.telemetry.metrics import Metrics
from core.telemetry.traces import Traces, new_trace_id
from core.truth import Truth
from medhub.options.v1 import policy_pb2 as options

_log = logging.getLogger("medhub.request")
# An answer needs this long, in seconds, to reach a caller who is about to give up.
ANSWER_SECONDS = 0.2
_WORD = re.compile(r"(?<!^)(?=[A-Z])")

Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Unary = Callable[[Message], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Steps:
    """What the steps work with: one for each server."""

    contract: Contract
    truth: Truth
    admission: Admission
    recorder: audit.Recorder
    strangers: audit.Strangers
    live: LiveStreams
    log: AccessLog
    metrics: Metrics
    traces: Traces | None
    # Addresses of edges, which alone may say for whom they ask.
    proxies: frozenset[str] = LOOPBACK
    # Names in the certificates of edges, where callers prove themselves; None: they do not.
    edges: frozenset[str] | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)


@dataclass(slots=True)
class Passage:
    """One call on its way through the steps."""

    method: Method
    headers: Headers
    call: Call
    arrived: float
    until: float
    raw: bytes = b""
    request: Message | None = None
    code: str = "OK"
    reason: str = ""


def handler_of(method: Method, servicer: Callable[..., Any], steps: Steps) -> Handler:
    """The gRPC handler of a method. Bytes go in and out: parsing is a step like the others."""
    action = _action(method)
    if method.streaming:
        make: Any = {
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[method.client_streaming, method.server_streaming]
        streaming: Handler = make(_stream(method, action, servicer, steps))
        return streaming
    return grpc.unary_unary_rpc_method_handler(_unary(method, action, servicer, steps))


def _unary(
    method: Method, action: str, run: Unary, steps: Steps
) -> Callable[..., Awaitable[bytes]]:
    deadlines = steps.deadlines

    async def handle(raw: bytes, context: Context) -> bytes:
        passage = _arrive(method, action, context, steps)
        passage.raw = raw
        try:
            steps.admission.enter(method.load, passage.headers.peer, method.name)
            try:
                with deadlines.until(passage.until):
                    answer = await _answer(raw, passage, run, steps)
                    if revision := passage.call.auth_revision:
                        # Before the answer, since REST has no headers after it.
                        told = ((AUTH_REVISION, str(revision)),)
                        await context.send_initial_metadata(told)
                    return answer
            finally:
                steps.admission.leave(method.load, _seconds(passage))
        except BaseException as error:
            await _refuse(error, passage, context, steps)
            raise
        finally:
            _depart(passage, steps)

    return handle


async def _answer(raw: bytes, passage: Passage, run: Unary, steps: Steps) -> bytes:
    """The inner steps of a unary call, in their order."""
    method, call = passage.method, passage.call
    call.caller = await authenticate(method, passage.headers, steps.truth)
    steps.admission.count(call.caller)
    authorize(method, call.caller)
    call.grants = grants_for(method, call.caller)
    if method.access is not Access.PUBLIC:
        call.credential = token_of(passage.headers)
    request = passage.request = _message(method, raw)
    if method.by_request_id:
        call.request_id = request.request_id.lower()  # type: ignore[attr-defined]
        call.request_hash = hashlib.sha256(raw).digest()
    identity.enter(call)
    response = await run(request)
    await audit.record_access(steps.recorder, method, call, request, response)
    return response.SerializeToString()


def _stream(
    method: Method, action: str, run: Callable[..., Any], steps: Steps
) -> Callable[..., Awaitable[bytes | None]]:
    async def handle(requests: Any, context: Context) -> bytes | None:
        passage = _arrive(method, action, context, steps)
        passage.call.deadline = None
        try:
            steps.admission.enter(method.load, passage.headers.peer, method.name)
            try:
                return await _converse(requests, context, passage, run, steps)
            finally:
                steps.admission.leave(method.load, _seconds(passage))
        except BaseException as error:
            await _refuse(error, passage, context, steps)
            raise
        finally:
            _depart(passage, steps)

    return handle


async def _converse(
    requests: Any, context: Context, passage: Passage, run: Callable[..., Any], steps: Steps
) -> bytes | None:
    """The inner steps of a stream: proven at its start, cut when that is revoked or runs out."""
    method, call = passage.method, passage.call
    call.caller = await authenticate(method, passage.headers, steps.truth)
    steps.admission.count(call.caller)
    authorize(method, call.caller)
    call.grants = grants_for(method, call.caller)
    if method.access is not Access.PUBLIC:
        call.credential = token_of(passage.headers)
    identity.enter(call)
    public = method.access is Access.PUBLIC
    with nullcontext() if public else steps.live.held(method, call.credential):
        if method.client_streaming:
            asked: Any = _messages(method, requests)
        else:
            asked = passage.request = _message(method, requests)
        if not method.server_streaming:
            response = await run(asked)
            await audit.record_access(steps.recorder, method, call, None, response)
            return bytes(response.SerializeToString())
        async with aclosing(run(asked)) as responses:
            async for response in responses:
                await audit.record_access(steps.recorder, method, call, passage.request, response)
                await context.write(response.SerializeToString())
    return None


async def _messages(method: Method, requests: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    async for raw in requests:
        yield _message(method, raw)


def _message(method: Method, raw: bytes) -> Message:
    message = validate.parse(method.request, raw)
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s %s", method.name, redacted(message))
    validate.validate(message, raw)
    return message


def _arrive(method: Method, action: str, context: Context, steps: Steps) -> Passage:
    headers = Headers.of(context, steps.proxies, steps.edges)
    now = asyncio.get_running_loop().time()
    left: float | None = context.time_remaining()
    until = now + _allowed(method, left)
    call = Call(
        method=method.name,
        action=action,
        purpose=method.purpose,
        trace_id=headers.trace_id or new_trace_id(),
        peer=headers.peer,
        agent=headers.agent,
        certificate=headers.certificate,
        deadline=until,
        language=headers.language,
    )
    return Passage(method, headers, call, arrived=now, until=until)


async def _refuse(error: BaseException, passage: Passage, context: Context, steps: Steps) -> None:
    """Tell the caller why the call is refused, and the trail that it was."""
    call = passage.call
    # grpc cancels the task of a call whose caller has gone; a CancelledError of any other origin
    # would leave the caller waiting.
    task = asyncio.current_task()
    given_up = isinstance(error, asyncio.CancelledError) and bool(task and task.cancelling())
    refusal = refusal_of(error, call.method, call.trace_id, given_up=given_up)
    told = tell(refusal, steps.contract, call.language)
    passage.code, passage.reason = told.code.name, told.reason
    if given_up:
        return
    if passage.method.load == options.LOAD_CLASS_CREDENTIAL and passage.code == "UNAUTHENTICATED":
        steps.admission.charge(passage.headers.peer, call.method)
    try:
        request = passage.request or _readable(passage)
        await audit.record_refusal(
            steps.recorder, steps.strangers, passage.method, call, refusal, passage.code, request
        )
    except Exception as lost:  # noqa: BLE001 - the caller is refused all the same
        refusal_of(lost, call.method, call.trace_id, given_up=False)
    await end(context, told)


def _allowed(method: Method, left: float | None) -> float:
    """Seconds that a call may take: a little less than its caller waits, so that the caller reads
    why it ended, and not only that it did.
    """
    if left is None or left > method.deadline + ANSWER_SECONDS:
        return method.deadline
    return max(left - ANSWER_SECONDS, left * 0.9)


def _readable(passage: Passage) -> Message | None:
    """The request of a call that was refused before it was read: the trail names its object."""
    try:
        return validate.parse(passage.method.request, passage.raw)
    except (validate.MalformedRequest, validate.RequestTooLarge):
        return None


def _seconds(passage: Passage) -> float:
    return asyncio.get_running_loop().time() - passage.arrived


def _depart(passage: Passage, steps: Steps) -> None:
    seconds = _seconds(passage)
    call, headers = passage.call, passage.headers
    steps.log.ended(call, passage.code, passage.reason, seconds)
    steps.metrics.ended(call.method, passage.code, seconds)
    if headers.sampled and steps.traces is not None:
        steps.traces.record(
            call.method, passage.code, headers.trace_id, headers.parent_span, seconds
        )


def _action(method: Method) -> str:
    """The permission; where none is asked for, `auth.login` from `AuthService/Login`."""
    if method.permission:
        return method.permission
    package, _, verb = method.name.rpartition("/")
    return f"{package.split('.')[1]}.{_WORD.sub('_', verb).lower()}"

"""One call of the fuzz: made from its number alone, sent, and judged."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message

from core.contract import Method, everything
from tests.support.fuzz_ground import Case, Ground, address_of, leaked, note, tokens_of
from tests.support.fuzz_messages import encoded, mutated, spoiled
from tests.support.fuzz_values import CANARY, Words
from tests.support.matrix import copy_of
from tests.support.matrix_requests import fresh
from tests.support.matrix_wire import CALL_SECONDS, Outcome, bearer, refused_by, undeclared
from tests.support.matrix_world import World

_FAULTY = frozenset({grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS})
# Refusals that may come from a machine that is busy: the call is made again, alone.
_BUSY = frozenset({
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED,
})  # fmt: skip
BUSY_SECONDS = 1.0
PATIENCE = 4


@dataclass
class Sent:
    """What went over the wire."""

    case: Case
    messages: list[bytes]
    metadata: tuple[tuple[str, str], ...]
    told: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.case.policy} by {self.case.caller}: {'; '.join(self.told)}"


async def prepared(ground: Ground, case: Case) -> Sent:
    """Make the call of a case: a right one, changed."""
    ask = await ground.ask(case)
    told: list[str] = []
    several = case.chance("several").choice((1, 1, 2, 4)) if case.policy.streaming else 1
    messages = []
    for index in range(several):
        raw, changed = _changed(case, index, ask.request, ground.words)
        messages.append(raw)
        told += changed
    world = ground.world
    metadata = bearer(*tokens_of(world, case, ask.token)) + _headers(case, world)
    return Sent(case, messages, metadata, told)


def _changed(case: Case, index: int, request: Message, words: Words) -> tuple[bytes, list[str]]:
    message = copy_of(request)
    if "request_id" in message.DESCRIPTOR.fields_by_name:
        message.request_id = fresh()
    told = [
        mutated(case.chance(f"{index}.{change}"), message, words)
        for change in range(case.changes)
        if change not in case.without
    ]
    chance = case.chance(f"{index}.raw")
    raw = encoded(chance, message)
    if chance.random() < 0.15 and -1 not in case.without:
        raw, how = spoiled(chance, raw)
        told.append(how)
    return raw, told


def _headers(case: Case, world: World) -> tuple[tuple[str, str], ...]:
    """An address of its own, so that no caller is taken for one who guesses; now and then more."""
    chance = case.chance("headers")
    made = [("x-forwarded-for", address_of(case))]
    if chance.random() < 0.2:
        made.append(chance.choice((
            ("x-medhub-min-auth-revision", chance.choice(("0", "999999999999999", CANARY))),
            ("accept-language", chance.choice(("fr", "de;q=0.1", CANARY, "," * 500))),
            ("traceparent", f"00-{'0' * 32}-{CANARY}-01"),
            ("x-forwarded-for", CANARY),
            ("x-medhub-organization", world.beta.name),
            ("x-request-id", CANARY * 50),
        )))  # fmt: skip
    return tuple(made)


async def sent(world: World, call: Sent) -> Outcome:
    """Send it, patiently: a machine that is busy with other things is no fault."""
    policy = call.case.policy
    method = everything().methods[f"/{policy.name}"]
    channel = world.platform.channel(policy.service)
    note(world, call.case, b"".join(call.messages))
    outcome = await _once(channel, method, call)
    for _ in range(PATIENCE):
        if outcome.code not in _BUSY - _expected(call):
            break
        await asyncio.sleep(BUSY_SECONDS)
        outcome = await _once(channel, method, call)
    return outcome


async def _once(channel: grpc.aio.Channel, method: Method, call: Sent) -> Outcome:
    make: Any = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, True): channel.stream_stream,
    }[method.client_streaming, method.server_streaming]
    go: Any = make(method.path)
    try:
        if not method.streaming:
            raw = await go(call.messages[0], metadata=call.metadata, timeout=CALL_SECONDS)
            return Outcome(grpc.StatusCode.OK, response=raw)
        said = _said(call) if method.client_streaming else call.messages[0]
        stream = go(said, metadata=call.metadata, timeout=CALL_SECONDS)
        # It is listened to up to its end, which must come.
        told = b"".join([raw async for raw in stream])
        return Outcome(grpc.StatusCode.OK, response=told)
    except grpc.aio.AioRpcError as error:
        return refused_by(error)


async def _said(call: Sent) -> AsyncIterator[bytes]:
    for message in call.messages:
        yield message


def judged(world: World, call: Sent, outcome: Outcome) -> list[str]:
    """The faults of an outcome, whatever was asked."""
    if outcome.ok:
        leaks = leaked(world, call.case, b"".join(call.messages), outcome.response)
        return [f"it tells of the other organization: {word}" for word in sorted(leaks)]
    reason = everything().reasons.get(outcome.reason)
    faults = undeclared(everything().methods[f"/{call.case.policy.name}"], outcome)
    if outcome.code in _FAULTY or outcome.code in _BUSY - _expected(call):
        faults.append(f"refused with {outcome} {outcome.message!r}")
    elif reason is None or reason.code != outcome.code.value[0]:
        faults.append(f"no reason of the contract: {outcome} {outcome.message!r}")
    elif outcome.message != reason.texts["en"]:
        faults.append(f"words of its own: {outcome.message!r}")
    told = f"{outcome.message}{outcome.details!r}{outcome.trailers!r}"
    if CANARY.casefold() in told.casefold():
        faults.append("it repeats what was sent")
    return faults


def _expected(call: Sent) -> frozenset[grpc.StatusCode]:
    """A revision that nobody has issued is waited for in vain; a watcher that asks no more is sent
    to another server.
    """
    impossible = ("x-medhub-min-auth-revision", "999999999999999") in call.metadata
    some = impossible or call.case.policy.streaming
    return frozenset({grpc.StatusCode.UNAVAILABLE} if some else ())

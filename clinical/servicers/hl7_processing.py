"""Stored messages take effect: in order for each patient, at once for different ones.

The queue is a table. Whoever processes a message holds its row until the transaction that wrote
its facts commits, so a process that dies leaves the message where it was.
"""

import asyncio
import contextlib
from dataclasses import replace
from typing import Final
from uuid import UUID

from clinical.domain.hl7_findings import Condition, Finding, finding_of, rejections
from clinical.domain.hl7_messages import MessageState, Stored
from clinical.domain.registration import Refused
from clinical.formats.hl7v2.ack import Verdict, verdict_of
from clinical.formats.hl7v2.rules import MOST_FINDINGS
from clinical.servicers.hl7_attribution import patient_of
from clinical.servicers.hl7_desk import Desks
from clinical.servicers.hl7_effects import Effects
from clinical.storage.hl7_messages import Outcome
from clinical.storage.store import Store
from core import clock, identity
from core.errors import DeadlineExceeded, Refusal, Unavailable
from core.identity import Call, Caller, Kind
from core.rpc.translate import refusal_of

AT_ONCE: Final = 4
"""Messages processed at the same time by one server: each holds a connection, and as many must
remain for calls."""

ANSWER_SECONDS: Final = 10.0
"""How long a sender waits for a message whose turn has not come; then it sends again."""

LOOK_SECONDS: Final = 0.25
"""Between two looks at the queue, for what other servers have left there."""

PAUSE_SECONDS: Final = 0.5
"""After trouble with the database, before the next try."""

QUIET_SECONDS: Final = 0.25
"""Without a new message for this long, nothing more is arriving."""

LET_PASS_SECONDS: Final = 0.05
"""Between two messages of the queue while others arrive."""

AT_ONE_GO: Final = 16
"""Messages processed between two looks, so that what arrives meanwhile is noticed soon."""

LOOKED_AT: Final = 128
"""Rows of the queue looked at for messages whose turn it is."""

_FAULT: Final = Finding("receiver.fault", Condition.INTERNAL, rejects=True)


class Processing:
    """Processes messages, for senders that wait and for the queue."""

    def __init__(self, store: Store, desks: Desks) -> None:
        self._store = store
        self._desks = desks
        self._arrived_at = 0.0
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._work = asyncio.Event()
        self._moved = asyncio.Condition()
        self._expected: set[UUID] = set()

    def expect(self) -> None:
        """Messages arrive."""
        self._arrived_at = asyncio.get_running_loop().time()

    def wake(self) -> None:
        """Messages have just been stored, and more may follow."""
        self.expect()
        self._work.set()

    async def settle(self, message: UUID) -> Stored:
        """A message processed by the call in progress, or by whoever is faster.

        Raises Unavailable when its turn does not come in time: it stays in the queue.
        """
        call = replace(identity.call(), deadline=None, request_id="")
        self._expected.add(message)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._settled(call, message)
        except TimeoutError:
            raise Unavailable(retry_after=1.0) from None
        finally:
            self._expected.discard(message)

    async def run(self) -> None:
        """Empty the queue for as long as the server lives."""
        while True:
            self._work.clear()
            try:
                if not await self._round():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._work.wait(), LOOK_SECONDS)
            except (Unavailable, DeadlineExceeded):
                await asyncio.sleep(PAUSE_SECONDS)

    async def _round(self) -> bool:
        """Process those whose turn it is; whether there were any.

        While messages arrive, one at a time and with a pause: storing and acknowledging them
        comes first, for a sender waits for it.
        """
        arriving = asyncio.get_running_loop().time() - self._arrived_at < QUIET_SECONDS
        nobody = Call(method="clinical.hl7/Queue", caller=Caller(kind=Kind.SERVICE))
        async with self._store.begin_as(nobody) as work:
            heads = await work.queue.heads(limit=AT_ONCE if arriving else LOOKED_AT)
        ours = [head for head in heads if head[1] not in self._expected]
        results = await asyncio.gather(
            *(self._process_of(*head) for head in ours[: 1 if arriving else AT_ONE_GO]),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        if arriving:
            await asyncio.sleep(LET_PASS_SECONDS)
        return any(results)

    async def _process_of(self, organization: UUID, message: UUID) -> bool:
        """Process a message of the queue, in a task of its own."""
        call = _call_of(organization)
        identity.enter(call)
        return await self._process(call, message) is not None

    async def _settled(self, call: Call, message: UUID) -> Stored:
        while True:
            done = await self._process(call, message)
            if done is not None:
                return done
            async with self._store.begin_as(call) as work:
                stored = await work.hl7_messages.outcome(message)
            if stored is not None and stored.state is not MessageState.RECEIVED:
                return stored
            await self._wait_for_move()

    async def _wait_for_move(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS), self._moved:
                await self._moved.wait()

    async def _process(self, call: Call, message: UUID) -> Stored | None:
        """Process one message; None when it is not its turn."""
        async with self._slots:
            try:
                done = await self._take_effect(call, message)
            except (Unavailable, DeadlineExceeded):
                raise
            except Refused as refused:
                done = await self._give_up(call, message, MessageState.REJECTED, *refused.findings)
            except Refusal as refusal:
                told = finding_of(refusal)
                done = await self._give_up(call, message, MessageState.REJECTED, told)
            except Exception as fault:  # noqa: BLE001 - one message must not stop the queue
                # Kept as FAILED, so that it can be tried again and blocks nobody behind it.
                refusal_of(fault, call.method, call.trace_id, given_up=False)
                done = await self._give_up(call, message, MessageState.FAILED, _FAULT)
        if done is not None:
            async with self._moved:
                self._moved.notify_all()
        return done

    async def _take_effect(self, call: Call, message: UUID) -> Stored | None:
        async with self._store.begin_as(call) as work:
            claimed = await work.hl7_messages.claim(message)
            if claimed is None:
                return None
            desk = await self._desks.of(claimed.endpoint_id)
            reading = desk.read(claimed.raw)
            if reading.content is None:
                # What rejects in the envelope only warned on arrival: the endpoint has changed.
                told = reading.content_findings or rejections(reading.findings)
                raise Refused(*(told or (_FAULT,)))
            effects = Effects(work, message, desk.tenant)
            patient = await effects.apply(reading.content)
            answer = desk.answer(message, reading.header, Verdict.ACCEPTED, ())
            outcome = Outcome(
                MessageState.PROCESSED,
                (*reading.content_findings, *effects.findings)[:MOST_FINDINGS],
                patient,
                answer,
            )
            await work.hl7_messages.finish(claimed, outcome, clock.now())
        return Stored(message, outcome.state, answer, repeated=False)

    async def _give_up(
        self, call: Call, message: UUID, state: MessageState, *findings: Finding
    ) -> Stored | None:
        """Say that a message took no effect, once what it had begun is undone."""
        async with self._store.begin_as(call) as work:
            claimed = await work.hl7_messages.claim(message)
            if claimed is None:
                return None
            desk = await self._desks.of(claimed.endpoint_id)
            header = desk.read(claimed.raw).header
            verdict = Verdict.FAULT if state is MessageState.FAILED else verdict_of(findings)
            answer = desk.answer(message, header, verdict, findings)
            patient = await patient_of(work, desk, claimed.raw)
            outcome = Outcome(state, findings, patient, answer)
            await work.hl7_messages.finish(claimed, outcome, clock.now())
        return Stored(message, outcome.state, answer, repeated=False)


def _call_of(organization: UUID) -> Call:
    """Work that the queue asks for, in the name of the service."""
    return Call(
        method="clinical.hl7/ProcessMessage",
        caller=Caller(kind=Kind.SERVICE, organization=organization),
        action="clinical.hl7.ingest",
        purpose="care",
    )

"""Gathers everything that any service holds of a person who has asked for it.

The queue is a table, and so is the state of each request: a worker that dies leaves it where it
was, and the next one goes on once the lease has run out. A service that does not answer keeps the
request open; it is asked again, ever more rarely, and the request says so meanwhile.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from compliance.clients.subject_data import Missing, Query, SubjectServices
from compliance.domain.access_packages import (
    END,
    LAST_PART,
    NotWhole,
    Section,
    manifest_parts,
    positions_of,
)
from compliance.domain.access_requests import (
    AccessRequest,
    Answer,
    AnswerState,
    Standing,
    State,
    is_whole,
    retry_at,
    standing_of,
)
from compliance.domain.keys import KeyDestroyed
from compliance.manifest import manifest_of, table_from_proto
from compliance.storage.access_packages import Part
from compliance.storage.access_work import Overtaken, Work
from compliance.storage.store import Store, StoreTransaction
from core import clock, identity
from core.errors import DeadlineExceeded, Unavailable
from core.identity import Call, Caller, Kind
from core.ids import id_from, name_of
from medhub.subject.v1 import subject_pb2, subject_service_pb2

LEASE = timedelta(seconds=60)
"""A worker that has written nothing for so long is taken for dead; far more than a step takes."""

AT_ONCE = 2
"""Requests gathered for at the same time by one server: a slow service holds up only some. Each has
two connections of the pool, one that is read from and one that stores; the trail needs the others.
"""

LOOK_SECONDS = 1.0
"""Between two looks at the queue, for what other servers have left there and for what is due."""

PAUSE_SECONDS = 1.0
"""After trouble with the database, before the next look."""

MOST_ROUNDS = 5
"""Of asking for identities: each may lead to further ones. A chain that is longer is a fault."""

_log = logging.getLogger("medhub.gathering")
Found = Mapping[str, subject_service_pb2.FindSubjectResponse]
_STANDINGS = {
    subject_pb2.STANDING_KNOWN: Standing.KNOWN,
    subject_pb2.STANDING_UNKNOWN: Standing.UNKNOWN,
    subject_pb2.STANDING_NOT_REGISTERED_HERE: Standing.NOT_REGISTERED_HERE,
}


@dataclass(slots=True)
class _Progress:
    """A request that is being worked on, and what is known of each service."""

    request: AccessRequest
    answers: dict[str, Answer]
    standing: Standing = Standing.NOT_REGISTERED_HERE


class Gathering:
    """Empties the queue for the life of a server."""

    def __init__(
        self, store: Store, services: SubjectServices, *, lease: timedelta = LEASE
    ) -> None:
        self._store = store
        self._services = services
        self._lease = lease
        self._work = asyncio.Event()

    def wake(self) -> None:
        """A request has just been entered."""
        self._work.set()

    async def run(self) -> None:
        """Gather whatever is due. Ends by cancellation alone."""
        while True:
            self._work.clear()
            try:
                if not await self._round():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._work.wait(), LOOK_SECONDS)
            except (Unavailable, DeadlineExceeded):
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - other requests must be gathered for all the same
                _log.exception("a fault in the gathering")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _round(self) -> bool:
        """Take up what is due, and work on it; whether there was anything."""
        taken: list[Work] = []
        async with self._store.begin_as(_call_of(None)) as tx:
            while len(taken) < AT_ONCE and (work := await tx.access_work.claim(self._lease)):
                taken.append(work)
        results = await asyncio.gather(*map(self._attempt, taken), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return bool(taken)

    async def _attempt(self, work: Work) -> None:
        """One attempt at one request. What it raises is trouble of this server or its database:
        the request is taken up again when the lease has run out.
        """
        identity.enter(_call_of(work.organization))
        try:
            await self._gather(work)
        except Overtaken:
            _log.info("another worker has taken an access request up")
        except KeyDestroyed:
            # The person has been forgotten meanwhile, so nothing more is made about them.
            await self._end_unknown(work)

    async def _gather(self, work: Work) -> None:
        """Ask every service, store what comes, and say how far it is. Raises KeyDestroyed."""
        progress = await self._begin(work)
        found = await self._found(work, progress)
        if progress.standing is Standing.UNKNOWN:
            await self._end_unknown(work)
            return
        for service in found:
            answer = progress.answers[service]
            if answer.state is not AnswerState.GATHERED:
                progress.answers[service] = await self._gathered(work, progress, answer)
        await self._end(work, progress)

    async def _begin(self, work: Work) -> _Progress:
        """The request, with a place for the answer of every service there is."""
        async with self._step(work) as tx:
            request = await tx.access_requests.get(work.request)
            answers = {one.service: one for one in await tx.access_requests.answers(request.id)}
            for service in self._services.names:
                # The first section is the manifest, so services are numbered from 1.
                answers.setdefault(service, Answer(service, len(answers) + 1))
            request = replace(request, state=State.GATHERING, retry_at=None)
            await tx.access_requests.save(request)
            await tx.access_requests.put(request.id, answers.values())
        return _Progress(request, answers)

    async def _found(self, work: Work, progress: _Progress) -> Found:
        """Ask every service whom it knows, until no further identity of the person comes up.

        What was gathered under fewer identities is not enough any more.
        """
        known = {progress.request.patient_id, *progress.request.identities}
        before = set(progress.request.identities)
        found, failures = await self._ask_until_known(progress, known)
        progress.standing = standing_of(_STANDINGS[one.standing] for one in found.values())
        if known != before:
            progress.answers = {name: one.asked_anew for name, one in progress.answers.items()}
        for service, failure in failures.items():
            answer = progress.answers[service]
            if answer.state is not AnswerState.GATHERED:
                progress.answers[service] = answer.failed(failure)
        progress.request = replace(progress.request, identities=tuple(sorted(known)))
        async with self._step(work) as tx:
            await tx.access_requests.save(progress.request)
            await tx.access_requests.put(work.request, progress.answers.values())
        return found

    async def _ask_until_known(
        self, progress: _Progress, known: set[UUID]
    ) -> tuple[Found, dict[str, str]]:
        """The answers under every identity; those that come up are added to `known`.

        While none of those that are missing answers, the others are left alone: each question
        stands in the person's trail.
        """
        names = set(self._services.names)
        missing = {
            name for name in names if progress.answers[name].state is not AnswerState.GATHERED
        }
        found, failures = await self._ask(missing, _query(progress.request, known))
        if not found:
            return found, failures
        others, more = await self._ask(names - missing, _query(progress.request, known))
        found, failures = {**found, **others}, {**failures, **more}
        for _ in range(MOST_ROUNDS):
            told = {id_from(name, "patients") for one in found.values() for name in one.identities}
            if told <= known:
                return found, failures
            known |= told
            found, failures = await self._ask(names, _query(progress.request, known))
        raise LookupError("identities lead to ever more identities")

    async def _ask(
        self, services: Collection[str], query: Query
    ) -> tuple[dict[str, subject_service_pb2.FindSubjectResponse], dict[str, str]]:
        """The answers of those who answer, and why the others did not."""
        names = sorted(services)
        results = await asyncio.gather(
            *(self._services.find(name, query) for name in names), return_exceptions=True
        )
        found: dict[str, subject_service_pb2.FindSubjectResponse] = {}
        failures: dict[str, str] = {}
        for name, result in zip(names, results, strict=True):
            if isinstance(result, Missing):
                failures[name] = result.failure
            elif isinstance(result, BaseException):
                raise result
            else:
                found[name] = result
        return found, failures

    async def _gathered(self, work: Work, progress: _Progress, answer: Answer) -> Answer:
        """What a service hands over is stored part by part; its answer, whole or not."""
        first, end = positions_of(answer.ordinal)
        async with self._step(work) as tx:
            await tx.access_packages.clear(work.request, first, end)
        try:
            gathered = await self._stored(work, progress.request, answer, first)
        except Missing as missing:
            gathered = answer.failed(missing.failure)
        except NotWhole:
            gathered = answer.failed("DATA_LOSS")
        async with self._step(work) as tx:
            await tx.access_requests.put(work.request, [gathered])
        return gathered

    async def _stored(
        self, work: Work, request: AccessRequest, answer: Answer, position: int
    ) -> Answer:
        """Store an export. Raises Missing and NotWhole."""
        section = Section(answer.service)
        tables: list[subject_pb2.HeldTable] = []
        complete = False
        query = _query(request, request.identities)
        async with aclosing(self._services.export(answer.service, query)) as messages:
            async for message in messages:
                for record in message.records:
                    parts = section.add(record.table, record.values, continues=record.continues)
                    for content in parts:
                        await self._store_part(work, request, Part(position, content))
                        position += 1
                tables.extend(message.tables)
                complete = message.complete
        if not complete:
            raise NotWhole
        told = {table.table: table.count for table in tables if table.count}
        rest, digest = section.end(told)
        for place, content in enumerate(rest, position):
            await self._store_part(work, request, Part(place, content))
        return replace(
            answer,
            state=AnswerState.GATHERED,
            failures=0,
            last_failure="",
            record_count=section.counts.total(),
            sha256=digest,
            gathered_at=clock.now(),
            tables=tuple(table_from_proto(table) for table in tables),
        )

    async def _store_part(self, work: Work, request: AccessRequest, part: Part) -> None:
        async with self._step(work) as tx:
            await tx.access_packages.add(request.id, request.key_name, part)

    async def _end_unknown(self, work: Work) -> None:
        """There is no such person, so there will be no package."""
        async with self._step(work) as tx:
            request = await tx.access_requests.get(work.request)
            unknown = replace(request, state=State.UNKNOWN_PERSON, retry_at=None)
            await tx.access_requests.save(unknown)
            await tx.access_work.done(work)

    async def _end(self, work: Work, progress: _Progress) -> None:
        """The package is whole, or the request says what is missing and when it is tried again."""
        now, request = clock.now(), progress.request
        answers = list(progress.answers.values())
        async with self._step(work) as tx:
            if is_whole(progress.standing, answers, self._services.names):
                done = replace(request, state=State.COMPLETE, completed_at=now, retry_at=None)
                await _write_frame(tx, done, answers)
                await tx.access_requests.save(done)
                await tx.access_work.done(work)
                return
            again = retry_at(now, work.attempt)
            await tx.access_requests.save(replace(request, state=State.INCOMPLETE, retry_at=again))
            if again is None:
                await tx.access_work.done(work)
            else:
                await tx.access_work.put_off(work, again)
        missing = [one.service for one in answers if one.state is not AnswerState.GATHERED]
        _log.warning("an access request is incomplete", extra={"missing": missing})

    @asynccontextmanager
    async def _step(self, work: Work) -> AsyncIterator[StoreTransaction]:
        """A transaction of this attempt, which lengthens its lease. Raises Overtaken."""
        async with self._store.begin_as(identity.call()) as tx:
            await tx.access_work.hold(work, self._lease)
            yield tx


async def _write_frame(tx: StoreTransaction, request: AccessRequest, answers: list[Answer]) -> None:
    """The manifest before the sections, and what closes the document behind them."""
    first, end = positions_of(0)
    await tx.access_packages.clear(request.id, first, end)
    for place, content in enumerate(manifest_parts(manifest_of(request, answers)), first):
        await tx.access_packages.add(request.id, request.key_name, Part(place, content))
    await tx.access_packages.add(request.id, request.key_name, Part(END, LAST_PART))


def _query(request: AccessRequest, known: set[UUID] | tuple[UUID, ...]) -> Query:
    others = sorted(set(known) - {request.patient_id})
    return {
        "organization_id": str(identity.caller().organization),
        "subject": name_of("patients", request.patient_id),
        "also_known_as": [name_of("patients", one) for one in others],
        "occasion": subject_pb2.Occasion(
            request=name_of("accessRequests", request.id),
            requester=request.requester.name,
        ),
    }


def _call_of(organization: UUID | None) -> Call:
    """Work of the server itself, inside the organization whose request it works on."""
    return Call(
        method="compliance.server/Gather",
        caller=Caller(kind=Kind.SERVICE, organization=organization),
        action="compliance.access_requests.gather",
        purpose="data_subject_request",
    )

"""Gathers everything that any service holds of a person who has asked for it.

A service that does not answer keeps the request open; it is asked again, ever more rarely, and the
request says so meanwhile.
"""

import logging
from contextlib import aclosing
from dataclasses import dataclass, replace

from compliance.asking import Found, Occasion, ask_until_known
from compliance.clients.subject_data import Missing, SubjectServices
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
)
from compliance.domain.keys import KeyDestroyed
from compliance.manifest import manifest_of, table_from_proto
from compliance.storage.access_packages import Part
from compliance.storage.access_work import Work
from compliance.storage.store import StoreTransaction
from compliance.worker import Steps
from core import clock
from core.ids import name_of
from medhub.subject.v1 import subject_pb2

_log = logging.getLogger("medhub.gathering")


@dataclass(slots=True)
class _Progress:
    """A request that is being worked on, and what is known of each service."""

    request: AccessRequest
    answers: dict[str, Answer]
    standing: Standing = Standing.NOT_REGISTERED_HERE


class Gathering:
    """Gathers for requests for access."""

    def __init__(self, services: SubjectServices) -> None:
        self._services = services

    async def attempt(self, work: Work, steps: Steps) -> None:
        """Ask every service, store what comes, and say how far it is. Raises Overtaken."""
        try:
            await _Attempt(self._services, work, steps).gather()
        except KeyDestroyed:
            # The person has been forgotten meanwhile, so nothing more is made about them.
            await _end_unknown(work, steps)


class _Attempt:
    """One attempt at one request."""

    def __init__(self, services: SubjectServices, work: Work, steps: Steps) -> None:
        self._services = services
        self._work = work
        self._steps = steps

    async def gather(self) -> None:
        """Ask every service, store what comes, and say how far it is. Raises KeyDestroyed."""
        progress = await self._begin()
        found = await self._found(progress)
        if progress.standing is Standing.UNKNOWN:
            await _end_unknown(self._work, self._steps)
            return
        for service in found:
            answer = progress.answers[service]
            if answer.state is not AnswerState.GATHERED:
                progress.answers[service] = await self._gathered(progress, answer)
        await self._end(progress)

    async def _begin(self) -> _Progress:
        """The request, with a place for the answer of every service there is."""
        async with self._steps.step(self._work) as tx:
            request = await tx.access_requests.get(self._work.request)
            answers = {one.service: one for one in await tx.access_requests.answers(request.id)}
            for service in self._services.names:
                # The first section is the manifest, so services are numbered from 1.
                answers.setdefault(service, Answer(service, len(answers) + 1))
            request = replace(request, state=State.GATHERING, retry_at=None)
            await tx.access_requests.save(request)
            await tx.access_requests.put(request.id, answers.values())
        return _Progress(request, answers)

    async def _found(self, progress: _Progress) -> Found:
        """Ask every service whom it knows, until no further identity of the person comes up.

        What was gathered under fewer identities is not enough any more.
        """
        known = {progress.request.patient_id, *progress.request.identities}
        before = set(progress.request.identities)
        missing = [
            name
            for name in self._services.names
            if progress.answers[name].state is not AnswerState.GATHERED
        ]
        occasion = _occasion(progress.request)
        answers = await ask_until_known(self._services, missing, occasion, known)
        progress.standing = answers.standing
        if known != before:
            progress.answers = {name: one.asked_anew for name, one in progress.answers.items()}
        for service, failure in answers.failures.items():
            answer = progress.answers[service]
            if answer.state is not AnswerState.GATHERED:
                progress.answers[service] = answer.failed(failure)
        progress.request = replace(progress.request, identities=tuple(sorted(known)))
        async with self._steps.step(self._work) as tx:
            await tx.access_requests.save(progress.request)
            await tx.access_requests.put(self._work.request, progress.answers.values())
        return answers.found

    async def _gathered(self, progress: _Progress, answer: Answer) -> Answer:
        """What a service hands over is stored part by part; its answer, whole or not."""
        first, end = positions_of(answer.ordinal)
        async with self._steps.step(self._work) as tx:
            await tx.access_packages.clear(self._work.request, first, end)
        try:
            gathered = await self._stored(progress.request, answer, first)
        except Missing as missing:
            gathered = answer.failed(missing.failure)
        except NotWhole:
            gathered = answer.failed("DATA_LOSS")
        async with self._steps.step(self._work) as tx:
            await tx.access_requests.put(self._work.request, [gathered])
        return gathered

    async def _stored(self, request: AccessRequest, answer: Answer, position: int) -> Answer:
        """Store an export. Raises Missing and NotWhole."""
        section = Section(answer.service)
        tables: list[subject_pb2.HeldTable] = []
        complete = False
        query = _occasion(request).query(request.identities)
        async with aclosing(self._services.export(answer.service, query)) as messages:
            async for message in messages:
                for record in message.records:
                    parts = section.add(record.table, record.values, continues=record.continues)
                    for content in parts:
                        await self._store_part(request, Part(position, content))
                        position += 1
                tables.extend(message.tables)
                complete = message.complete
        if not complete:
            raise NotWhole
        told = {table.table: table.count for table in tables if table.count}
        rest, digest = section.end(told)
        for place, content in enumerate(rest, position):
            await self._store_part(request, Part(place, content))
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

    async def _store_part(self, request: AccessRequest, part: Part) -> None:
        async with self._steps.step(self._work) as tx:
            await tx.access_packages.add(request.id, request.key_name, part)

    async def _end(self, progress: _Progress) -> None:
        """The package is whole, or the request says what is missing and when it is tried again."""
        now, request = clock.now(), progress.request
        answers = list(progress.answers.values())
        async with self._steps.step(self._work) as tx:
            if is_whole(progress.standing, answers, self._services.names):
                done = replace(request, state=State.COMPLETE, completed_at=now, retry_at=None)
                await _write_frame(tx, done, answers)
                await tx.access_requests.save(done)
                await tx.access_work.done(self._work)
                return
            again = retry_at(now, self._work.attempt)
            await tx.access_requests.save(replace(request, state=State.INCOMPLETE, retry_at=again))
            if again is None:
                await tx.access_work.done(self._work)
            else:
                await tx.access_work.put_off(self._work, again)
        missing = [one.service for one in answers if one.state is not AnswerState.GATHERED]
        _log.warning("an access request is incomplete", extra={"missing": missing})


async def _end_unknown(work: Work, steps: Steps) -> None:
    """There is no such person, so there will be no package."""
    async with steps.step(work) as tx:
        request = await tx.access_requests.get(work.request)
        unknown = replace(request, state=State.UNKNOWN_PERSON, retry_at=None)
        await tx.access_requests.save(unknown)
        await tx.access_work.done(work)


async def _write_frame(tx: StoreTransaction, request: AccessRequest, answers: list[Answer]) -> None:
    """The manifest before the sections, and what closes the document behind them."""
    first, end = positions_of(0)
    await tx.access_packages.clear(request.id, first, end)
    for place, content in enumerate(manifest_parts(manifest_of(request, answers)), first):
        await tx.access_packages.add(request.id, request.key_name, Part(place, content))
    await tx.access_packages.add(request.id, request.key_name, Part(END, LAST_PART))


def _occasion(request: AccessRequest) -> Occasion:
    name = name_of("accessRequests", request.id)
    return Occasion(name, request.requester, request.patient_id)

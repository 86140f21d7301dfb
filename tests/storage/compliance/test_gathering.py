"""Gathering for a person: it survives workers that die, and never takes a part for the whole."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from compliance.clients.subject_data import Missing, Query, SubjectServices
from compliance.domain.access_requests import (
    AccessRequest,
    AnswerState,
    Requester,
    State,
)
from compliance.domain.keys import ACCESS_PACKAGE, KeyDestroyed, KeyWanted
from compliance.gathering import Gathering
from compliance.storage.access_work import ACCESS
from compliance.storage.store import Store
from compliance.worker import Worker
from core import clock, tasks
from core.errors import Unavailable
from core.ids import name_of, new_id
from medhub.subject.v1 import subject_pb2 as held
from medhub.subject.v1 import subject_service_pb2 as wire

ORGANIZATION = new_id()
# Generous: the machine runs other tests besides.
PATIENCE_SECONDS = 60.0
LONG, SHORT = timedelta(minutes=10), timedelta(milliseconds=300)


@dataclass
class Service:
    """A service that holds some notes of the person, and registers the person if told so."""

    notes: list[str]
    standing: held.Standing = held.STANDING_NOT_REGISTERED_HERE
    identities: list[str] = field(default_factory=list)
    failure: str = ""
    # Of the first question about the person: not the service's, but of whoever asks.
    trouble: Exception | None = None
    cut: bool = False
    # Waited for before the second half of an export.
    half: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    stalls: int = 0
    exports: int = 0
    finds: int = 0


@dataclass
class Services:
    """The services of a test, asked as `SubjectServices` asks real ones."""

    each: dict[str, Service]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.each))

    async def find(self, service: str, query: Query) -> wire.FindSubjectResponse:
        asked = self.each[service]
        if asked.failure:
            raise Missing(asked.failure)
        asked.finds += 1
        if asked.trouble is not None:
            trouble, asked.trouble = asked.trouble, None
            raise trouble
        names = {query["subject"], *query["also_known_as"], *asked.identities}
        return wire.FindSubjectResponse(standing=asked.standing, identities=sorted(names))

    async def export(
        self, service: str, query: Query
    ) -> AsyncGenerator[wire.ExportSubjectResponse]:
        asked = self.each[service]
        asked.exports += 1
        stalls = asked.exports <= asked.stalls
        table = f"{service}.note"
        middle = len(asked.notes) // 2
        for at, note in enumerate(asked.notes):
            if at == middle and stalls:
                asked.waiting.set()
                await asked.half.wait()
            text = json.dumps({"text": note})
            record = held.HeldRecord(table=table, values=text)
            yield wire.ExportSubjectResponse(records=[record])
        if not asked.cut:
            told = held.HeldTable(table=table, count=len(asked.notes))
            yield wire.ExportSubjectResponse(tables=[told], complete=True)


def _services(**each: Service) -> Services:
    known = Service(["born"], held.STANDING_KNOWN)
    return Services({"clinical": known, **each})


def _gathering(store: Store, services: Services, lease: timedelta = LONG) -> Worker:
    gathering = Gathering(cast("SubjectServices", services))
    return Worker(store, {ACCESS: gathering}, lease=lease)


async def _entered(store: Store) -> AccessRequest:
    """A request, and its place in the queue."""
    row, now = new_id(), clock.now()
    async with store.begin_for(ORGANIZATION) as tx:
        wanted = KeyWanted(name_of("patients", row), ACCESS_PACKAGE, "2026-11")
        [key] = await tx.keys.provision([wanted])
        request = AccessRequest(new_id(), row, Requester("user", new_id()), now, now, key.name)
        await tx.access_requests.add(request)
        await tx.access_work.add(request.id)
    return request


async def _shown(store: Store, request: AccessRequest) -> tuple[AccessRequest, dict[str, Any]]:
    async with store.begin_for(ORGANIZATION) as tx:
        found = await tx.access_requests.get(request.id)
        answers = await tx.access_requests.answers(request.id)
    return found, {one.service: one for one in answers}


async def _until(
    store: Store, request: AccessRequest, true: Callable[[AccessRequest], bool]
) -> AccessRequest:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true(found := (await _shown(store, request))[0]):  # noqa: ASYNC110 - a test
            await asyncio.sleep(0.02)
    return found


async def _document(store: Store, request: AccessRequest) -> dict[str, Any]:
    content, position = b"", -1
    while True:
        async with store.begin_for(ORGANIZATION) as tx:
            part = await tx.access_packages.after(request.id, request.key_name, position)
        if part is None:
            document: dict[str, Any] = json.loads(content)
            return document
        content, position = content + part.content, part.position


def _texts(document: dict[str, Any], service: str) -> list[str]:
    return [record["values"]["text"] for record in document[service]]


async def test_a_worker_that_dies_is_followed_by_another(store: Store) -> None:
    """What it had stored of an answer is stored anew, and the package has each row once."""
    services = _services(auth=Service(["one", "two", "three"], stalls=1))
    request = await _entered(store)
    first = asyncio.create_task(_gathering(store, services, SHORT).run())
    await asyncio.wait_for(services.each["auth"].waiting.wait(), PATIENCE_SECONDS)

    await tasks.end(first)
    second = asyncio.create_task(_gathering(store, services).run())
    await _until(store, request, lambda one: one.state is State.COMPLETE)
    await tasks.end(second)

    assert _texts(await _document(store, request), "auth") == ["one", "two", "three"]
    assert services.each["auth"].exports == 2


async def test_trouble_of_its_own_holds_a_request_up_for_a_moment(store: Store) -> None:
    """What an attempt stumbles over gives the request back: nobody waits for the lease."""
    services = _services(auth=Service(["one"], trouble=Unavailable()))
    request = await _entered(store)

    worker = asyncio.create_task(_gathering(store, services).run())
    await _until(store, request, lambda one: one.state is State.COMPLETE)
    await tasks.end(worker)

    assert _texts(await _document(store, request), "auth") == ["one"]


async def test_a_worker_that_comes_late_writes_no_more(store: Store) -> None:
    """It was taken for dead and another one has done its work, which it does not touch."""
    services = _services(auth=Service(["one", "two", "three"], stalls=1))
    request = await _entered(store)
    late = asyncio.create_task(_gathering(store, services, SHORT).run())
    await asyncio.wait_for(services.each["auth"].waiting.wait(), PATIENCE_SECONDS)
    other = asyncio.create_task(_gathering(store, services).run())
    await _until(store, request, lambda one: one.state is State.COMPLETE)
    whole = await _document(store, request)

    services.each["auth"].half.set()
    again = await _entered(store)
    await _until(store, again, lambda one: one.state is State.COMPLETE)
    await tasks.end(late)
    await tasks.end(other)

    assert await _document(store, request) == whole
    assert (await _shown(store, request))[0].state is State.COMPLETE


@pytest.mark.parametrize("trouble", [{"failure": "UNAVAILABLE"}, {"cut": True}])
async def test_a_service_that_does_not_answer_whole_is_missing(
    store: Store, trouble: dict[str, Any]
) -> None:
    """The request says which and why; the answers of the others stay, and are not asked twice."""
    services = _services(auth=Service(["one"], **trouble))
    request = await _entered(store)
    worker = asyncio.create_task(_gathering(store, services).run())

    waiting = await _until(store, request, lambda one: one.state is State.INCOMPLETE)
    answers = (await _shown(store, request))[1]
    services.each["auth"] = replace(services.each["auth"], failure="", cut=False)
    await _until(store, request, lambda one: one.state is State.COMPLETE)
    await tasks.end(worker)

    assert waiting.retry_at is not None
    assert answers["auth"].state is AnswerState.MISSING
    assert answers["auth"].last_failure == trouble.get("failure", "DATA_LOSS")
    assert answers["clinical"].state is AnswerState.GATHERED
    assert services.each["clinical"].exports == 1
    assert _texts(await _document(store, request), "auth") == ["one"]


async def test_who_has_answered_is_left_alone_while_another_is_away(store: Store) -> None:
    """Each question stands in the person's trail, so none is asked for nothing."""
    services = _services(auth=Service(["one"], failure="UNAVAILABLE"))
    request = await _entered(store)
    worker = asyncio.create_task(_gathering(store, services).run())

    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await _attempts(store, request)) < 3:  # noqa: ASYNC110 - a test
            await asyncio.sleep(0.02)
    await tasks.end(worker)

    assert services.each["clinical"].finds == 1


async def _attempts(store: Store, request: AccessRequest) -> int:
    answers = (await _shown(store, request))[1]
    return int(answers["auth"].failures) if "auth" in answers else 0


async def test_an_identity_that_comes_up_leads_to_asking_all_again(store: Store) -> None:
    """What one service knows the person as, all the others are asked for."""
    alias = name_of("patients", new_id())
    services = _services(auth=Service(["one"], identities=[alias]))
    request = await _entered(store)
    worker = asyncio.create_task(_gathering(store, services).run())

    done = await _until(store, request, lambda one: one.state is State.COMPLETE)
    await tasks.end(worker)

    assert set(done.identities) == {request.patient_id, UUID(alias.partition("/")[2])}


async def test_of_nobody_there_is_no_package(store: Store) -> None:
    """Who registers such persons does not know this one: that others hold nothing decides nothing.

    Where nobody registers them, nothing is ever complete.
    """
    services = _services()
    services.each["clinical"].standing = held.STANDING_UNKNOWN
    request = await _entered(store)
    worker = asyncio.create_task(_gathering(store, services).run())
    await _until(store, request, lambda one: one.state is State.UNKNOWN_PERSON)
    services.each["clinical"].standing = held.STANDING_NOT_REGISTERED_HERE
    nowhere = await _entered(store)
    await _until(store, nowhere, lambda one: one.state is State.INCOMPLETE)
    await tasks.end(worker)

    async with store.begin_for(ORGANIZATION) as tx:
        assert await tx.access_packages.after(request.id, request.key_name, 2**61) is None


async def test_of_whom_is_forgotten_meanwhile_nothing_is_made(store: Store) -> None:
    """The package is sealed under the person's key, and with the key goes the package."""
    request = await _entered(store)
    person = name_of("patients", request.patient_id)
    async with store.begin_for(ORGANIZATION) as tx:
        await tx.keys.destroy_subject_key(person, ACCESS_PACKAGE, at=clock.now())

    worker = asyncio.create_task(_gathering(store, _services()).run())
    found = await _until(store, request, lambda one: one.state is State.UNKNOWN_PERSON)
    await tasks.end(worker)

    assert found.completed_at is None


async def test_a_forgotten_person_has_no_package_any_more(store: Store) -> None:
    """Destroying the person's key makes the package unreadable, and none is made after that."""
    request = await _entered(store)
    worker = asyncio.create_task(_gathering(store, _services()).run())
    await _until(store, request, lambda one: one.state is State.COMPLETE)
    await tasks.end(worker)
    person = name_of("patients", request.patient_id)

    async with store.begin_for(ORGANIZATION) as tx:
        await tx.keys.destroy_subject_key(person, ACCESS_PACKAGE, at=clock.now())

    with pytest.raises(KeyDestroyed):
        await _document(store, request)
    with pytest.raises(KeyDestroyed):
        async with store.begin_for(ORGANIZATION) as tx:
            await tx.keys.provision([KeyWanted(person, ACCESS_PACKAGE, "2026-12")])

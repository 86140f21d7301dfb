"""Plans the erasure of a person in every service, and has it done once somebody has confirmed it.

All plan before any erases, and each erases by the digest of what it has planned. A service that
is away keeps the request open. One whose data have changed erases nothing: the request is planned
again, and waits for somebody to confirm it again. When all have signed they are asked once more, so
that what should be gone is seen to be gone.
"""

import logging
from dataclasses import dataclass, replace
from datetime import UTC

from compliance.asking import Occasion, ask, ask_until_known
from compliance.clients.subject_data import Changed, Missing, Query, SubjectServices
from compliance.domain.access_requests import Standing, retry_at
from compliance.domain.erasure_requests import (
    OWN,
    ErasureRequest,
    Keeps,
    Part,
    PartState,
    State,
    all_erased,
    all_planned,
    in_order,
    kept_elsewhere,
)
from compliance.storage.access_work import Work
from compliance.storage.store import StoreTransaction
from compliance.worker import Steps
from core import clock
from core.ids import name_of
from core.subject.grounds import ACCOUNTABILITY
from core.subject.receipts import is_unreadable
from medhub.subject.v1 import erasure_pb2, subject_service_pb2

STILL_FOUND = "STILL_FOUND"
PLAN_CHANGED = "ERASURE_PLAN_CHANGED"

_log = logging.getLogger("medhub.erasing")


@dataclass(slots=True)
class _Progress:
    """A request that is being worked on, and what is known of each service."""

    request: ErasureRequest
    parts: dict[str, Part]


class Erasing:
    """Works on requests for erasure."""

    def __init__(self, services: SubjectServices) -> None:
        self._services = services

    async def attempt(self, work: Work, steps: Steps) -> None:
        """One attempt at one request. Raises Overtaken."""
        await _Attempt(self._services, work, steps).go_on()


class _Attempt:
    """One attempt at one request."""

    def __init__(self, services: SubjectServices, work: Work, steps: Steps) -> None:
        self._services = services
        self._work = work
        self._steps = steps

    async def go_on(self) -> None:
        """Plan what is not confirmed, carry out what is."""
        progress = await self._begin()
        if progress.request.confirmation is None:
            await self._plan(progress)
        else:
            await self._erase(progress)

    async def _begin(self) -> _Progress:
        """The request, with a place for every service there is; a new one has to plan first."""
        async with self._steps.step(self._work) as tx:
            request = await tx.erasure_requests.lock(self._work.request)
            parts = {one.service: one for one in await tx.erasure_requests.parts(request.id)}
            for service in self._services.names:
                parts.setdefault(service, Part(service))
            if not all_planned(parts, self._services.names):
                request = replace(request, confirmation=None)
            state = State.PLANNING if request.confirmation is None else State.ERASING
            request = replace(request, state=state, retry_at=None)
            await tx.erasure_requests.save(request)
            await tx.erasure_requests.put(request.id, parts.values())
        return _Progress(request, parts)

    async def _plan(self, progress: _Progress) -> None:
        """Ask every service what it would do; the plan waits for somebody, or for a service."""
        standing = await self._identify(progress)
        if not self._others_planned(OWN, progress) and OWN in progress.parts:
            own = progress.parts[OWN]
            progress.parts[OWN] = own if own.is_erased else own.to_be_planned(own.last_failure)
        begun = any(part.receipt for part in progress.parts.values())
        if standing is Standing.UNKNOWN and not begun:
            await self._end(progress, State.UNKNOWN_PERSON)
            return
        for service in in_order(self._services.names):
            part = progress.parts[service]
            if part.state is PartState.WAITING and self._others_planned(service, progress):
                progress.parts[service] = await self._planned(progress, part)
        if all_planned(progress.parts, self._services.names):
            request = progress.request
            progress.request = replace(request, revision=request.revision + 1)
            await self._end(progress, State.PLANNED)
        else:
            await self._put_off(progress)

    async def _identify(self, progress: _Progress) -> Standing:
        """Ask whom the services know; what was planned under fewer identities does not hold."""
        known = {progress.request.patient_id, *progress.request.identities}
        before = set(progress.request.identities)
        missing = [n for n in self._services.names if not progress.parts[n].is_planned]
        answers = await ask_until_known(self._services, missing, _occasion(progress.request), known)
        for name, part in progress.parts.items():
            if name in answers.failures and not part.is_planned:
                progress.parts[name] = part.failed(answers.failures[name])
            elif part.state is PartState.MISSING or known != before:
                progress.parts[name] = part.to_be_planned(part.last_failure)
        progress.request = replace(progress.request, identities=tuple(sorted(known)))
        async with self._steps.step(self._work) as tx:
            await _save(tx, progress)
        return answers.standing

    def _others_planned(self, service: str, progress: _Progress) -> bool:
        """Whether this service has what it needs: its own one has to know what others keep."""
        others = [name for name in self._services.names if name != OWN]
        return service != OWN or all_planned(progress.parts, others)

    async def _planned(self, progress: _Progress, part: Part) -> Part:
        """A service's plan, kept as it came."""
        try:
            plan = await self._services.plan(part.service, self._query(progress, part.service))
        except Missing as missing:
            planned = part.failed(missing.failure)
        else:
            plan.ClearField("identities")
            planned = part.planned(plan.SerializeToString(), plan.digest, _keeps(plan))
        async with self._steps.step(self._work) as tx:
            await tx.erasure_requests.put(self._work.request, [planned])
        return planned

    async def _erase(self, progress: _Progress) -> None:
        """Have every service do its part; this one when all others have."""
        for service in in_order(self._services.names):
            part = progress.parts[service]
            others = [name for name in self._services.names if name != OWN]
            if part.is_erased:
                continue
            if service != OWN or all_erased(progress.parts, others):
                progress.parts[service] = await self._erased(progress, part)
        waits = [p for p in progress.parts.values() if p.state is PartState.WAITING]
        if waits:
            await self._plan_anew(progress)
        elif all_erased(progress.parts, self._services.names) and await self._forgotten(progress):
            await self._look_again(progress)
        else:
            await self._put_off(progress)

    async def _forgotten(self, progress: _Progress) -> bool:
        """Whether no service writes about somebody for whom no key is left to record under."""
        receipt = erasure_pb2.ErasureReceipt.FromString(progress.parts[OWN].receipt)
        if not is_unreadable(receipt):
            return True
        query = _occasion(progress.request).query(progress.request.identities)
        failed = {}
        for service in self._services.names:
            try:
                await self._services.restrict(service, query)
            except Missing as missing:
                failed[service] = replace(progress.parts[service], last_failure=missing.failure)
        progress.parts |= failed
        return not failed

    async def _erased(self, progress: _Progress, part: Part) -> Part:
        """What a service has signed for, or why it has not."""
        query = {**self._query(progress, part.service), "plan_digest": part.digest}
        try:
            receipt = await self._services.erase(part.service, query)
        except Missing as missing:
            erased = part.failed(missing.failure)
        except Changed:
            erased = part.to_be_planned(PLAN_CHANGED)
        else:
            erased = part.erased(receipt.SerializeToString())
        async with self._steps.step(self._work) as tx:
            await tx.erasure_requests.put(self._work.request, [erased])
        return erased

    async def _look_again(self, progress: _Progress) -> None:
        """Ask every service whether what it has signed for is so."""
        query = _occasion(progress.request).query(progress.request.identities)
        answers = await ask(self._services, self._services.names, query)
        still = [
            name for name, found in answers.found.items()
            if _emptied(progress.parts[name]) & {t.table for t in found.tables if t.count}
        ]  # fmt: skip
        for name in still:
            progress.parts[name] = progress.parts[name].to_be_planned(STILL_FOUND)
        if still:
            await self._plan_anew(progress)
        elif answers.failures:
            for name, failure in answers.failures.items():
                progress.parts[name] = replace(progress.parts[name], last_failure=failure)
            await self._put_off(progress)
        else:
            progress.parts = {n: replace(p, last_failure="") for n, p in progress.parts.items()}
            progress.request = replace(progress.request, completed_at=clock.now())
            await self._end(progress, State.COMPLETE)

    async def _plan_anew(self, progress: _Progress) -> None:
        """What was confirmed does not hold any more."""
        progress.request = replace(progress.request, confirmation=None, state=State.PLANNING)
        async with self._steps.step(self._work) as tx:
            await _save(tx, progress)
            await tx.access_work.put_off(self._work, clock.now())

    async def _end(self, progress: _Progress, state: State) -> None:
        """There is nothing more to do, now or for good."""
        progress.request = replace(progress.request, state=state, retry_at=None)
        async with self._steps.step(self._work) as tx:
            # Together: whoever confirms what they see puts the request into the queue again.
            await _save(tx, progress)
            await tx.access_work.done(self._work)

    async def _put_off(self, progress: _Progress) -> None:
        """Say who is missing, and when it is tried again."""
        again = retry_at(clock.now(), self._work.attempt)
        state = State.INCOMPLETE
        progress.request = replace(progress.request, state=state, retry_at=again)
        async with self._steps.step(self._work) as tx:
            await _save(tx, progress)
            if again is None:
                await tx.access_work.done(self._work)
            else:
                await tx.access_work.put_off(self._work, again)
        missing = [one.service for one in progress.parts.values() if one.last_failure]
        _log.warning("an erasure request is incomplete", extra={"missing": missing})

    def _query(self, progress: _Progress, service: str) -> Query:
        """What a service is asked to plan, and asked with the same to do."""
        request = progress.request
        query = _occasion(request).query(request.identities)
        kept = kept_elsewhere(progress.parts) if service == OWN else None
        if kept is None:
            return query
        elsewhere = subject_service_pb2.KeptElsewhere(until=kept.until)
        return {**query, "kept_elsewhere": elsewhere}


async def _save(tx: StoreTransaction, progress: _Progress) -> None:
    await tx.erasure_requests.save(progress.request)
    await tx.erasure_requests.put(progress.request.id, progress.parts.values())


def _occasion(request: ErasureRequest) -> Occasion:
    name = name_of("erasureRequests", request.id)
    return Occasion(name, request.requester, request.patient_id)


def _keeps(plan: subject_service_pb2.PlanErasureResponse) -> Keeps | None:
    """What the law keeps by a plan. The record of requests holds nothing else up."""
    kept = [
        table for table in plan.tables
        if table.action == erasure_pb2.ERASURE_ACTION_KEEP
        and table.count and table.retention != ACCOUNTABILITY
    ]  # fmt: skip
    if not kept:
        return None
    if not all(table.HasField("keep_until") for table in kept):
        return Keeps(None)
    return Keeps(max(table.keep_until.ToDatetime(tzinfo=UTC) for table in kept))


def _emptied(part: Part) -> set[str]:
    """The tables in which nothing is found any more, by the plan that the part was done by."""
    plan = subject_service_pb2.PlanErasureResponse.FromString(part.plan)
    kept = {t.table for t in plan.tables if t.action == erasure_pb2.ERASURE_ACTION_KEEP}
    return {table.table for table in plan.tables} - kept

"""Has every service keep a person's data without processing them, and lifts that again.

A service that is away is told when it is back: until then the restriction is not complete, and says
so. What the others have been told holds meanwhile.
"""

import logging
from dataclasses import dataclass, replace

from compliance.asking import Occasion, ask_until_known
from compliance.clients.subject_data import Missing, SubjectServices
from compliance.domain.access_requests import Standing, retry_at
from compliance.domain.restrictions import PartState, Restriction, State, Told, all_are
from compliance.storage.access_work import Work
from compliance.worker import Steps
from core import clock
from core.ids import name_of

_log = logging.getLogger("medhub.restricting")


@dataclass(slots=True)
class _Progress:
    """A restriction that is being worked on, and what each service has been told."""

    restriction: Restriction
    parts: dict[str, Told]


class Restricting:
    """Works on restrictions."""

    def __init__(self, services: SubjectServices) -> None:
        self._services = services

    async def attempt(self, work: Work, steps: Steps) -> None:
        """One attempt at one restriction. Raises Overtaken."""
        await _Attempt(self._services, work, steps).go_on()


class _Attempt:
    """One attempt at one restriction."""

    def __init__(self, services: SubjectServices, work: Work, steps: Steps) -> None:
        self._services = services
        self._work = work
        self._steps = steps

    async def go_on(self) -> None:
        """Tell every service what it has not been told."""
        progress = await self._begin()
        lifts = progress.restriction.lifting is not None
        if not lifts and await self._identify(progress) is Standing.UNKNOWN:
            await self._end(progress, State.UNKNOWN_PERSON)
            return
        wanted = PartState.LIFTED if lifts else PartState.RESTRICTED
        for service in self._services.names:
            part = progress.parts[service]
            if part.state is not wanted:
                progress.parts[service] = await self._told(progress, part, wanted)
        if all_are(wanted, progress.parts, self._services.names):
            await self._end(progress, State.LIFTED if lifts else State.ACTIVE)
        else:
            await self._end(progress, State.LIFTING if lifts else State.INCOMPLETE, again=True)

    async def _begin(self) -> _Progress:
        async with self._steps.step(self._work) as tx:
            restriction = await tx.restrictions.lock(self._work.request)
            parts = {one.service: one for one in await tx.restrictions.parts(restriction.id)}
            for service in self._services.names:
                parts.setdefault(service, Told(service))
            await tx.restrictions.put(restriction.id, parts.values())
        return _Progress(restriction, parts)

    async def _identify(self, progress: _Progress) -> Standing:
        """Ask whom the services know; who is told under fewer identities has to be told again."""
        restriction, names = progress.restriction, self._services.names
        known = {restriction.patient_id, *restriction.identities}
        before = set(restriction.identities)
        bound = PartState.RESTRICTED
        missing = [name for name in names if progress.parts[name].state is not bound]
        answers = await ask_until_known(self._services, missing, _occasion(restriction), known)
        if known != before:
            progress.parts = {
                name: replace(part, state=PartState.WAITING)
                for name, part in progress.parts.items()
            }
        progress.restriction = replace(restriction, identities=tuple(sorted(known)))
        return answers.standing

    async def _told(self, progress: _Progress, part: Told, wanted: PartState) -> Told:
        restriction = progress.restriction
        query = _occasion(restriction).query(restriction.identities)
        try:
            if wanted is PartState.LIFTED:
                await self._services.lift(part.service, query)
            else:
                await self._services.restrict(part.service, query)
        except Missing as missing:
            told = part.failed(missing.failure)
        else:
            told = Told(part.service, wanted)
        async with self._steps.step(self._work) as tx:
            await tx.restrictions.put(self._work.request, [told])
        return told

    async def _end(self, progress: _Progress, state: State, *, again: bool = False) -> None:
        """There is nothing more to do, or not before a while.

        It may have been lifted meanwhile: that is kept, and is what is worked on next.
        """
        when = retry_at(clock.now(), self._work.attempt) if again else None
        async with self._steps.step(self._work) as tx:
            now = await tx.restrictions.lock(self._work.request)
            if now.lifting != progress.restriction.lifting:
                state, when = now.state, clock.now()
            changed = replace(
                now, state=state, retry_at=when, identities=progress.restriction.identities
            )
            await tx.restrictions.save(changed)
            await tx.restrictions.put(changed.id, progress.parts.values())
            if when is None:
                await tx.access_work.done(self._work)
            else:
                await tx.access_work.put_off(self._work, when)
        if again:
            missing = [one.service for one in progress.parts.values() if one.failures]
            _log.warning("a restriction is incomplete", extra={"missing": missing})


def _occasion(restriction: Restriction) -> Occasion:
    name = name_of("restrictions", restriction.id)
    return Occasion(name, restriction.requester, restriction.patient_id)

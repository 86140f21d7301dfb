"""From rows of the outbox to sealed events."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

from google.protobuf.message import Message

from core import clock
from core.audit.keys import Key, Keys, Wanted
from core.audit.parts import (
    Part,
    actor_of,
    actor_part,
    associated,
    clear_part,
    forgotten_actor_part,
    forgotten_subject_part,
    subject_of,
    subject_part,
)
from core.crypto.seal import seal
from core.database.outbox import Entry
from core.errors import Unavailable
from medhub.event.v1.audit_event_pb2 import ClearPart, SealedEvent, SealedParts

AT_A_STRETCH = 50
"""Events sealed before other tasks get a turn: about 3 ms, for calls share this process."""

_NOBODY = ""

_Found = Mapping[Wanted, Key | None]


class Sealer:
    """Seals events of one source, each under the keys of whom it is about and of who acted."""

    def __init__(self, source: str, keys: Keys) -> None:
        self._source = source
        self._keys = keys

    async def seal(self, entries: Sequence[Entry]) -> list[SealedEvent]:
        """The events of these rows, in their order. Raises grpc.aio.AioRpcError, Unavailable."""
        wanted = [_wanted(entry) for entry in entries]
        found = await self._with_substitutes(await self._keys.provide(chain(*wanted)))
        events: list[SealedEvent] = []
        for start in range(0, len(entries), AT_A_STRETCH):
            some = slice(start, start + AT_A_STRETCH)
            events += [
                self._sealed(entry, *keys, found)
                for entry, keys in zip(entries[some], wanted[some], strict=True)
            ]
            await asyncio.sleep(0)
        return events

    async def _with_substitutes(self, found: _Found) -> dict[Wanted, Key | None]:
        """What stands in for each destroyed key, beside the keys that live.

        An event is never held back by a forgotten person or an expired month: it is sealed under
        the organization's own key without naming the person, or under the present month's.
        """
        complete = dict(found)
        for gone in [one for one, key in found.items() if key is None]:
            for other in _substitutes(gone):
                provided = (await self._keys.provide([other]))[other]
                if provided is not None:
                    complete[gone] = provided
                    break
        return complete

    def _sealed(
        self, entry: Entry, subject_wanted: Wanted, actor_wanted: Wanted, found: _Found
    ) -> SealedEvent:
        subject, actor = _living(found, subject_wanted), _living(found, actor_wanted)
        clear = clear_part(
            entry, self._source, subject_ref=subject.reference, actor_ref=actor.reference
        )
        # A key without a reference is the organization's: the person asked for is forgotten.
        about_nobody = bool(subject_wanted.subject) and not subject.reference
        by_nobody = bool(actor_wanted.subject) and not actor.reference
        about = forgotten_subject_part() if about_nobody else subject_part(entry)
        by = forgotten_actor_part(entry) if by_nobody else actor_part(entry)
        sealed = SealedParts(
            subject_key=subject.name,
            subject_part=_part(clear, Part.SUBJECT, subject, about),
            actor_key=actor.name,
            actor_part=_part(clear, Part.ACTOR, actor, by),
        )
        return SealedEvent(clear=clear.SerializeToString(), sealed=sealed.SerializeToString())


def _wanted(entry: Entry) -> tuple[Wanted, Wanted]:
    """The keys of an event: of the person concerned, and of who acted."""
    month = _month(entry.occurred_at)
    organization = entry.organization_id
    return (
        Wanted(organization, subject_of(entry), month),
        Wanted(organization, actor_of(entry), month),
    )


def _substitutes(gone: Wanted) -> list[Wanted]:
    """In order: which of the two keys is gone shows by which of these lives."""
    organization: UUID = gone.organization
    present = _month(clock.now())
    return [
        Wanted(organization, _NOBODY, gone.month),
        Wanted(organization, gone.subject, present),
        Wanted(organization, _NOBODY, present),
    ]


def _living(found: _Found, wanted: Wanted) -> Key:
    key = found[wanted]
    if key is None:
        # Even the organization's key of this month was destroyed: the next month has another.
        raise Unavailable
    return key


def _month(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()[:7]


def _part(clear: ClearPart, part: Part, key: Key, content: Message) -> bytes:
    bound = associated(
        part, event_id=clear.event_id, organization=clear.organization_id, key=key.name
    )
    return seal(key.secret, content.SerializeToString(), bound)

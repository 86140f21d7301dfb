"""Handing over everything that the platform holds of an organization that leaves.

It is suspended before: nothing is added to what is read. Each service records in the organization's
trail that its rows are handed over, and the trail has every record before it is read itself.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import psycopg

from core import clock, identity
from core.identity import Call, Caller, Kind
from core.offboarding.destruction import NotReady
from core.offboarding.rows import lines_of
from hub import archive
from hub.offboarding.package import FORMAT, Contents
from hub.places import Place
from hub.services import Service

ACTION = "organization.data.export"
DRAIN_SECONDS = 60.0
"""For records on their way to the trail: a second, or some while a relay finds its leader."""

_LOOK_SECONDS = 0.2
_CONNECT_SECONDS = 10
_ORGANIZATION = "SELECT display_name, suspended_at FROM organization WHERE id = %s"

Report: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Leaving:
    """An organization that is suspended, and since when."""

    id: UUID
    display_name: str
    suspended_at: datetime


def leaving(places: Sequence[Place], organization: UUID) -> Leaving:
    """The organization, if it may leave. Raises NotReady."""
    [auth] = [place for place in places if place.service is Service.AUTH]
    with psycopg.connect(auth.owner_url, connect_timeout=_CONNECT_SECONDS) as connection:
        row = connection.execute(_ORGANIZATION, (organization,)).fetchone()
    if row is None:
        raise NotReady(f"there is no organizations/{organization}")
    if row[1] is None:
        raise NotReady("it is not suspended: medhub auth suspend-organization shuts everybody out")
    return Leaving(organization, str(row[0]), row[1])


async def export(
    places: Sequence[Place],
    organization: UUID,
    target: Path,
    recipient: archive.Recipient,
    report: Report,
) -> None:
    """Write the package, sealed; each service keeps its digest. Raises NotReady."""
    who = await asyncio.to_thread(leaving, places, organization)
    for place in places:
        await _record(place, organization)
    await asyncio.to_thread(drain, places, organization)
    with archive.written(target, recipient) as writer:
        writer.json(archive.MANIFEST, _manifest(places, who))
        contents = Contents(writer)
        for place in places:
            report(f"{place.service}: {await _rows(place, organization, contents)} rows")
        digest = contents.end()
    for place in places:
        destruction = place.destruction()
        await asyncio.to_thread(destruction.exported, organization, digest, who.suspended_at)


def drain(places: Sequence[Place], organization: UUID) -> None:
    """Wait until every record of the organization has reached the trail. Raises NotReady."""
    until = time.monotonic() + DRAIN_SECONDS
    for place in places:
        destruction = place.destruction()
        while destruction.waiting(organization):
            if time.monotonic() > until:
                raise NotReady(
                    f"{place.service}: records are on their way to the trail; are all servers up?"
                )
            time.sleep(_LOOK_SECONDS)


def _manifest(places: Sequence[Place], who: Leaving) -> dict[str, object]:
    """What a package says of itself, and the keys that will sign for the destruction."""
    return {
        "format": FORMAT,
        "organization": f"organizations/{who.id}",
        "display_name": who.display_name,
        "suspended_at": who.suspended_at.isoformat(),
        "made_at": clock.now().isoformat(timespec="seconds"),
        "medhub": version("medhub"),
        "receipt_keys": {place.service: place.destruction().verifier_key() for place in places},
    }


async def _record(place: Place, organization: UUID) -> None:
    """The act is in the trail before the first row leaves."""
    _enter(place, organization)
    async with place.database() as database, database.begin() as tx:
        await tx.record_act(ACTION, resource=f"organizations/{organization}")


async def _rows(place: Place, organization: UUID, contents: Contents) -> int:
    """Every table of one service; how many rows."""
    _enter(place, organization)
    rows = 0
    async with place.database() as database, database.begin(read_only=True) as tx:
        for belonging in place.belongings().tables():
            table = contents.begin(place.service, belonging)
            async with aclosing(lines_of(tx, belonging, organization)) as read:
                async for lines in read:
                    table.add(lines)
            rows += table.end()
    return rows


def _enter(place: Place, organization: UUID) -> None:
    """Read inside the organization, behind row-level security; whoever is restricted included."""
    identity.enter(
        Call(
            method=f"{place.service}.offboard",
            caller=Caller(kind=Kind.SERVICE, organization=organization),
            action=ACTION,
            purpose="operation",
            sees_restricted=True,
        )
    )

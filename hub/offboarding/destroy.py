"""Destroying what was handed over, in every service, and keeping the receipts."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

from core.offboarding.destruction import NotReady, Offboarding
from hub.destroyed_organizations import DestroyedOrganization
from hub.layout import Layout
from hub.offboarding.export import Report, drain, leaving
from hub.places import ORDER, Place, of_layout
from hub.services import Service


def destroy(
    places: Sequence[Place], organization: UUID, digest: bytes, folder: Path, report: Report
) -> None:
    """Destroy what this digest stands for; what is done already is not done again.

    Raises NotReady, and OSError where the receipts cannot be kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not _has_begun(places, organization, digest):
        drain(places, organization)
    for place in places:
        place.destruction().begin(organization, digest)
    for place in places:
        note = place.destruction().destroy(organization, digest)
        path = folder / f"{place.service}.receipt"
        path.write_bytes(note)
        report(f"{place.service}: destroyed; {path}")


def redo_destroyed(layout: Layout, gone: Iterable[DestroyedOrganization]) -> int:
    """Destroy again what a backup has brought back; how many organizations.

    Called before anything serves.
    """
    places = {place.service: place for place in of_layout(layout)}
    again = set()
    for one in sorted(gone, key=lambda one: ORDER.index(Service(one.service))):
        known = Offboarding(
            one.export_digest, one.suspended_at, None, one.destroyed_at, {}, one.receipt
        )
        if places[Service(one.service)].destruction().redo(one.organization, known):
            again.add(one.organization)
    return len(again)


def _has_begun(places: Sequence[Place], organization: UUID, digest: bytes) -> bool:
    """Whether a first run was broken off. Before it begins it is looked at whole: all or nothing.

    Raises NotReady.
    """
    states = {place.service: place.destruction().state(organization) for place in places}
    for service, state in states.items():
        if state is None or state.export_digest != digest:
            raise NotReady(f"{service} has handed over nothing by this digest")
    known = [state for state in states.values() if state is not None]
    if any(state.begun_at is not None for state in known):
        return True
    who = leaving(places, organization)
    if any(state.suspended_at != who.suspended_at for state in known):
        raise NotReady("it has worked since the package was made: hand it over again")
    return False

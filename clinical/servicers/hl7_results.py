"""Results as ORU messages tell of them."""

from dataclasses import replace
from uuid import UUID

from clinical.domain.encounters import visit_of
from clinical.domain.hl7 import PatientResults
from clinical.domain.observations import Observation, observe
from clinical.storage.store import Work
from core import clock
from core.ids import new_id


async def add_results(work: Work, patient: UUID, group: PatientResults) -> None:
    """Add the results of one patient; what they correct is superseded and stays readable."""
    encounter = await _encounter(work, patient, group)
    at = clock.now()
    observations = [
        observe(new_id(), patient, encounter, report, sent, at=at)
        for report in group.reports
        for sent in report.observations
    ]
    orders = {one.order_number for one in observations} - {""}
    standing = await work.observations.standing(patient, sorted(orders)) if orders else {}
    linked = [_superseding(one, standing) for one in observations]
    await work.observations.add([one for one, _ in linked])
    for one, older in linked:
        if older:
            await work.observations.supersede(older, one.id)


def _superseding(
    one: Observation, standing: dict[tuple[str, str, str], list[UUID]]
) -> tuple[Observation, list[UUID]]:
    """A result with what it stands in for: earlier ones of its order, code and sub-id."""
    older = [] if one.key is None else standing.pop(one.key, [])
    return (replace(one, supersedes_id=older[-1]) if older else one), older


async def _encounter(work: Work, patient: UUID, group: PatientResults) -> UUID | None:
    """The stay that the results name, if it is known here."""
    if group.encounter is None:
        return None
    system, number = visit_of(group.encounter)
    if not number:
        return None
    found = await work.encounters.lock_visit(patient, system, number)
    return None if found is None else found.id

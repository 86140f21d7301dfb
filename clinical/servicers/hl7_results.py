"""Results as ORU messages tell of them."""

from dataclasses import replace
from uuid import UUID

from clinical.domain.encounters import visit_of
from clinical.domain.hl7 import PatientResults
from clinical.domain.hl7_findings import Finding
from clinical.domain.observations import confirmed, observe, outdated, possible_report
from clinical.storage.store import Work
from core import clock
from core.ids import new_id


async def add_results(work: Work, patient: UUID, group: PatientResults) -> list[Finding]:
    """Add the results of one patient; what does not stand stays readable.

    Either it is corrected by what arrives, or it arrives when something better is known already:
    that is a finding.
    """
    encounter = await _encounter(work, patient, group)
    at = clock.now()
    findings: list[Finding] = []
    told = []
    for sent in group.reports:
        report, wrong = possible_report(sent, at=at)
        findings += wrong
        told += [
            (observe(new_id(), patient, encounter, report, each, at=at), each)
            for each in report.observations
        ]
    orders = {one.order_number for one, _ in told} - {""}
    standing = await work.observations.standing(patient, sorted(orders)) if orders else {}
    added, superseded = [], []
    for arrived, each in told:
        one = arrived
        among = [] if one.key is None else standing.get(one.key, [])
        known = [row for row in among if row.is_of(one)]
        better = [row.id for row in known if row.outranks(one)]
        if better:
            superseded.append((one.id, better[-1]))
            findings.append(outdated(each))
            added.append(one)
            continue
        # Results that one message repeats under a key do not correct each other.
        among[:] = [row for row in among if row not in known]
        superseded += [(row.id, one.id) for row in known]
        if one.confirms and known:
            one = confirmed(one, await work.observations.get(patient, known[-1].id))
        added.append(replace(one, supersedes_id=known[-1].id) if known else one)
    await work.observations.add(added)
    await work.observations.supersede(superseded)
    return findings


async def _encounter(work: Work, patient: UUID, group: PatientResults) -> UUID | None:
    """The stay that the results name, if it is known here."""
    if group.encounter is None:
        return None
    system, number = visit_of(group.encounter)
    if not number:
        return None
    found = await work.encounters.lock_visit(patient, system, number)
    return None if found is None else found.id

"""Until when the law keeps a person's record, from the rows of their stays."""

from typing import Final

from clinical.domain.retention import CLASS, Passage, keeps_until
from core import clock
from core.database import Transaction
from core.subject.grounds import Kept, Term
from core.subject.holdings import about
from core.subject.person import Person

# A stay that was called off was none. What has no date of its own was here when it was written.
_PASSAGE: Final = about("""
    SELECT
        (SELECT max(at) FROM (
            SELECT COALESCE(e.ended_at, e.started_at, e.created_at) AS at FROM encounter e
            WHERE e.patient_id = ANY (:people) AND e.status NOT IN ('CANCELLED', 'PLANNED')
            UNION ALL
            SELECT COALESCE(o.effective_at, o.issued_at, o.created_at) FROM observation o
            WHERE o.patient_id = ANY (:people)
        ) AS seen) AS last_at,
        EXISTS (SELECT 1 FROM encounter e WHERE e.patient_id = ANY (:people)
            AND e.status IN ('PLANNED', 'IN_PROGRESS')) AS is_open,
        COALESCE((SELECT max(p.birth_date) FROM patient p WHERE p.id = ANY (:people)), '')
            AS birth_date,
        COALESCE((SELECT max(p.death_date) FROM patient p WHERE p.id = ANY (:people)), '')
            AS death_date
""")


async def _term(tx: Transaction, person: Person, _elsewhere: Kept | None) -> Kept | None:
    row = await tx.one(_PASSAGE, people=list(person.ids))
    if row is None:
        raise LookupError("a question without a table has one answer")
    if row.is_open:
        return Kept()
    until = keeps_until(Passage(*row))
    return Kept(until) if until is not None and until > clock.now() else None


TERMS: Final[dict[str, Term]] = {CLASS: _term}

"""What billing holds of persons: patients, on invoices and in payments. It registers nobody.

An invoice is an accounting document once it has its number, and a payment when it is recorded. The
law keeps both for ten years from the end of the year; the books are taken to close with the
calendar's. Drafts are nobody's evidence.
"""

from datetime import UTC, datetime
from typing import Final

from billing.storage.tables import metadata
from core.database import Transaction
from core.subject.grounds import Kept, Term
from core.subject.holdings import Holdings, about
from core.subject.person import Person

_TERM_YEARS: Final = 10
_LAST: Final = about("""
    SELECT max(day) AS day FROM (
        SELECT i.issue_date AS day FROM invoice i
        WHERE i.patient_id = ANY (:people) AND i.state = 'FINAL'
        UNION ALL
        SELECT p.received_on FROM payment p WHERE p.patient_id = ANY (:people)
        UNION ALL
        SELECT (a.created_at AT TIME ZONE 'UTC')::date FROM allocation a
        WHERE a.patient_id = ANY (:people)
    ) AS booked
""")


def holdings() -> Holdings:
    """The tables of billing, for the subject contract."""
    return Holdings("billing", metadata, terms=TERMS)


async def _term(tx: Transaction, person: Person, _elsewhere: Kept | None) -> Kept | None:
    """What is in the books stays at least so long; medhub never takes it out of them."""
    row = await tx.one(_LAST, people=list(person.ids))
    if row is None or row.day is None:
        return None
    return Kept(datetime(row.day.year + _TERM_YEARS + 1, 1, 1, tzinfo=UTC))


TERMS: Final[dict[str, Term]] = {"fr.com.l123-22": _term}

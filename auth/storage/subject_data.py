"""What auth holds of persons: those who log in; and of patients, the grants that name one."""

from auth.domain.events import erased_grant_from
from auth.storage.state import State
from auth.storage.tables import metadata
from core.database import Transaction
from core.subject.holdings import Holdings, about
from core.subject.person import Person

# Row-level security shows the memberships of one organization, so only its own people are known.
_MEMBER = "SELECT m.user_id AS id FROM membership m WHERE m.user_id = ANY (:people)"
# Of the table of the state, and not of that of grants, whose rows are gone by then.
_TOLD = about(
    """SELECT event FROM auth_state WHERE starts_with(key, 'grant/')
        AND (event->>'organization')::uuid = :organization_id
        AND (event->>'patient')::uuid = ANY (:people) ORDER BY key"""
)


def holdings() -> Holdings:
    """The tables of auth, for the subject contract."""
    return Holdings("auth", metadata, registers={"user": _MEMBER}, tells=_tell_of_grants)


async def _tell_of_grants(tx: Transaction, person: Person) -> None:
    """No server knows a grant about an erased patient any more, nor does a snapshot name them.

    The events of before are forgotten with all others, within the half hour.
    """
    if person.kind != "patient":
        return
    told = await tx.all(_TOLD, **person.parameters(_TOLD))
    if told:
        await State(tx).publish([erased_grant_from(row.event) for row in told])

"""What auth holds of persons: those who log in. Of patients it knows nothing."""

from auth.storage.tables import metadata
from core.subject.holdings import Holdings

# Row-level security shows the memberships of one organization, so only its own people are known.
_MEMBER = "SELECT m.user_id AS id FROM membership m WHERE m.user_id = ANY (:people)"


def holdings() -> Holdings:
    """The tables of auth, for the subject contract."""
    return Holdings("auth", metadata, registers={"user": _MEMBER})

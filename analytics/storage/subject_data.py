"""What analytics holds of persons: nothing, and it says so when it is asked."""

from analytics.storage.tables import metadata
from core.subject.holdings import Holdings


def holdings() -> Holdings:
    """No table is about anybody."""
    return Holdings("analytics", metadata)

"""What analytics holds of organizations: every table is theirs."""

from analytics.storage.tables import metadata
from core.offboarding.belongings import Belongings


def belongings() -> Belongings:
    """The tables of analytics, for an organization that leaves."""
    return Belongings("analytics", metadata)

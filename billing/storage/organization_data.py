"""What billing holds of organizations: every table is theirs."""

from billing.storage.tables import metadata
from core.offboarding.belongings import Belongings


def belongings() -> Belongings:
    """The tables of billing, for an organization that leaves."""
    return Belongings("billing", metadata)

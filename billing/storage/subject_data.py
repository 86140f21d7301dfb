"""What billing holds of persons: patients, on invoices and in payments. It registers nobody."""

from billing.storage.tables import metadata
from core.subject.holdings import Holdings


def holdings() -> Holdings:
    """The tables of billing, for the subject contract."""
    return Holdings("billing", metadata)

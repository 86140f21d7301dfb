"""The owner may destroy an organization that leaves: triggers that watch over deleting let it."""

from alembic import op

from billing.storage.guards import guard
from billing.storage.tables import metadata
from core.database.secure import renew_triggers

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Renew the triggers, and the guards of the books."""
    renew_triggers(op.get_bind(), metadata)
    guard(op.get_bind())

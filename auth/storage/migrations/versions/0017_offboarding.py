"""The owner may destroy an organization that leaves: triggers that watch over deleting let it."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import renew_triggers

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Renew the triggers."""
    renew_triggers(op.get_bind(), metadata)

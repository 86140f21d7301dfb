"""The first tables."""

from alembic import op

from clinical.storage.tables import metadata
from core.database.secure import create_all

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables, with the walls around their rows."""
    create_all(op.get_bind(), metadata)

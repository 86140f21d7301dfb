"""Access to single patients for a time."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import add_tables

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table, unless the first tables were made with it."""
    add_tables(op.get_bind(), metadata, "access_grant")

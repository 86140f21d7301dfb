"""How many messages each account has asked for."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import add_tables

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the table, unless the first tables were made with it."""
    add_tables(op.get_bind(), metadata, "message_count")

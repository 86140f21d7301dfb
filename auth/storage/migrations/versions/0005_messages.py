"""The queue of messages to people."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import add_tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the queue, unless the first tables were made with it."""
    add_tables(op.get_bind(), metadata, "message")

"""Second factors, and what is asked of whoever has some."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import add_tables

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables, unless the first ones were made with them."""
    add_tables(op.get_bind(), metadata, "factor", "backup_code", "challenge")

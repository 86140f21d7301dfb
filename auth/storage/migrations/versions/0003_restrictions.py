"""Whose data the service keeps and does not process."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import add_tables, secure

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the lists, unless the first tables were made with them, and put all others behind it."""
    add_tables(op.get_bind(), metadata, "restricted_person", "erased_person")
    for table in metadata.sorted_tables:
        secure(op.get_bind(), table)

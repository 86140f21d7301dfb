"""Requests for erasure, worked on from the same queue as those for access."""

from alembic import op

from compliance.storage.tables import metadata
from core.database.secure import add_tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables and the column, unless the first tables were made with them."""
    op.execute(
        "ALTER TABLE access_work ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT 'ACCESS'"
    )
    add_tables(op.get_bind(), metadata, "erasure_request", "erasure_part")

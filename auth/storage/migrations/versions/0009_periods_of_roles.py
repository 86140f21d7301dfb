"""Roles that are held for a time."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import secure

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column, unless the table was made with it. Whoever holds a role holds it always."""
    op.execute(
        "ALTER TABLE membership ADD COLUMN IF NOT EXISTS timed_roles jsonb NOT NULL DEFAULT '[]'"
    )
    secure(op.get_bind(), metadata.tables["membership"])

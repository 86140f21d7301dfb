"""What sessions are opened with, and from when on those of many have ended at once."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import secure

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns, unless the first tables were made with them, and capture them too."""
    op.execute("ALTER TABLE session ADD COLUMN IF NOT EXISTS device text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE session ADD COLUMN IF NOT EXISTS revision bigint NOT NULL DEFAULT 0")
    for table in ("organization", "auth_revision"):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS session_epoch bigint NOT NULL DEFAULT 0"
        )
    for name in ("session", "organization", "auth_revision"):
        secure(op.get_bind(), metadata.tables[name])

"""By what a follower sees that the sequence is not the one that it has followed."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import secure

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the column, unless the table was made with it."""
    op.execute(
        "ALTER TABLE auth_revision"
        " ADD COLUMN IF NOT EXISTS history uuid NOT NULL DEFAULT gen_random_uuid()"
    )
    secure(op.get_bind(), metadata.tables["auth_revision"])

"""What decides which result of an order stands."""

from alembic import op

from clinical.storage.tables import metadata
from core.database.secure import secure

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns, unless the first tables were made with them."""
    op.execute(
        """ALTER TABLE observation ADD COLUMN IF NOT EXISTS order_system text,
        ADD COLUMN IF NOT EXISTS sent_status text NOT NULL DEFAULT ''"""
    )
    secure(op.get_bind(), metadata.tables["observation"])

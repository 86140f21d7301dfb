"""Which checks of messages reject at an endpoint."""

from alembic import op

from clinical.storage.tables import metadata
from core.database.secure import secure

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column, unless the first tables were made with it."""
    op.execute(
        "ALTER TABLE hl7_endpoint"
        " ADD COLUMN IF NOT EXISTS rejected_rules text[] NOT NULL DEFAULT '{}'"
    )
    secure(op.get_bind(), metadata.tables["hl7_endpoint"])

"""When people have authenticated by whom an identity provider says so."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import secure

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the columns, unless the tables were made with them."""
    op.execute("ALTER TABLE session ADD COLUMN IF NOT EXISTS authenticated_at timestamptz")
    op.execute(
        "ALTER TABLE federated_login ADD COLUMN IF NOT EXISTS fresh boolean NOT NULL DEFAULT false"
    )
    for name in ("session", "federated_login"):
        secure(op.get_bind(), metadata.tables[name])

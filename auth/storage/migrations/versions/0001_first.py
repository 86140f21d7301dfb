"""The first tables, and the first revision of the auth state."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import create_all

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Revision 0 means "nothing yet" to a subscriber, so the first one is 1."""
    create_all(op.get_bind(), metadata)
    op.execute("INSERT INTO auth_revision (id, value) VALUES (1, 1)")

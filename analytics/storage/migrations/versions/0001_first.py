"""The first tables."""

from alembic import op

from analytics.storage.tables import metadata
from core.database.secure import create_all

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    create_all(op.get_bind(), metadata)

"""The first tables."""

from alembic import op

from core.database.secure import create_all
from tests.support.ward.storage.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create and secure them."""
    create_all(op.get_bind(), metadata)

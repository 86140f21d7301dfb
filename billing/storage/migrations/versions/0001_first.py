"""The first tables, and what guards them."""

from alembic import op

from billing.storage.guards import guard
from billing.storage.tables import metadata
from core.database.secure import create_all

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables, with the walls around their rows."""
    create_all(op.get_bind(), metadata)
    guard(op.get_bind())

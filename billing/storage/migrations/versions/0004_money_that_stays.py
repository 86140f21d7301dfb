"""What came in and what is owed is held by the database too."""

from alembic import op

from billing.storage.guards import guard

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Renew the guards, with those of payments."""
    guard(op.get_bind())

"""Organizations' own identity providers, and who is who at them."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import add_tables

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables, unless the first ones were made with them."""
    add_tables(op.get_bind(), metadata, "identity_provider", "federated_login", "external_identity")

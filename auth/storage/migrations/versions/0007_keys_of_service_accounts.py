"""Several keys for a service account; the one that each has is the first of them."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import add_tables

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables, unless the first ones were made with them, and take the keys over."""
    add_tables(op.get_bind(), metadata, "service_account_key", "service_key_use")
    op.execute(
        """INSERT INTO service_account_key (id, account_id, public_key, created_at)
        SELECT gen_random_uuid(), a.id, a.public_key, a.created_at FROM service_account a
        WHERE NOT EXISTS (
            SELECT 1 FROM service_account_key k WHERE k.account_id = a.id)"""
    )

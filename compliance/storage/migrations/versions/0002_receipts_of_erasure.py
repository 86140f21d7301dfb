"""What the service keeps of the erasures it has done."""

from alembic import op

from compliance.storage.tables import metadata
from core.database.secure import add_tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, unless the first ones were made with them."""
    add_tables(op.get_bind(), metadata, "erasure_receipt", "receipt_key")

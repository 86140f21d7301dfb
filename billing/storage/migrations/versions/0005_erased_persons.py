"""About whom the service writes nothing any more."""

from alembic import op

from billing.storage.tables import metadata
from core.database.secure import add_tables, secure

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the list, unless the first tables were made with it, and put all others behind it."""
    add_tables(op.get_bind(), metadata, "erased_person")
    for table in metadata.sorted_tables:
        secure(op.get_bind(), table)

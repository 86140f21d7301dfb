"""The owner may destroy an organization that leaves: triggers that watch over deleting let it.

What refers to a row that goes is found by index.
"""

from alembic import op
from sqlalchemy import text

from clinical.storage.tables import metadata
from core.database.secure import renew_triggers

revision = "0006"
down_revision = "0005"

_REFERRING = (
    ("care_link", "encounter_id"),
    ("observation", "encounter_id"),
    ("observation", "supersedes_id"),
)


def upgrade() -> None:
    """Renew the triggers, and make the indexes, unless the first tables were made with them."""
    renew_triggers(op.get_bind(), metadata)
    for table, column in _REFERRING:
        op.create_index(
            f"ix_{table}_{column}",
            table,
            ["organization_id", column],
            postgresql_where=text(f"{column} IS NOT NULL"),
            if_not_exists=True,
        )

"""The numbers of deleted patients are found by index."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index, unless the first tables were made with it."""
    op.create_index(
        "ix_patient_identifier_value_index_system",
        "patient_identifier",
        ["organization_id", "value_index", "system"],
        postgresql_where="NOT is_held",
        if_not_exists=True,
    )

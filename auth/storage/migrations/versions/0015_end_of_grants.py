"""Grants that end with the membership of who holds them."""

from alembic import op

from auth.storage.everywhere import end_grants_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the function that ends them."""
    for statement in end_grants_sql():
        op.get_bind().exec_driver_sql(statement)

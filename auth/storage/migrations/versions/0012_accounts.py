"""What people say of themselves, tokens in mails, and what was done with an account."""

from alembic import op
from sqlalchemy import inspect

from auth.storage.everywhere import closing_sql
from auth.storage.tables import metadata
from core.database.secure import add_tables, secure

revision = "0012"
down_revision = "0011"

_COLUMNS = (
    "deactivated", "email_verified_at", "display_name", "language", "time_zone", "preferences",
    "revision",
)  # fmt: skip


def upgrade() -> None:
    """Add the columns, unless the first tables were made with them."""
    there = {each["name"] for each in inspect(op.get_bind()).get_columns("app_user")}
    for name in _COLUMNS:
        if name not in there:
            op.add_column("app_user", metadata.tables["app_user"].c[name].copy())
    secure(op.get_bind(), metadata.tables["app_user"])
    add_tables(op.get_bind(), metadata, "mail_token", "account_activity")
    for statement in closing_sql():
        op.get_bind().exec_driver_sql(statement)

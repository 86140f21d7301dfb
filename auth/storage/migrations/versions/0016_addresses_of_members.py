"""Memberships that show the address of the account, as it is."""

from alembic import op

from auth.storage.everywhere import follow_address_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the function that keeps them so, and mend those whose account has got another one.

    Of accounts that have a verified address: what a provider signs in has a handle in its place.
    Where the new one was invited besides, the organization decides which of the two goes.
    """
    for statement in follow_address_sql():
        op.get_bind().exec_driver_sql(statement)
    op.execute(
        """UPDATE membership m SET email = u.email, email_key = u.email_key
        FROM app_user u WHERE u.id = m.user_id AND m.email_key <> u.email_key
            AND u.email_verified_at IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM membership n WHERE n.organization_id = m.organization_id
                    AND n.email_key = u.email_key)"""
    )

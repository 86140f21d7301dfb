"""Memberships that end with the account, as those that are removed."""

from alembic import op

from auth.storage.everywhere import closing_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Replace the function that ends them, and remove what it has left of deleted accounts.

    Suspended, or brought back as invitations. One that somebody else has accepted is theirs, with
    the roles that an administrator has given: the organization decides whether it goes.
    """
    op.execute("DROP FUNCTION IF EXISTS medhub.leave_everywhere(uuid, timestamptz)")
    for statement in closing_sql():
        op.get_bind().exec_driver_sql(statement)
    op.execute(
        """DELETE FROM activation a USING membership m
        WHERE a.organization_id = m.organization_id AND a.membership_id = m.id
            AND m.user_id IS NULL AND m.email_key = m.id || '@deleted.invalid'"""
    )
    op.execute(
        "DELETE FROM membership WHERE user_id IS NULL AND email_key = id || '@deleted.invalid'"
    )

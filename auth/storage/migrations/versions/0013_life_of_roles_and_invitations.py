"""Roles that change and go, until when an invitation is open, and what an organization counts."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import secure

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add columns and indexes, unless the tables were made with them."""
    op.execute(
        "ALTER TABLE role ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT now()"
    )
    op.execute("ALTER TABLE role ADD COLUMN IF NOT EXISTS revision integer NOT NULL DEFAULT 1")
    op.execute("ALTER TABLE membership ADD COLUMN IF NOT EXISTS invitation_expires_at timestamptz")
    for name in ("role", "membership"):
        secure(op.get_bind(), metadata.tables[name])
    # What was invited before is open for as long as its newest token.
    op.execute(
        """UPDATE membership m SET invitation_expires_at = (
            SELECT max(a.expires_at) FROM activation a
            WHERE a.organization_id = m.organization_id AND a.membership_id = m.id
                AND a.used_at IS NULL)
        WHERE m.user_id IS NULL AND m.invitation_expires_at IS NULL"""
    )
    op.execute(
        """CREATE INDEX IF NOT EXISTS ix_session_organization_id_expires_at
        ON session (organization_id, expires_at) WHERE revoked_at IS NULL"""
    )
    op.execute(
        """CREATE INDEX IF NOT EXISTS ix_session_organization_id_id
        ON session (organization_id, id)"""
    )

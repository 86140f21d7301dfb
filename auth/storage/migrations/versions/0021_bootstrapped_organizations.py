"""By what the operator's command knows the organization that it has made."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import secure

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the column, unless the table was made with it, and drop what found names.

    An organization of before is known by no command: whose it is, its name does not say. Those
    of a demonstration are, since people cannot found an organization for tests: the first of
    each name, as one that was made without an administrator.
    """
    op.execute("ALTER TABLE organization ADD COLUMN IF NOT EXISTS bootstrapped_as bytea")
    op.execute(
        """UPDATE organization o
        SET bootstrapped_as = sha256(convert_to(o.display_name, 'UTF8') || '\\x00'::bytea)
        WHERE o.test AND o.bootstrapped_as IS NULL AND NOT EXISTS (
            SELECT 1 FROM organization e
            WHERE e.test AND e.display_name = o.display_name AND e.id < o.id)"""
    )
    op.execute(
        "ALTER TABLE organization DROP CONSTRAINT IF EXISTS uq_organization_bootstrapped_as,"
        " ADD CONSTRAINT uq_organization_bootstrapped_as UNIQUE (bootstrapped_as)"
    )
    op.execute("DROP INDEX IF EXISTS ix_organization_display_name")
    secure(op.get_bind(), metadata.tables["organization"])

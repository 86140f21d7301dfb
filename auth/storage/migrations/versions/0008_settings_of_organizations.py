"""What organizations decide about how their people log in."""

from alembic import op

from auth.storage.tables import metadata
from core.database.secure import secure

revision = "0008"
down_revision = "0007"

_COLUMNS = (
    "mfa_required boolean NOT NULL DEFAULT false",
    "allowed_factors text[] NOT NULL DEFAULT '{backup_code,email_code,passkey,sms,totp}'",
    "session_life integer NOT NULL DEFAULT 2592000",
    "session_idle integer NOT NULL DEFAULT 43200",
    "self_registration boolean NOT NULL DEFAULT false",
    "registration_domains text[] NOT NULL DEFAULT '{}'",
    "registration_roles text[] NOT NULL DEFAULT '{}'",
    "updated_at timestamptz",
    "revision integer NOT NULL DEFAULT 1",
)


def upgrade() -> None:
    """Add the columns, unless the table was made with them."""
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE organization ADD COLUMN IF NOT EXISTS {column}")
    secure(op.get_bind(), metadata.tables["organization"])

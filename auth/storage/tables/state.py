"""Keys, and the sequence of what is true that all servers follow."""

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from auth.storage.tables.declaring import TIME, V1, metadata
from core.database import column, index, platform_table

signing_key = platform_table(
    "signing_key",
    metadata,
    column("kid", Text, field=f"{V1}.KeyChanged.kid", primary_key=True),
    column("public_key", LargeBinary, field=f"{V1}.KeyChanged.public_key"),
    column("wrapped_key", LargeBinary, internal="The private half, wrapped.", secret=True),
    column("state", Text, field=f"{V1}.KeyChanged.state"),
    column("signs_from", TIME, internal="Published at least this long before its first use."),
    column("not_after", TIME, field=f"{V1}.KeyChanged.not_after", nullable=True),
    CheckConstraint("state IN ('active', 'retired', 'revoked')", name="state"),
    reason="One set of keys signs the tokens of all organizations.",
)

server_key = platform_table(
    "server_key",
    metadata,
    column("purpose", Text, internal="What it is for.", primary_key=True),
    column("wrapped_key", LargeBinary, internal="32 bytes, wrapped.", secret=True),
    reason="Refresh tokens are derived before a tenant is known.",
)

auth_revision = platform_table(
    "auth_revision",
    metadata,
    column("id", SmallInteger, internal="There is one row.", primary_key=True),
    column("value", BigInteger, internal="The revision of the auth state."),
    column(
        "session_epoch",
        BigInteger,
        internal="Sessions of everybody from before this revision have ended.",
        server_default="0",
    ),
    column(
        "history",
        Uuid,
        internal="Another one after a restore: the same revisions are other commits then.",
        server_default="gen_random_uuid()",
    ),
    CheckConstraint("id = 1", name="one_row"),
    reason="Servers serve all organizations and follow one sequence.",
)

auth_event = platform_table(
    "auth_event",
    metadata,
    column("revision", BigInteger, internal="The commit it belongs to.", primary_key=True),
    column("ordinal", SmallInteger, internal="Its place in the commit.", primary_key=True),
    column("event", JSONB, internal="What changed; see auth.domain.events."),
    column("occurred_at", TIME, internal="Kept for longer than any token lives."),
    index("occurred_at"),
    reason="Servers serve all organizations and follow one sequence.",
)

auth_state = platform_table(
    "auth_state",
    metadata,
    column("key", Text, internal="What the event is about.", primary_key=True),
    column("revision", BigInteger, internal="When it was last said."),
    column("event", JSONB, internal="The latest event about it."),
    column("forget_at", TIME, internal="When no live token can need it.", nullable=True),
    index("forget_at"),
    reason="Servers serve all organizations and follow one sequence.",
)

"""What people prove themselves with besides the password, and who is asked for it."""

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from auth.storage.tables.declaring import TIME, V1, metadata
from core.database import Reach, column, index, platform_table, reference
from core.database import unique as unique_key

factor = platform_table(
    "factor",
    metadata,
    column("id", Uuid, field=f"{V1}.Factor.name", primary_key=True),
    column("user_id", Uuid, internal="Whose it is."),
    column("kind", Text, field=f"{V1}.Factor.kind"),
    column("display_name", Text, field=f"{V1}.Factor.display_name"),
    column("created_at", TIME, field=f"{V1}.Factor.create_time"),
    column("used_at", TIME, field=f"{V1}.Factor.last_use_time", nullable=True),
    column(
        "sealed",
        LargeBinary,
        internal="The seed of an app or a telephone number, sealed.",
        secret=True,
        nullable=True,
    ),
    column("last_step", BigInteger, internal="Of an app: the last step used.", nullable=True),
    column(
        "credential_id",
        LargeBinary,
        internal="Of a passkey: what names it.",
        secret=True,
        nullable=True,
    ),
    column("public_key", LargeBinary, internal="Of a passkey: what proves it.", nullable=True),
    column("sign_count", BigInteger, internal="Of a passkey: what it has counted.", nullable=True),
    reference("user_id", to="app_user"),
    unique_key("credential_id"),
    index("user_id", "id"),
    reason="A person proves themselves before an organization is chosen.",
    subject="user_id",
    subject_kind="user",
    collection="factors",
    reach=Reach(within="EXISTS (SELECT 1 FROM membership m WHERE m.user_id = {t}.user_id)"),
)

backup_code = platform_table(
    "backup_code",
    metadata,
    column("factor_id", Uuid, internal="The set that it is of.", primary_key=True),
    column("number", SmallInteger, internal="Its place in the set.", primary_key=True),
    column("hash", Text, internal="Its Argon2id hash.", secret=True),
    column("used_at", TIME, internal="When it was used.", nullable=True),
    reference("factor_id", to="factor", on_delete="CASCADE"),
    reason="A person proves themselves before an organization is chosen.",
)

challenge = platform_table(
    "challenge",
    metadata,
    column("hash", LargeBinary, internal="SHA-256 of its token.", secret=True, primary_key=True),
    column("purpose", Text, internal="What its answer leads to."),
    column("user_id", Uuid, internal="Who is asked; none: a passkey will say.", nullable=True),
    column("session_id", Uuid, internal="The session that is proven again.", nullable=True),
    column("wanted_id", Uuid, internal="The organization asked for.", nullable=True),
    column("level", SmallInteger, internal="The assurance that was proven before."),
    column("methods", ARRAY(Text), internal="How it was (RFC 8176)."),
    column(
        "password",
        LargeBinary,
        internal="A digest of the hash that was proven.",
        secret=True,
        nullable=True,
    ),
    column("kind", Text, internal="The kind of factor that is added.", nullable=True),
    column("display_name", Text, internal="What it will be called."),
    column("sealed", LargeBinary, internal="Its seed or number.", secret=True, nullable=True),
    column("nonce", LargeBinary, internal="What a passkey signs.", secret=True, nullable=True),
    column("code_hash", LargeBinary, internal="Of the code sent.", secret=True, nullable=True),
    column("code_factor", Uuid, internal="The factor that it was sent for.", nullable=True),
    column("tries_left", SmallInteger, internal="Few, and counted before a look."),
    column("codes_left", SmallInteger, internal="How many more may be sent."),
    column("created_at", TIME, internal="When it was asked."),
    column("expires_at", TIME, internal="When it is too old."),
    column("used_at", TIME, internal="When it was answered.", nullable=True),
    CheckConstraint("purpose IN ('login', 'step_up', 'passkey', 'enrol')", name="purpose"),
    index("expires_at"),
    reason="It is presented by somebody of whom nothing else is known yet.",
)

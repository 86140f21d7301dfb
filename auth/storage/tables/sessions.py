"""Log-ins: what is open, how it goes on, and how often it was refused."""

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from auth.storage.tables.declaring import TIME, V1, metadata
from core.database import Reach, column, index, platform_table, reference

session = platform_table(
    "session",
    metadata,
    column("id", Uuid, field=f"{V1}.Session.name", primary_key=True),
    column("user_id", Uuid, field=f"{V1}.Session.user"),
    column("organization_id", Uuid, field=f"{V1}.Session.organization", nullable=True),
    column("created_at", TIME, field=f"{V1}.Session.create_time"),
    column("expires_at", TIME, field=f"{V1}.Session.expire_time"),
    column("peer", Text, field=f"{V1}.Session.peer"),
    column("device", Text, field=f"{V1}.Session.device", server_default="''"),
    column(
        "revision",
        BigInteger,
        internal="Of the auth state, when it began to work in its organization.",
        server_default="0",
    ),
    column("level", SmallInteger, field=f"{V1}.ValidateTokenResponse.assurance_level"),
    column("methods", ARRAY(Text), internal="How the person authenticated (RFC 8176)."),
    column("revoked_at", TIME, internal="When it was ended before its time.", nullable=True),
    column(
        "authenticated_at",
        TIME,
        internal="When the person authenticated; none: as it was opened.",
        nullable=True,
    ),
    reference("user_id", to="app_user"),
    reference("organization_id", to="organization"),
    index("user_id", "id"),
    # What an organization has open, and when somebody last logged in for it.
    index("organization_id", "expires_at", where="revoked_at IS NULL"),
    index("organization_id", "id"),
    reason="A session begins before an organization is chosen and can move to another.",
    subject="user_id",
    subject_kind="user",
    collection="sessions",
    reach=Reach(within="{t}.organization_id = :organization_id"),
)

refresh_token = platform_table(
    "refresh_token",
    metadata,
    column("hash", LargeBinary, internal="SHA-256 of it.", secret=True, primary_key=True),
    column("session_id", Uuid, internal="The family: all tokens of one session."),
    column("created_at", TIME, internal="When it was issued."),
    column("expires_at", TIME, internal="When it is too old to be spent."),
    column("spent_at", TIME, internal="When its successor was issued.", nullable=True),
    column("spent_by", Text, internal="The request_id that spent it.", nullable=True),
    column(
        "successor", LargeBinary, internal="SHA-256 of the next one.", secret=True, nullable=True
    ),
    reference("session_id", to="session", on_delete="CASCADE"),
    index("session_id"),
    index("expires_at"),
    reason="It is presented by somebody of whom nothing else is known yet.",
)

login_attempt = platform_table(
    "login_attempt",
    metadata,
    column("lane", LargeBinary, internal="Digest of account and kind of device.", primary_key=True),
    column("failures", Integer, internal="Attempts since the last success."),
    column("open_at", TIME, internal="When the next attempt is looked at."),
    column("admitted", Boolean, internal="Whether the latest attempt was looked at."),
    column("attempted_at", TIME, internal="When the latest attempt was made."),
    index("attempted_at"),
    reason="Nobody is proven yet, and the address may belong to nobody.",
)

refusal_count = platform_table(
    "refusal_count",
    metadata,
    column("source", Text, internal="An account, or a network address.", primary_key=True),
    column("minute", TIME, internal="The minute that is counted.", primary_key=True),
    column("refusals", Integer, internal="How many there were."),
    index("minute"),
    reason="Refusals before a log-in belong to no organization.",
)

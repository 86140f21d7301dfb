"""People: their accounts, what was done with them, and what they are written."""

from sqlalchemy import Boolean, CheckConstraint, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from auth.storage.tables.declaring import TIME, V1, metadata
from core.database import Reach, column, index, platform_table, queue_table, reference
from core.database import unique as unique_key

app_user = platform_table(
    "app_user",
    metadata,
    column("id", Uuid, field=f"{V1}.Membership.user", primary_key=True),
    column("email", Text, field=f"{V1}.Membership.email"),
    column("email_key", Text, internal="The address in the form that log-in compares."),
    column(
        "password_hash",
        Text,
        field=f"{V1}.LoginRequest.password",
        secret=True,
    ),
    column("disabled_at", TIME, internal="Since when nobody can log in with it.", nullable=True),
    column(
        "deactivated",
        Boolean,
        internal="Its owner shut it, and opens it again by a reset of the password.",
        server_default="false",
    ),
    column("created_at", TIME, field=f"{V1}.Account.create_time"),
    column("email_verified_at", TIME, field=f"{V1}.Account.email_verify_time", nullable=True),
    column("display_name", Text, field=f"{V1}.Account.display_name", server_default="''"),
    column("language", Text, field=f"{V1}.Account.language", server_default="''"),
    column("time_zone", Text, field=f"{V1}.Account.time_zone", server_default="''"),
    column(
        "preferences",
        JSONB,
        field=f"{V1}.Account.preferences",
        server_default="'{}'::jsonb",
    ),
    column("revision", Integer, field=f"{V1}.Account.etag", server_default="1"),
    unique_key("email_key"),
    reason="A person works for several organizations with one account.",
    subject="id",
    subject_kind="user",
    collection="users",
    reach=Reach(within="EXISTS (SELECT 1 FROM membership m WHERE m.user_id = {t}.id)"),
)

mail_token = platform_table(
    "mail_token",
    metadata,
    column("id", Uuid, internal="What its content is bound to.", primary_key=True),
    column("purpose", Text, internal="What it does; see auth.mail_tokens."),
    column("user_id", Uuid, internal="Whose account it is for, if there is one.", nullable=True),
    column("address", LargeBinary, internal="A keyed digest of the address.", secret=True),
    column("content", LargeBinary, internal="What it brings along, sealed.", secret=True),
    column("token_hash", LargeBinary, internal="SHA-256 of the token.", secret=True),
    column("created_at", TIME, internal="When it was sent."),
    column("expires_at", TIME, internal="From when on it is too old."),
    column("used_at", TIME, internal="When it was used or made void.", nullable=True),
    reference("user_id", to="app_user", on_delete="CASCADE"),
    unique_key("token_hash"),
    index("address", "purpose"),
    index("user_id"),
    index("expires_at"),
    reason="It is presented by somebody of whom nothing else is known yet.",
)

account_activity = platform_table(
    "account_activity",
    metadata,
    column("id", Uuid, internal="In the order of time.", primary_key=True),
    column("user_id", Uuid, internal="Whose account it is."),
    column("act", Text, internal="What was done, as the trail calls it."),
    column("occurred_at", TIME, internal="When."),
    column("outcome", Text, internal="OK, or the reason of a refusal."),
    column("peer", Text, internal="The network address it came from."),
    column("by_others", Boolean, internal="Whether somebody else did it."),
    index("user_id", "id"),
    index("occurred_at"),
    reason="A copy of some of the trail for people themselves, wherever they belong.",
)

message = queue_table(
    "message",
    metadata,
    column("id", Uuid, internal="What its content is bound to.", primary_key=True),
    column("template", Text, internal="What it is about; see auth.domain.messages."),
    column("channel", Text, internal="How it travels."),
    column("recipient", LargeBinary, internal="A keyed digest: how many one has got.", secret=True),
    column(
        "content",
        LargeBinary,
        internal="Recipient and values, sealed; none once it has left or is given up.",
        secret=True,
        nullable=True,
    ),
    column("state", Text, internal="Whether it is to be sent, has left, is kept or given up."),
    column("attempts", Integer, internal="How often it was tried."),
    column("due_at", TIME, internal="When it is tried next."),
    column("leased_until", TIME, internal="Until then one sender has it to itself."),
    column("created_at", TIME, internal="When it was queued."),
    column("expires_at", TIME, internal="From when on nobody could use it."),
    column("ended_at", TIME, internal="When it left or was given up.", nullable=True),
    column("fault", Text, internal="Why the last attempt failed, in a word."),
    CheckConstraint("state IN ('QUEUED', 'SENT', 'KEPT', 'DEAD')", name="state"),
    index("due_at", where="state = 'QUEUED'"),
    index("recipient", "template", "created_at"),
    index("created_at"),
    reason="Messages to people of whatever organization, or of none; senders empty it.",
)

message_count = platform_table(
    "message_count",
    metadata,
    column("asker", LargeBinary, internal="Digest of account and channel.", primary_key=True),
    column("since", TIME, internal="When the hour began that is counted."),
    column("asked", Integer, internal="How many messages it has asked for since."),
    index("since"),
    reason="People ask for codes before an organization is chosen.",
)

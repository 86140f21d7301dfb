"""The tables of auth.

People work for several organizations and log in before they have chosen one, so accounts,
sessions and keys are the platform's. Memberships and roles are the organization's.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from core.database import (
    Reach,
    column,
    index,
    new_metadata,
    platform_table,
    queue_table,
    reference,
    tenant_table,
)
from core.database import unique as unique_key
from core.subject.receipts import receipt_tables
from core.subject.restrictions import restriction_tables

metadata = new_metadata("auth")

_TIME = TIMESTAMP(timezone=True)
_V1 = "medhub.auth.v1"
_OWN = "user_id = NULLIF(current_setting('medhub.subject', true), '')::uuid"


def organization_settings() -> tuple[Column[Any], ...]:
    """What an organization decides, and when it did.

    Columns of the organization's own row, since log-in and registration ask before a token names
    a tenant. The defaults are those of auth.domain.organizations.
    """
    field = f"{_V1}.OrganizationSettings"
    return (
        column("mfa_required", Boolean, field=f"{field}.mfa_required", server_default="false"),
        column(
            "allowed_factors",
            ARRAY(Text),
            field=f"{field}.allowed_factors",
            server_default="'{backup_code,email_code,passkey,sms,totp}'",
        ),
        column("session_life", Integer, field=f"{field}.session_life", server_default="2592000"),
        column("session_idle", Integer, field=f"{field}.session_idle", server_default="43200"),
        column(
            "self_registration",
            Boolean,
            field=f"{field}.self_registration",
            server_default="false",
        ),
        column(
            "registration_domains",
            ARRAY(Text),
            field=f"{field}.registration_domains",
            server_default="'{}'",
        ),
        column(
            "registration_roles",
            ARRAY(Text),
            field=f"{field}.registration_roles",
            server_default="'{}'",
        ),
        column("updated_at", _TIME, field=f"{field}.update_time", nullable=True),
        column("revision", Integer, field=f"{field}.etag", server_default="1"),
    )


organization = platform_table(
    "organization",
    metadata,
    column("id", Uuid, field=f"{_V1}.Organization.name", primary_key=True),
    column("display_name", Text, field=f"{_V1}.Organization.display_name"),
    column("test", Boolean, field=f"{_V1}.Organization.test"),
    column("suspended_at", _TIME, field=f"{_V1}.Organization.state", nullable=True),
    column("created_at", _TIME, field=f"{_V1}.Organization.create_time"),
    column(
        "session_epoch",
        BigInteger,
        internal="Sessions from before this revision of the auth state have ended.",
        server_default="0",
    ),
    *organization_settings(),
    index("display_name"),
    reason="It is the tenant itself; log-in names it before a token does.",
    collection="organizations",
)

app_user = platform_table(
    "app_user",
    metadata,
    column("id", Uuid, field=f"{_V1}.Membership.user", primary_key=True),
    column("email", Text, field=f"{_V1}.Membership.email"),
    column("email_key", Text, internal="The address in the form that log-in compares."),
    column(
        "password_hash",
        Text,
        field=f"{_V1}.LoginRequest.password",
        secret=True,
    ),
    column("disabled_at", _TIME, internal="Since when nobody can log in with it.", nullable=True),
    column(
        "deactivated",
        Boolean,
        internal="Its owner shut it, and opens it again by a reset of the password.",
        server_default="false",
    ),
    column("created_at", _TIME, field=f"{_V1}.Account.create_time"),
    column("email_verified_at", _TIME, field=f"{_V1}.Account.email_verify_time", nullable=True),
    column("display_name", Text, field=f"{_V1}.Account.display_name", server_default="''"),
    column("language", Text, field=f"{_V1}.Account.language", server_default="''"),
    column("time_zone", Text, field=f"{_V1}.Account.time_zone", server_default="''"),
    column(
        "preferences",
        JSONB,
        field=f"{_V1}.Account.preferences",
        server_default="'{}'::jsonb",
    ),
    column("revision", Integer, field=f"{_V1}.Account.etag", server_default="1"),
    unique_key("email_key"),
    reason="A person works for several organizations with one account.",
    subject="id",
    subject_kind="user",
    collection="users",
    reach=Reach(within="EXISTS (SELECT 1 FROM membership m WHERE m.user_id = {t}.id)"),
)

membership = tenant_table(
    "membership",
    metadata,
    column("id", Uuid, field=f"{_V1}.Membership.name", primary_key=True),
    # None until the person accepts: an invitation must not tell whether there is an account.
    column("user_id", Uuid, field=f"{_V1}.Membership.user", nullable=True),
    # Masked in the trail: before there is an account, nobody's key could seal the address there.
    column("email", Text, field=f"{_V1}.Membership.email", secret=True),
    column("email_key", Text, internal="The address as it is compared.", secret=True),
    column("display_name", Text, field=f"{_V1}.Membership.display_name"),
    # Without a period, and with one: `[{"role", "starts_at", "ends_at"}]`. In the person's own row,
    # so that what they held is one record of the trail.
    column("roles", ARRAY(Text), field=f"{_V1}.Membership.roles"),
    column("timed_roles", JSONB, field=f"{_V1}.Membership.bindings", server_default="'[]'"),
    column("suspended_at", _TIME, field=f"{_V1}.Membership.state", nullable=True),
    column(
        "invitation_expires_at",
        _TIME,
        field=f"{_V1}.Membership.invitation_expire_time",
        nullable=True,
    ),
    column("created_at", _TIME, field=f"{_V1}.Membership.create_time"),
    column("updated_at", _TIME, field=f"{_V1}.Membership.update_time"),
    column("revision", Integer, field=f"{_V1}.Membership.etag"),
    unique_key("user_id"),
    unique_key("email_key"),
    ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_membership_user_id_app_user"),
    ForeignKeyConstraint(
        ["organization_id"], ["organization.id"], name="fk_membership_organization"
    ),
    subject="user_id",
    subject_kind="user",
    collection="memberships",
    also_visible=_OWN,
)

# Log-in asks where a person belongs before any organization is chosen.
Index("ix_membership_user_id", membership.c.user_id)

role = tenant_table(
    "role",
    metadata,
    column("id", Text, field=f"{_V1}.Role.name", primary_key=True),
    column("display_name", Text, field=f"{_V1}.Role.display_name"),
    column("permissions", ARRAY(Text), field=f"{_V1}.Role.permissions"),
    column("created_at", _TIME, field=f"{_V1}.Role.create_time"),
    column("updated_at", _TIME, field=f"{_V1}.Role.update_time", server_default="now()"),
    column("revision", Integer, field=f"{_V1}.Role.etag", server_default="1"),
    ForeignKeyConstraint(["organization_id"], ["organization.id"], name="fk_role_organization"),
    subject=None,
    collection="roles",
)

access_grant = tenant_table(
    "access_grant",
    metadata,
    column("id", Uuid, field=f"{_V1}.AccessGrant.name", primary_key=True),
    column("user_id", Uuid, field=f"{_V1}.AccessGrant.grantee"),
    # Of another service's row: whether there is such a patient, auth does not know.
    column("patient_id", Uuid, field=f"{_V1}.AccessGrant.patient"),
    column("kind", Text, field=f"{_V1}.AccessGrant.kind"),
    column("reason", Text, field=f"{_V1}.AccessGrant.reason"),
    column("starts_at", _TIME, field=f"{_V1}.AccessGrant.start_time"),
    column("ends_at", _TIME, field=f"{_V1}.AccessGrant.end_time"),
    column("given_by", Uuid, field=f"{_V1}.AccessGrant.granted_by"),
    column("given_by_kind", Text, internal="Whether a user or a service account gave it."),
    column("created_at", _TIME, field=f"{_V1}.AccessGrant.create_time"),
    column("revoked_at", _TIME, field=f"{_V1}.AccessGrant.revoke_time", nullable=True),
    column("finding", Text, field=f"{_V1}.AccessGrant.finding", nullable=True),
    column("finding_note", Text, field=f"{_V1}.AccessGrant.finding_note", nullable=True),
    column("reviewed_by", Uuid, field=f"{_V1}.AccessGrant.reviewed_by", nullable=True),
    column("reviewed_at", _TIME, field=f"{_V1}.AccessGrant.review_time", nullable=True),
    column("revision", Integer, field=f"{_V1}.AccessGrant.etag"),
    index("user_id", "ends_at"),
    index("patient_id"),
    index("given_by"),
    index("reviewed_by"),
    CheckConstraint("kind IN ('EXPLICIT', 'BREAK_GLASS')", name="kind"),
    CheckConstraint("ends_at > starts_at", name="period"),
    ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_access_grant_user_id_app_user"),
    ForeignKeyConstraint(
        ["organization_id"], ["organization.id"], name="fk_access_grant_organization"
    ),
    subject="patient_id",
    collection="accessGrants",
    reach=Reach(also={"user_id": "user", "given_by": "user", "reviewed_by": "user"}),
)

session = platform_table(
    "session",
    metadata,
    column("id", Uuid, field=f"{_V1}.Session.name", primary_key=True),
    column("user_id", Uuid, field=f"{_V1}.Session.user"),
    column("organization_id", Uuid, field=f"{_V1}.Session.organization", nullable=True),
    column("created_at", _TIME, field=f"{_V1}.Session.create_time"),
    column("expires_at", _TIME, field=f"{_V1}.Session.expire_time"),
    column("peer", Text, field=f"{_V1}.Session.peer"),
    column("device", Text, field=f"{_V1}.Session.device", server_default="''"),
    column(
        "revision",
        BigInteger,
        internal="Of the auth state, when it began to work in its organization.",
        server_default="0",
    ),
    column("level", SmallInteger, field=f"{_V1}.ValidateTokenResponse.assurance_level"),
    column("methods", ARRAY(Text), internal="How the person authenticated (RFC 8176)."),
    column("revoked_at", _TIME, internal="When it was ended before its time.", nullable=True),
    column(
        "authenticated_at",
        _TIME,
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
    column("created_at", _TIME, internal="When it was issued."),
    column("expires_at", _TIME, internal="When it is too old to be spent."),
    column("spent_at", _TIME, internal="When its successor was issued.", nullable=True),
    column("spent_by", Text, internal="The request_id that spent it.", nullable=True),
    column(
        "successor", LargeBinary, internal="SHA-256 of the next one.", secret=True, nullable=True
    ),
    reference("session_id", to="session", on_delete="CASCADE"),
    index("session_id"),
    index("expires_at"),
    reason="It is presented by somebody of whom nothing else is known yet.",
)

factor = platform_table(
    "factor",
    metadata,
    column("id", Uuid, field=f"{_V1}.Factor.name", primary_key=True),
    column("user_id", Uuid, internal="Whose it is."),
    column("kind", Text, field=f"{_V1}.Factor.kind"),
    column("display_name", Text, field=f"{_V1}.Factor.display_name"),
    column("created_at", _TIME, field=f"{_V1}.Factor.create_time"),
    column("used_at", _TIME, field=f"{_V1}.Factor.last_use_time", nullable=True),
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
    column("used_at", _TIME, internal="When it was used.", nullable=True),
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
    column("created_at", _TIME, internal="When it was asked."),
    column("expires_at", _TIME, internal="When it is too old."),
    column("used_at", _TIME, internal="When it was answered.", nullable=True),
    CheckConstraint("purpose IN ('login', 'step_up', 'passkey', 'enrol')", name="purpose"),
    index("expires_at"),
    reason="It is presented by somebody of whom nothing else is known yet.",
)

service_account = platform_table(
    "service_account",
    metadata,
    column("id", Uuid, field=f"{_V1}.ServiceAccount.name", primary_key=True),
    column(
        "organization_id",
        Uuid,
        internal="The organization it acts in; none: a server of the platform.",
        nullable=True,
    ),
    column("display_name", Text, field=f"{_V1}.ServiceAccount.display_name"),
    column("public_key", LargeBinary, field=f"{_V1}.ServiceAccount.public_key"),
    column("roles", ARRAY(Text), field=f"{_V1}.ServiceAccount.roles"),
    column("disabled_at", _TIME, field=f"{_V1}.ServiceAccount.disabled", nullable=True),
    column("created_at", _TIME, field=f"{_V1}.ServiceAccount.create_time"),
    column("updated_at", _TIME, field=f"{_V1}.ServiceAccount.update_time"),
    column("revision", Integer, field=f"{_V1}.ServiceAccount.etag"),
    reference("organization_id", to="organization"),
    unique_key("public_key"),
    index("organization_id", "id"),
    reason="The platform's own servers have accounts too, and assertions name no tenant.",
    collection="serviceAccounts",
)

service_account_key = platform_table(
    "service_account_key",
    metadata,
    column("id", Uuid, field=f"{_V1}.ServiceAccountKey.id", primary_key=True),
    column("account_id", Uuid, internal="Whose it is."),
    column("public_key", LargeBinary, field=f"{_V1}.ServiceAccountKey.public_key"),
    column("created_at", _TIME, field=f"{_V1}.ServiceAccountKey.create_time"),
    column("expires_at", _TIME, field=f"{_V1}.ServiceAccountKey.expire_time", nullable=True),
    reference("account_id", to="service_account"),
    unique_key("public_key"),
    index("account_id", "created_at", "id"),
    reason="The platform's own servers have keys too, and assertions name no tenant.",
    collection="serviceAccountKeys",
)

# Apart from the keys, so that to use one is no change of it that the trail has to keep.
service_key_use = platform_table(
    "service_key_use",
    metadata,
    column("key_id", Uuid, internal="The key.", primary_key=True),
    column("used_at", _TIME, internal="When a token was last got with it."),
    reference("key_id", to="service_account_key", on_delete="CASCADE"),
    reason="It hangs on a key, which is the platform's.",
)

assertion = platform_table(
    "assertion",
    metadata,
    column("account_id", Uuid, internal="Who signed it.", primary_key=True),
    column("jti", Text, internal="Its id, which is good once.", primary_key=True),
    column("expires_at", _TIME, internal="From when on it is refused for its age."),
    index("expires_at"),
    reason="An assertion is presented by somebody of whom nothing else is known yet.",
)

activation = platform_table(
    "activation",
    metadata,
    column("id", Uuid, internal="What the token is derived from.", primary_key=True),
    column("organization_id", Uuid, internal="Who invites."),
    column("membership_id", Uuid, internal="What is accepted with it."),
    column("token_hash", LargeBinary, internal="SHA-256 of the token.", secret=True),
    column("expires_at", _TIME, internal="An initial secret does not live for ever."),
    column("used_at", _TIME, internal="When it was accepted or cancelled.", nullable=True),
    ForeignKeyConstraint(
        ["organization_id", "membership_id"],
        ["membership.organization_id", "membership.id"],
        name="fk_activation_membership",
    ),
    unique_key("token_hash"),
    index("organization_id", "membership_id"),
    reason="It is presented by somebody of whom nothing else is known yet.",
)

signing_key = platform_table(
    "signing_key",
    metadata,
    column("kid", Text, field=f"{_V1}.KeyChanged.kid", primary_key=True),
    column("public_key", LargeBinary, field=f"{_V1}.KeyChanged.public_key"),
    column("wrapped_key", LargeBinary, internal="The private half, wrapped.", secret=True),
    column("state", Text, field=f"{_V1}.KeyChanged.state"),
    column("signs_from", _TIME, internal="Published at least this long before its first use."),
    column("not_after", _TIME, field=f"{_V1}.KeyChanged.not_after", nullable=True),
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

login_attempt = platform_table(
    "login_attempt",
    metadata,
    column("lane", LargeBinary, internal="Digest of account and kind of device.", primary_key=True),
    column("failures", Integer, internal="Attempts since the last success."),
    column("open_at", _TIME, internal="When the next attempt is looked at."),
    column("admitted", Boolean, internal="Whether the latest attempt was looked at."),
    column("attempted_at", _TIME, internal="When the latest attempt was made."),
    index("attempted_at"),
    reason="Nobody is proven yet, and the address may belong to nobody.",
)

refusal_count = platform_table(
    "refusal_count",
    metadata,
    column("source", Text, internal="An account, or a network address.", primary_key=True),
    column("minute", _TIME, internal="The minute that is counted.", primary_key=True),
    column("refusals", Integer, internal="How many there were."),
    index("minute"),
    reason="Refusals before a log-in belong to no organization.",
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
    column("occurred_at", _TIME, internal="Kept for longer than any token lives."),
    index("occurred_at"),
    reason="Servers serve all organizations and follow one sequence.",
)

auth_state = platform_table(
    "auth_state",
    metadata,
    column("key", Text, internal="What the event is about.", primary_key=True),
    column("revision", BigInteger, internal="When it was last said."),
    column("event", JSONB, internal="The latest event about it."),
    column("forget_at", _TIME, internal="When no live token can need it.", nullable=True),
    index("forget_at"),
    reason="Servers serve all organizations and follow one sequence.",
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
    column("created_at", _TIME, internal="When it was sent."),
    column("expires_at", _TIME, internal="From when on it is too old."),
    column("used_at", _TIME, internal="When it was used or made void.", nullable=True),
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
    column("occurred_at", _TIME, internal="When."),
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
    column("due_at", _TIME, internal="When it is tried next."),
    column("leased_until", _TIME, internal="Until then one sender has it to itself."),
    column("created_at", _TIME, internal="When it was queued."),
    column("expires_at", _TIME, internal="From when on nobody could use it."),
    column("ended_at", _TIME, internal="When it left or was given up.", nullable=True),
    column("fault", Text, internal="Why the last attempt failed, in a word."),
    CheckConstraint("state IN ('QUEUED', 'SENT', 'KEPT', 'DEAD')", name="state"),
    index("due_at", where="state = 'QUEUED'"),
    index("recipient", "template", "created_at"),
    index("created_at"),
    reason="Messages to people of whatever organization, or of none; senders empty it.",
)

identity_provider = platform_table(
    "identity_provider",
    metadata,
    column("id", Uuid, field=f"{_V1}.IdentityProvider.name", primary_key=True),
    column("organization_id", Uuid, internal="The organization that trusts it."),
    column("display_name", Text, field=f"{_V1}.IdentityProvider.display_name"),
    column("issuer", Text, field=f"{_V1}.IdentityProvider.issuer"),
    column("client_id", Text, field=f"{_V1}.IdentityProvider.client_id"),
    column(
        "client_secret",
        LargeBinary,
        field=f"{_V1}.IdentityProvider.client_secret",
        secret=True,
        nullable=True,
    ),
    column("scopes", ARRAY(Text), field=f"{_V1}.IdentityProvider.scopes"),
    column("redirect_uris", ARRAY(Text), field=f"{_V1}.IdentityProvider.redirect_uris"),
    column("provisioning", Text, field=f"{_V1}.IdentityProvider.provisioning"),
    column("trusts_email", Boolean, field=f"{_V1}.IdentityProvider.trusts_email"),
    column("trusts_mfa", Boolean, field=f"{_V1}.IdentityProvider.trusts_mfa"),
    column("groups_claim", Text, field=f"{_V1}.IdentityProvider.groups_claim"),
    column("role_groups", ARRAY(Text), field=f"{_V1}.GroupRole.group"),
    column("group_roles", ARRAY(Text), field=f"{_V1}.GroupRole.role"),
    column("default_roles", ARRAY(Text), field=f"{_V1}.IdentityProvider.default_roles"),
    column("disabled_at", _TIME, field=f"{_V1}.IdentityProvider.disabled", nullable=True),
    column("created_at", _TIME, field=f"{_V1}.IdentityProvider.create_time"),
    column("updated_at", _TIME, field=f"{_V1}.IdentityProvider.update_time"),
    column("revision", Integer, field=f"{_V1}.IdentityProvider.etag"),
    reference("organization_id", to="organization"),
    index("organization_id", "id"),
    CheckConstraint("provisioning IN ('INVITED', 'CREATE')", name="provisioning"),
    reason="A sign-in names it before a tenant is known.",
    collection="identityProviders",
)

federated_login = platform_table(
    "federated_login",
    metadata,
    column("hash", LargeBinary, internal="SHA-256 of its state.", secret=True, primary_key=True),
    column("keeper_hash", LargeBinary, internal="SHA-256 of what the page keeps.", secret=True),
    column("provider_id", Uuid, internal="Where the person signs in."),
    column("user_id", Uuid, internal="Who ties an account; none: a log-in.", nullable=True),
    column("redirect_uri", Text, internal="Where the provider sends the person back to."),
    column(
        "fresh",
        Boolean,
        internal="Whether the person has to prove themselves there anew.",
        server_default="false",
    ),
    column("expires_at", _TIME, internal="Until when it can be finished."),
    column("used_at", _TIME, internal="When it was.", nullable=True),
    reference("provider_id", to="identity_provider"),
    index("expires_at"),
    reason="It is presented by somebody of whom nothing else is known yet.",
)

external_identity = platform_table(
    "external_identity",
    metadata,
    column("provider_id", Uuid, internal="Who says so.", primary_key=True),
    column("subject", Text, internal="What the provider calls the person.", primary_key=True),
    column("user_id", Uuid, internal="Their account."),
    column("created_at", _TIME, internal="When they were tied."),
    reference("provider_id", to="identity_provider"),
    reference("user_id", to="app_user"),
    index("user_id"),
    reason="A sign-in names it before a tenant is known.",
    subject="user_id",
    subject_kind="user",
    reach=Reach(
        within="EXISTS (SELECT 1 FROM identity_provider p WHERE p.id = {t}.provider_id"
        " AND p.organization_id = :organization_id)"
    ),
)

receipt_tables(metadata)
restriction_tables(metadata)

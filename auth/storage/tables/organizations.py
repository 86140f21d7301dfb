"""Organizations: who belongs to them, as what, and to whose record they were given access."""

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
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from auth.storage.tables.declaring import TIME, V1, metadata
from core.database import Reach, column, index, platform_table, tenant_table
from core.database import unique as unique_key

_OWN = "user_id = NULLIF(current_setting('medhub.subject', true), '')::uuid"


def organization_settings() -> tuple[Column[Any], ...]:
    """What an organization decides, and when it did.

    Columns of the organization's own row, since log-in and registration ask before a token names
    a tenant. The defaults are those of auth.domain.organizations.
    """
    field = f"{V1}.OrganizationSettings"
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
        column("updated_at", TIME, field=f"{field}.update_time", nullable=True),
        column("revision", Integer, field=f"{field}.etag", server_default="1"),
    )


organization = platform_table(
    "organization",
    metadata,
    column("id", Uuid, field=f"{V1}.Organization.name", primary_key=True),
    column("display_name", Text, field=f"{V1}.Organization.display_name"),
    column("test", Boolean, field=f"{V1}.Organization.test"),
    column("suspended_at", TIME, field=f"{V1}.Organization.state", nullable=True),
    column("created_at", TIME, field=f"{V1}.Organization.create_time"),
    column(
        "session_epoch",
        BigInteger,
        internal="Sessions from before this revision of the auth state have ended.",
        server_default="0",
    ),
    column(
        "bootstrapped_as",
        LargeBinary,
        internal="Digest of the operator's command that made it, if one did.",
        secret=True,
        nullable=True,
    ),
    *organization_settings(),
    unique_key("bootstrapped_as"),
    reason="It is the tenant itself; log-in names it before a token does.",
    collection="organizations",
)

membership = tenant_table(
    "membership",
    metadata,
    column("id", Uuid, field=f"{V1}.Membership.name", primary_key=True),
    # None until the person accepts: an invitation must not tell whether there is an account.
    column("user_id", Uuid, field=f"{V1}.Membership.user", nullable=True),
    # Masked in the trail: before there is an account, nobody's key could seal the address there.
    column("email", Text, field=f"{V1}.Membership.email", secret=True),
    column("email_key", Text, internal="The address as it is compared.", secret=True),
    column("display_name", Text, field=f"{V1}.Membership.display_name"),
    # Without a period, and with one: `[{"role", "starts_at", "ends_at"}]`. In the person's own row,
    # so that what they held is one record of the trail.
    column("roles", ARRAY(Text), field=f"{V1}.Membership.roles"),
    column("timed_roles", JSONB, field=f"{V1}.Membership.bindings", server_default="'[]'"),
    column("suspended_at", TIME, field=f"{V1}.Membership.state", nullable=True),
    column(
        "invitation_expires_at",
        TIME,
        field=f"{V1}.Membership.invitation_expire_time",
        nullable=True,
    ),
    column("created_at", TIME, field=f"{V1}.Membership.create_time"),
    column("updated_at", TIME, field=f"{V1}.Membership.update_time"),
    column("revision", Integer, field=f"{V1}.Membership.etag"),
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
    column("id", Text, field=f"{V1}.Role.name", primary_key=True),
    column("display_name", Text, field=f"{V1}.Role.display_name"),
    column("permissions", ARRAY(Text), field=f"{V1}.Role.permissions"),
    column("created_at", TIME, field=f"{V1}.Role.create_time"),
    column("updated_at", TIME, field=f"{V1}.Role.update_time", server_default="now()"),
    column("revision", Integer, field=f"{V1}.Role.etag", server_default="1"),
    ForeignKeyConstraint(["organization_id"], ["organization.id"], name="fk_role_organization"),
    subject=None,
    collection="roles",
)

access_grant = tenant_table(
    "access_grant",
    metadata,
    column("id", Uuid, field=f"{V1}.AccessGrant.name", primary_key=True),
    column("user_id", Uuid, field=f"{V1}.AccessGrant.grantee"),
    # Of another service's row: whether there is such a patient, auth does not know.
    column("patient_id", Uuid, field=f"{V1}.AccessGrant.patient"),
    column("kind", Text, field=f"{V1}.AccessGrant.kind"),
    column("reason", Text, field=f"{V1}.AccessGrant.reason"),
    column("starts_at", TIME, field=f"{V1}.AccessGrant.start_time"),
    column("ends_at", TIME, field=f"{V1}.AccessGrant.end_time"),
    column("given_by", Uuid, field=f"{V1}.AccessGrant.granted_by"),
    column("given_by_kind", Text, internal="Whether a user or a service account gave it."),
    column("created_at", TIME, field=f"{V1}.AccessGrant.create_time"),
    column("revoked_at", TIME, field=f"{V1}.AccessGrant.revoke_time", nullable=True),
    column("finding", Text, field=f"{V1}.AccessGrant.finding", nullable=True),
    column("finding_note", Text, field=f"{V1}.AccessGrant.finding_note", nullable=True),
    column("reviewed_by", Uuid, field=f"{V1}.AccessGrant.reviewed_by", nullable=True),
    column("reviewed_at", TIME, field=f"{V1}.AccessGrant.review_time", nullable=True),
    column("revision", Integer, field=f"{V1}.AccessGrant.etag"),
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

activation = platform_table(
    "activation",
    metadata,
    column("id", Uuid, internal="What the token is derived from.", primary_key=True),
    column("organization_id", Uuid, internal="Who invites."),
    column("membership_id", Uuid, internal="What is accepted with it."),
    column("token_hash", LargeBinary, internal="SHA-256 of the token.", secret=True),
    column("expires_at", TIME, internal="An initial secret does not live for ever."),
    column("used_at", TIME, internal="When it was accepted or cancelled.", nullable=True),
    ForeignKeyConstraint(
        ["organization_id", "membership_id"],
        ["membership.organization_id", "membership.id"],
        name="fk_activation_membership",
    ),
    unique_key("token_hash"),
    index("organization_id", "membership_id"),
    reason="It is presented by somebody of whom nothing else is known yet.",
)

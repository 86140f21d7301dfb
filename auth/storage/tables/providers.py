"""Organizations' own identity providers, and who is who at them."""

from sqlalchemy import Boolean, CheckConstraint, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from auth.storage.tables.declaring import TIME, V1, metadata
from core.database import Reach, column, index, platform_table, reference

identity_provider = platform_table(
    "identity_provider",
    metadata,
    column("id", Uuid, field=f"{V1}.IdentityProvider.name", primary_key=True),
    column("organization_id", Uuid, internal="The organization that trusts it."),
    column("display_name", Text, field=f"{V1}.IdentityProvider.display_name"),
    column("issuer", Text, field=f"{V1}.IdentityProvider.issuer"),
    column("client_id", Text, field=f"{V1}.IdentityProvider.client_id"),
    column(
        "client_secret",
        LargeBinary,
        field=f"{V1}.IdentityProvider.client_secret",
        secret=True,
        nullable=True,
    ),
    column("scopes", ARRAY(Text), field=f"{V1}.IdentityProvider.scopes"),
    column("redirect_uris", ARRAY(Text), field=f"{V1}.IdentityProvider.redirect_uris"),
    column("provisioning", Text, field=f"{V1}.IdentityProvider.provisioning"),
    column("trusts_email", Boolean, field=f"{V1}.IdentityProvider.trusts_email"),
    column("trusts_mfa", Boolean, field=f"{V1}.IdentityProvider.trusts_mfa"),
    column("groups_claim", Text, field=f"{V1}.IdentityProvider.groups_claim"),
    column("role_groups", ARRAY(Text), field=f"{V1}.GroupRole.group"),
    column("group_roles", ARRAY(Text), field=f"{V1}.GroupRole.role"),
    column("default_roles", ARRAY(Text), field=f"{V1}.IdentityProvider.default_roles"),
    column("disabled_at", TIME, field=f"{V1}.IdentityProvider.disabled", nullable=True),
    column("created_at", TIME, field=f"{V1}.IdentityProvider.create_time"),
    column("updated_at", TIME, field=f"{V1}.IdentityProvider.update_time"),
    column("revision", Integer, field=f"{V1}.IdentityProvider.etag"),
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
    column("expires_at", TIME, internal="Until when it can be finished."),
    column("used_at", TIME, internal="When it was.", nullable=True),
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
    column("created_at", TIME, internal="When they were tied."),
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

"""Programs: their accounts, and the keys that prove them."""

from sqlalchemy import Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from auth.storage.tables.declaring import TIME, V1, metadata
from core.database import column, index, platform_table, reference
from core.database import unique as unique_key

service_account = platform_table(
    "service_account",
    metadata,
    column("id", Uuid, field=f"{V1}.ServiceAccount.name", primary_key=True),
    column(
        "organization_id",
        Uuid,
        internal="The organization it acts in; none: a server of the platform.",
        nullable=True,
    ),
    column("display_name", Text, field=f"{V1}.ServiceAccount.display_name"),
    column("public_key", LargeBinary, field=f"{V1}.ServiceAccount.public_key"),
    column("roles", ARRAY(Text), field=f"{V1}.ServiceAccount.roles"),
    column("disabled_at", TIME, field=f"{V1}.ServiceAccount.disabled", nullable=True),
    column("created_at", TIME, field=f"{V1}.ServiceAccount.create_time"),
    column("updated_at", TIME, field=f"{V1}.ServiceAccount.update_time"),
    column("revision", Integer, field=f"{V1}.ServiceAccount.etag"),
    reference("organization_id", to="organization"),
    unique_key("public_key"),
    index("organization_id", "id"),
    reason="The platform's own servers have accounts too, and assertions name no tenant.",
    collection="serviceAccounts",
)

service_account_key = platform_table(
    "service_account_key",
    metadata,
    column("id", Uuid, field=f"{V1}.ServiceAccountKey.id", primary_key=True),
    column("account_id", Uuid, internal="Whose it is."),
    column("public_key", LargeBinary, field=f"{V1}.ServiceAccountKey.public_key"),
    column("created_at", TIME, field=f"{V1}.ServiceAccountKey.create_time"),
    column("expires_at", TIME, field=f"{V1}.ServiceAccountKey.expire_time", nullable=True),
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
    column("used_at", TIME, internal="When a token was last got with it."),
    reference("key_id", to="service_account_key", on_delete="CASCADE"),
    reason="It hangs on a key, which is the platform's.",
)

assertion = platform_table(
    "assertion",
    metadata,
    column("account_id", Uuid, internal="Who signed it.", primary_key=True),
    column("jti", Text, internal="Its id, which is good once.", primary_key=True),
    column("expires_at", TIME, internal="From when on it is refused for its age."),
    index("expires_at"),
    reason="An assertion is presented by somebody of whom nothing else is known yet.",
)

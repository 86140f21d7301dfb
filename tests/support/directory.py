"""An identity provider as auth keeps it, for tests that ask no server."""

from datetime import UTC, datetime
from uuid import UUID

from auth.domain.federation import IdentityProvider, Provisioning

_MADE_AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
DIRECTORY = IdentityProvider(
    id=UUID(int=1),
    organization=UUID(int=2),
    display_name="Directory",
    issuer="https://id.example",
    client_id="medhub",
    client_secret=None,
    scopes=(),
    redirect_uris=("https://portal.example/",),
    provisioning=Provisioning.INVITED,
    trusts_email=False,
    trusts_mfa=False,
    groups_claim="",
    group_roles=(),
    default_roles=(),
    disabled_at=None,
    created_at=_MADE_AT,
    updated_at=_MADE_AT,
    revision=1,
)

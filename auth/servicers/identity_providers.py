"""IdentityProviderService: the identity providers that the organization trusts."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask

from auth.domain.bindings import Binding
from auth.domain.federation import COLLECTION, GroupRole, IdentityProvider, Provisioning
from auth.domain.memberships import check_etag
from auth.domain.names import check_name
from auth.giving import check_given, check_vouching
from auth.openid_client import Reach
from auth.sealing import Sealing
from auth.servicers.times import timestamp
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import InvalidField, NotFound
from core.ids import id_from, name_of, new_id
from medhub.auth.v1 import identity_provider_pb2 as messages
from medhub.auth.v1 import identity_provider_service_pb2 as wire

_LISTING = Listing(
    method="medhub.auth.v1.IdentityProviderService/ListIdentityProviders", order="id"
)
_FIELD = "identity_provider"
_PREFIX = "PROVISIONING_"
_NEEDED = ("display_name", "issuer", "client_id", "redirect_uris", "provisioning")
_CHANGEABLE = frozenset({
    "display_name", "client_id", "client_secret", "scopes", "redirect_uris", "provisioning",
    "trusts_email", "trusts_mfa", "groups_claim", "group_roles", "default_roles",
})  # fmt: skip


class IdentityProviders:
    """The IdentityProviderService of the contract."""

    def __init__(self, store: Store, pages: PageTokens, secrets: Sealing, reach: Reach) -> None:
        """`reach` says which issuers the operator allows."""
        self._store = store
        self._pages = pages
        self._secrets = secrets
        self._reach = reach

    async def CreateIdentityProvider(
        self, request: wire.CreateIdentityProviderRequest
    ) -> messages.IdentityProvider:
        """Add a provider."""
        asked = request.identity_provider
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            if earlier is not None:
                return provider_to_proto(await _held(tx, id_from(earlier.name, COLLECTION)))
            await check_vouching(tx)
            made = await self._new(tx, asked)
            await check_given(tx, map(Binding, made.roles()), field=f"{_FIELD}.default_roles")
            await tx.identity_providers.add(made)
            await tx.remember(name_of(COLLECTION, made.id), made.revision)
        return provider_to_proto(made)

    async def GetIdentityProvider(
        self, request: wire.GetIdentityProviderRequest
    ) -> messages.IdentityProvider:
        """Show one."""
        async with self._store.begin(read_only=True) as tx:
            return provider_to_proto(await _held(tx, id_from(request.name, COLLECTION)))

    async def ListIdentityProviders(
        self, request: wire.ListIdentityProvidersRequest
    ) -> wire.ListIdentityProvidersResponse:
        """Show a page."""
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, _LISTING)
        async with self._store.begin(read_only=True) as tx:
            rows = await tx.identity_providers.page(key, size + 1)
        page = page_of(rows, size, _LISTING, self._pages, key=lambda row: (row.id,))
        return wire.ListIdentityProvidersResponse(
            identity_providers=[provider_to_proto(each) for each in page.items],
            next_page_token=page.next_page_token,
        )

    async def UpdateIdentityProvider(
        self, request: wire.UpdateIdentityProviderRequest
    ) -> messages.IdentityProvider:
        """Change a provider; whoever does must hold what it can give afterwards: everything."""
        asked = request.identity_provider
        async with self._store.begin() as tx:
            held = await _locked(tx, id_from(asked.name, COLLECTION, field=f"{_FIELD}.name"))
            check_etag(held.revision, asked.etag)
            changed = await self._changed(tx, held, asked, request.update_mask)
            if changed == held:
                return provider_to_proto(held)
            await check_vouching(tx)
            await check_given(tx, map(Binding, changed.roles()), field=f"{_FIELD}.default_roles")
            return provider_to_proto(await _save(tx, changed))

    async def DisableIdentityProvider(
        self, request: wire.DisableIdentityProviderRequest
    ) -> messages.IdentityProvider:
        """Let nobody sign in by it any more."""
        return await self._set_state(request.name, request.etag, disabled=True)

    async def EnableIdentityProvider(
        self, request: wire.EnableIdentityProviderRequest
    ) -> messages.IdentityProvider:
        """Let people sign in by it again."""
        return await self._set_state(request.name, request.etag, disabled=False)

    async def _set_state(
        self, name: str, etag: str, *, disabled: bool
    ) -> messages.IdentityProvider:
        async with self._store.begin() as tx:
            held = await _locked(tx, id_from(name, COLLECTION))
            check_etag(held.revision, etag)
            if (held.disabled_at is not None) is disabled:
                return provider_to_proto(held)
            if not disabled:
                await check_vouching(tx)
                await check_given(tx, map(Binding, held.roles()), field="name")
            changed = replace(held, disabled_at=clock.now() if disabled else None)
            return provider_to_proto(await _save(tx, changed))

    async def _new(self, tx: Tx, asked: messages.IdentityProvider) -> IdentityProvider:
        for field in _NEEDED:
            if not getattr(asked, field):
                raise InvalidField(field=f"{_FIELD}.{field}", rule="required")
        check_name(asked.display_name, field=f"{_FIELD}.display_name")
        if not self._reach.allows(asked.issuer):
            raise InvalidField(field=f"{_FIELD}.issuer", rule="provider_address")
        organization = identity.caller().organization
        if organization is None:
            raise LookupError("the policy asks for an organization")
        now, key = clock.now(), new_id()
        return IdentityProvider(
            id=key,
            organization=organization,
            display_name=asked.display_name,
            issuer=asked.issuer,
            client_id=asked.client_id,
            client_secret=await self._sealed(tx, asked.client_secret, key),
            scopes=tuple(asked.scopes),
            redirect_uris=tuple(asked.redirect_uris),
            provisioning=_provisioning(asked),
            trusts_email=asked.trusts_email,
            trusts_mfa=asked.trusts_mfa,
            groups_claim=asked.groups_claim,
            group_roles=_group_roles(asked.group_roles),
            default_roles=tuple(sorted(asked.default_roles)),
            disabled_at=None,
            created_at=now,
            updated_at=now,
            revision=1,
        )

    async def _sealed(self, tx: Tx, secret: str, key: UUID) -> bytes | None:
        return await self._secrets.seal(tx, secret.encode(), key) if secret else None

    async def _changed(
        self,
        tx: Tx,
        held: IdentityProvider,
        asked: messages.IdentityProvider,
        mask: FieldMask,
    ) -> IdentityProvider:
        """The provider with the fields of the mask; without one, all that are set (AIP-134)."""
        paths = set(mask.paths)
        if paths - _CHANGEABLE:
            raise InvalidField(field="update_mask", rule="field_mask")
        named = (paths or {field.name for field, _ in asked.ListFields()}) & _CHANGEABLE
        for field in named & set(_NEEDED):
            if not getattr(asked, field):
                raise InvalidField(field=f"{_FIELD}.{field}", rule="required")
        if "display_name" in named:
            check_name(asked.display_name, field=f"{_FIELD}.display_name")
        values: dict[str, object] = {
            name: _value(asked, name) for name in named if name != "client_secret"
        }
        if "client_secret" in named:
            values["client_secret"] = await self._sealed(tx, asked.client_secret, held.id)
        return replace(held, **values)  # type: ignore[arg-type]  # by the names of the message


def _value(asked: messages.IdentityProvider, name: str) -> object:
    if name == "provisioning":
        return _provisioning(asked)
    if name == "group_roles":
        return _group_roles(asked.group_roles)
    if name == "default_roles":
        return tuple(sorted(asked.default_roles))
    value: object = getattr(asked, name)
    return value if isinstance(value, str | bool) else tuple(getattr(asked, name))


def _provisioning(asked: messages.IdentityProvider) -> Provisioning:
    return Provisioning(messages.Provisioning.Name(asked.provisioning).removeprefix(_PREFIX))


def _group_roles(asked: Sequence[messages.GroupRole]) -> tuple[GroupRole, ...]:
    return tuple(GroupRole(each.group, each.role) for each in asked)


async def _held(tx: Tx, key: UUID) -> IdentityProvider:
    found = await tx.identity_providers.get(key)
    if found is None:
        raise NotFound
    return found


async def _locked(tx: Tx, key: UUID) -> IdentityProvider:
    found = await tx.identity_providers.lock(key)
    if found is None:
        raise NotFound
    return found


async def _save(tx: Tx, changed: IdentityProvider) -> IdentityProvider:
    saved = replace(changed, updated_at=clock.now(), revision=changed.revision + 1)
    await tx.identity_providers.save(saved)
    return saved


def provider_to_proto(provider: IdentityProvider) -> messages.IdentityProvider:
    """As the organization sees it; its secret is never shown again."""
    return messages.IdentityProvider(
        name=name_of(COLLECTION, provider.id),
        display_name=provider.display_name,
        issuer=provider.issuer,
        client_id=provider.client_id,
        scopes=provider.scopes,
        redirect_uris=provider.redirect_uris,
        provisioning=f"{_PREFIX}{provider.provisioning.value}",
        trusts_email=provider.trusts_email,
        trusts_mfa=provider.trusts_mfa,
        groups_claim=provider.groups_claim,
        group_roles=[
            messages.GroupRole(group=each.group, role=each.role) for each in provider.group_roles
        ],
        default_roles=provider.default_roles,
        disabled=provider.disabled_at is not None,
        create_time=timestamp(provider.created_at),
        update_time=timestamp(provider.updated_at),
        etag=str(provider.revision),
    )

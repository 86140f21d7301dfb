"""Rows of identity providers, of sign-ins that were begun, and of who is who at a provider.

The tables are the platform's, since a sign-in begins before a tenant is known. So what an
organization may see says so in its WHERE.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from auth.domain.federation import Attempt, GroupRole, IdentityProvider, Provisioning
from auth.storage.tables import external_identity, federated_login, identity_provider
from core.database import Transaction, after, sql, statement

_COLUMNS = (
    identity_provider.c.id,
    identity_provider.c.organization_id,
    identity_provider.c.display_name,
    identity_provider.c.issuer,
    identity_provider.c.client_id,
    identity_provider.c.client_secret,
    identity_provider.c.scopes,
    identity_provider.c.redirect_uris,
    identity_provider.c.provisioning,
    identity_provider.c.trusts_email,
    identity_provider.c.trusts_mfa,
    identity_provider.c.groups_claim,
    identity_provider.c.role_groups,
    identity_provider.c.group_roles,
    identity_provider.c.default_roles,
    identity_provider.c.disabled_at,
    identity_provider.c.created_at,
    identity_provider.c.updated_at,
    identity_provider.c.revision,
)
_HERE = identity_provider.c.organization_id == bindparam("organization_id")
_ONE = select(*_COLUMNS).where(_HERE, identity_provider.c.id == bindparam("id"))
_GET = statement(_ONE)
_LOCK = statement(_ONE.with_for_update())
_ANY = statement(select(*_COLUMNS).where(identity_provider.c.id == bindparam("id")))
_PAGE = (
    select(*_COLUMNS)
    .where(_HERE)
    .order_by(identity_provider.c.id)
    .limit(bindparam("limit", type_=Integer))
)
_FIRST = statement(_PAGE)
_NEXT = statement(_PAGE.where(after(identity_provider.c.id)))
_CHANGEABLE = (
    "display_name", "client_id", "client_secret", "scopes", "redirect_uris", "provisioning",
    "trusts_email", "trusts_mfa", "groups_claim", "role_groups", "group_roles", "default_roles",
    "disabled_at", "updated_at", "revision",
)  # fmt: skip
_ADD = statement(
    insert(identity_provider).values(
        id=bindparam("id"),
        organization_id=bindparam("owner"),
        issuer=bindparam("issuer"),
        created_at=bindparam("created_at"),
        **{name: bindparam(name) for name in _CHANGEABLE},
    )
)
_SAVE = statement(
    update(identity_provider)
    .where(_HERE, identity_provider.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in _CHANGEABLE})
)
_BEGIN = statement(
    insert(federated_login).values(
        hash=bindparam("hash"),
        keeper_hash=bindparam("keeper_hash"),
        provider_id=bindparam("provider"),
        user_id=bindparam("user", type_=Uuid),
        redirect_uri=bindparam("redirect_uri"),
        fresh=bindparam("fresh"),
        expires_at=bindparam("expires_at"),
    )
)
# Good once, and only for whoever kept the other half: one statement decides, also between twins.
_TAKE = statement(
    update(federated_login)
    .where(
        federated_login.c.hash == bindparam("key"),
        federated_login.c.keeper_hash == bindparam("keeper"),
        federated_login.c.used_at.is_(None),
        federated_login.c.expires_at > bindparam("at"),
    )
    .values(used_at=bindparam("at"))
    .returning(
        federated_login.c.provider_id,
        federated_login.c.user_id,
        federated_login.c.redirect_uri,
        federated_login.c.fresh,
        federated_login.c.expires_at,
    )
)
_FORGET = statement(
    delete(federated_login).where(federated_login.c.expires_at < bindparam("before"))
)
_KNOWN = statement(
    select(external_identity.c.user_id).where(
        external_identity.c.provider_id == bindparam("provider"),
        external_identity.c.subject == bindparam("subject"),
    )
)
_STANDS = statement(
    select(external_identity.c.user_id)
    .join(identity_provider, identity_provider.c.id == external_identity.c.provider_id)
    .where(
        external_identity.c.user_id == bindparam("user"),
        identity_provider.c.organization_id == bindparam("owner"),
        identity_provider.c.disabled_at.is_(None),
    )
    .limit(1)
)
_OPENS_ALONE = sql(
    """SELECT u.id FROM app_user u WHERE u.id = :user AND u.password_hash = ''
        AND NOT EXISTS (
            SELECT 1 FROM factor f WHERE f.user_id = u.id AND f.kind = 'passkey')
        AND NOT EXISTS (
            SELECT 1 FROM external_identity e JOIN identity_provider p ON p.id = e.provider_id
            WHERE e.user_id = u.id AND p.organization_id <> :owner)""",
    user=Uuid,
    owner=Uuid,
)
_TIE = statement(
    insert_or(external_identity)
    .values(
        provider_id=bindparam("provider"),
        subject=bindparam("subject"),
        user_id=bindparam("user"),
        created_at=bindparam("at"),
    )
    .on_conflict_do_nothing()
)


def _provider(row: Sequence[object]) -> IdentityProvider:
    values = list(row)
    groups, roles = values.pop(12), values[12]
    values[12] = tuple(map(GroupRole, groups, roles))  # type: ignore[call-overload]
    for place in (6, 7, 13):
        values[place] = tuple(values[place])  # type: ignore[arg-type]  # text[] comes as a list
    values[8] = Provisioning(str(values[8]))
    return IdentityProvider(*values)  # type: ignore[arg-type]


def _values(provider: IdentityProvider) -> dict[str, object]:
    return {
        "display_name": provider.display_name,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "scopes": list(provider.scopes),
        "redirect_uris": list(provider.redirect_uris),
        "provisioning": provider.provisioning.value,
        "trusts_email": provider.trusts_email,
        "trusts_mfa": provider.trusts_mfa,
        "groups_claim": provider.groups_claim,
        "role_groups": [each.group for each in provider.group_roles],
        "group_roles": [each.role for each in provider.group_roles],
        "default_roles": list(provider.default_roles),
        "disabled_at": provider.disabled_at,
        "updated_at": provider.updated_at,
        "revision": provider.revision,
    }


class IdentityProviders:
    """Providers, and what was begun and is known with them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, key: UUID) -> IdentityProvider | None:
        """One of the organization's."""
        row = await self._tx.one(_GET, id=key)
        return _provider(row) if row else None

    async def lock(self, key: UUID) -> IdentityProvider | None:
        """One of the organization's, held until the transaction ends."""
        row = await self._tx.one(_LOCK, id=key)
        return _provider(row) if row else None

    async def of_anybody(self, key: UUID) -> IdentityProvider | None:
        """One of any organization: for a sign-in, which knows none yet."""
        row = await self._tx.one(_ANY, id=key)
        return _provider(row) if row else None

    async def page(self, key: tuple[object, ...], limit: int) -> list[IdentityProvider]:
        """The organization's, oldest first, after the key of the page before."""
        if key:
            rows = await self._tx.all(_NEXT, limit=limit, after_id=key[0])
        else:
            rows = await self._tx.all(_FIRST, limit=limit)
        return [_provider(row) for row in rows]

    async def add(self, made: IdentityProvider) -> None:
        """Add one."""
        await self._tx.run(
            _ADD,
            id=made.id,
            owner=made.organization,
            issuer=made.issuer,
            created_at=made.created_at,
            **_values(made),
        )

    async def save(self, changed: IdentityProvider) -> None:
        """Write what can change of one that this transaction holds."""
        await self._tx.run(_SAVE, key=changed.id, **_values(changed))

    async def begin(self, state: bytes, keeper: bytes, attempt: Attempt) -> None:
        """Keep a sign-in that begins, by the hashes of its two halves."""
        await self._tx.run(
            _BEGIN,
            hash=state,
            keeper_hash=keeper,
            provider=attempt.provider,
            user=attempt.user,
            redirect_uri=attempt.redirect_uri,
            fresh=attempt.fresh,
            expires_at=attempt.expires_at,
        )

    async def take(self, state: bytes, keeper: bytes, at: datetime) -> Attempt | None:
        """Use a sign-in up. None: unknown, used, too old, or somebody else's."""
        row = await self._tx.one(_TAKE, key=state, keeper=keeper, at=at)
        return Attempt(*row) if row else None

    async def forget(self, before: datetime) -> None:
        """Delete sign-ins that ended before then."""
        await self._tx.run(_FORGET, before=before)

    async def known(self, provider: UUID, subject: str) -> UUID | None:
        """The account of a person at a provider."""
        row = await self._tx.one(_KNOWN, provider=provider, subject=subject)
        return row.user_id if row else None

    async def stands(self, user: UUID, organization: UUID) -> bool:
        """Whether a provider of the organization that is not disabled knows the account."""
        return await self._tx.one(_STANDS, user=user, owner=organization) is not None

    async def opens_alone(self, user: UUID, organization: UUID) -> bool:
        """Whether nothing opens the account but providers of the organization: no password, no
        passkey, no other organization's.
        """
        return await self._tx.one(_OPENS_ALONE, user=user, owner=organization) is not None

    async def tie(self, provider: UUID, subject: str, user: UUID, at: datetime) -> bool:
        """Tie a person at a provider to an account. False: they are tied already."""
        return bool(await self._tx.run(_TIE, provider=provider, subject=subject, user=user, at=at))

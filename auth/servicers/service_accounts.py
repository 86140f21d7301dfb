"""ServiceAccountService: programs that act in the organization."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from auth.domain.assertions import COLLECTION
from auth.domain.bindings import Binding
from auth.domain.events import MembershipChanged, SessionRevoked, SubjectEpoch
from auth.domain.memberships import check_etag
from auth.domain.names import check_name
from auth.domain.service_keys import (
    ServiceKey,
    check_left,
    check_room,
    check_sound,
    unusable,
)
from auth.domain.sessions import forget_at
from auth.giving import check_given
from auth.servicers.times import moment_from, timestamp
from auth.storage.service_accounts import ServiceAccount
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database import ConstraintViolated
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import InvalidField, NotFound
from core.ids import id_from, name_of, new_id
from medhub.auth.v1 import service_account_pb2
from medhub.auth.v1 import service_account_service_pb2 as wire

_LISTING = Listing(method="medhub.auth.v1.ServiceAccountService/ListServiceAccounts", order="id")


class ServiceAccounts:
    """The ServiceAccountService of the contract."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def CreateServiceAccount(
        self, request: wire.CreateServiceAccountRequest
    ) -> service_account_pb2.ServiceAccount:
        """Register a program."""
        asked = request.service_account
        async with self._store.begin() as tx:
            earlier = await tx.first_try()
            if earlier is not None:
                return await _again(tx, id_from(earlier.name, COLLECTION))
            check_name(asked.display_name, field="service_account.display_name")
            check_sound(asked.public_key, field="service_account.public_key")
            made = _new(asked)
            await check_given(tx, map(Binding, made.roles), field="service_account.roles")
            try:
                await tx.service_accounts.add(made)
            except ConstraintViolated:
                # One key proves one account, or an assertion would not say who signed it.
                raise unusable("service_account.public_key") from None
            await tx.remember(name_of(COLLECTION, made.id), made.revision)
            return await _whole(tx, made)

    async def ListServiceAccounts(
        self, request: wire.ListServiceAccountsRequest
    ) -> wire.ListServiceAccountsResponse:
        """Show a page."""
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, _LISTING)
        async with self._store.begin(read_only=True) as tx:
            rows = await tx.service_accounts.page(key, size + 1)
            keys = await tx.service_accounts.keys_of([row.id for row in rows])
        page = page_of(rows, size, _LISTING, self._pages, key=lambda row: (row.id,))
        return wire.ListServiceAccountsResponse(
            service_accounts=[
                service_account_to_proto(each, [key for key in keys if key.account == each.id])
                for each in page.items
            ],
            next_page_token=page.next_page_token,
        )

    async def GetServiceAccount(
        self, request: wire.GetServiceAccountRequest
    ) -> service_account_pb2.ServiceAccount:
        """Show one."""
        async with self._store.begin(read_only=True) as tx:
            return await _again(tx, id_from(request.name, COLLECTION))

    async def SetServiceAccountRoles(
        self, request: wire.SetServiceAccountRolesRequest
    ) -> service_account_pb2.ServiceAccount:
        """Give it other roles."""
        now, roles = clock.now(), tuple(sorted(request.roles))
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            await check_given(tx, map(Binding, roles), field="roles")
            await tx.service_accounts.set_roles(held.id, roles, now)
            saved = replace(held, roles=roles, updated_at=now, revision=held.revision + 1)
            answer = await _whole(tx, saved)
            await tx.state.publish([
                MembershipChanged(
                    held.id, held.organization, roles, ended=False, forget_at=forget_at(now)
                )
            ])  # fmt: skip
        return answer

    async def AddServiceAccountKey(
        self, request: wire.AddServiceAccountKeyRequest
    ) -> service_account_pb2.ServiceAccount:
        """Add a key beside the others."""
        now = clock.now()
        async with self._store.begin() as tx:
            held = await tx.service_accounts.lock(id_from(request.name, COLLECTION))
            if held is None:
                raise NotFound
            keys = await tx.service_accounts.keys_of([held.id])
            if any(key.public_key == request.key.public_key for key in keys):
                # The answer of the first call was lost, and the etag is of before it.
                return service_account_to_proto(held, keys)
            check_etag(held.revision, request.etag)
            # Whoever has a key of it acts as it.
            await check_given(tx, map(Binding, held.roles), field="name")
            check_room(keys)
            made = _key_from_proto(request.key, held.id, now)
            saved = await _touched(tx, held, now)
            try:
                await tx.service_accounts.add_key(made)
            except ConstraintViolated:
                raise unusable("key.public_key") from None
        return service_account_to_proto(saved, [*keys, made])

    async def RemoveServiceAccountKey(
        self, request: wire.RemoveServiceAccountKeyRequest
    ) -> service_account_pb2.ServiceAccount:
        """Remove a key, and let the tokens die that it got.

        It may not be one of a server of the platform: that acts for others, by tokens of theirs.
        """
        now = clock.now()
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            keys = await tx.service_accounts.keys_of([held.id])
            removed = next((key for key in keys if str(key.id) == request.key_id), None)
            if removed is None:
                raise NotFound
            check_left(keys, removed, now)
            await tx.service_accounts.remove_key(removed.id)
            saved = await _touched(tx, held, now)
            await tx.state.publish([SessionRevoked(removed.id, forget_at(now))])
        return service_account_to_proto(saved, [key for key in keys if key is not removed])

    async def DisableServiceAccount(
        self, request: wire.DisableServiceAccountRequest
    ) -> service_account_pb2.ServiceAccount:
        """Shut a program out for good."""
        now = clock.now()
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            if held.disabled_at is not None:
                await tx.state.settled()
                return await _whole(tx, held)
            await tx.service_accounts.disable(held.id, now)
            saved = replace(held, disabled_at=now, updated_at=now, revision=held.revision + 1)
            answer = await _whole(tx, saved)
            await tx.state.publish([SubjectEpoch(held.id, forget_at(now))])
        return answer


async def _again(tx: Tx, key: UUID) -> service_account_pb2.ServiceAccount:
    """What an earlier call with the same request_id made."""
    found = await tx.service_accounts.get(key)
    if found is None:
        raise NotFound
    return await _whole(tx, found)


async def _hold(tx: Tx, name: str, etag: str) -> ServiceAccount:
    """A service account to change. Changes of one take turns."""
    held = await tx.service_accounts.lock(id_from(name, COLLECTION))
    if held is None:
        raise NotFound
    check_etag(held.revision, etag)
    return held


async def _touched(tx: Tx, held: ServiceAccount, at: datetime) -> ServiceAccount:
    await tx.service_accounts.touch(held.id, at)
    return replace(held, updated_at=at, revision=held.revision + 1)


async def _whole(tx: Tx, account: ServiceAccount) -> service_account_pb2.ServiceAccount:
    """With its keys."""
    return service_account_to_proto(account, await tx.service_accounts.keys_of([account.id]))


def _key_from_proto(
    asked: service_account_pb2.ServiceAccountKey, account: UUID, at: datetime
) -> ServiceKey:
    expires_at = None
    if asked.HasField("expire_time"):
        expires_at = moment_from(asked.expire_time, field="key.expire_time")
    if expires_at is not None and expires_at <= at:
        raise InvalidField(field="key.expire_time", rule="in_the_past")
    check_sound(asked.public_key, field="key.public_key")
    return ServiceKey(new_id(), account, asked.public_key, at, expires_at)


def _new(asked: service_account_pb2.ServiceAccount) -> ServiceAccount:
    now = clock.now()
    return ServiceAccount(
        id=new_id(),
        organization=identity.caller().organization,
        display_name=asked.display_name,
        public_key=asked.public_key,
        roles=tuple(sorted(asked.roles)),
        disabled_at=None,
        created_at=now,
        updated_at=now,
        revision=1,
    )


def service_account_to_proto(
    account: ServiceAccount, keys: Sequence[ServiceKey]
) -> service_account_pb2.ServiceAccount:
    """As the organization sees it."""
    return service_account_pb2.ServiceAccount(
        name=name_of(COLLECTION, account.id),
        display_name=account.display_name,
        # One of an account always stays; the one that it was made with need not.
        public_key=keys[0].public_key,
        roles=sorted(account.roles),
        disabled=account.disabled_at is not None,
        create_time=timestamp(account.created_at),
        update_time=timestamp(account.updated_at),
        etag=str(account.revision),
        keys=[
            service_account_pb2.ServiceAccountKey(
                id=str(key.id),
                public_key=key.public_key,
                expire_time=key.expires_at and timestamp(key.expires_at),
                create_time=timestamp(key.created_at),
                last_use_time=key.last_used_at and timestamp(key.last_used_at),
            )
            for key in keys
        ],
    )

"""ServiceAccountService: programs that act in the organization."""

from dataclasses import replace
from uuid import UUID

from auth.domain.assertions import COLLECTION
from auth.domain.events import SubjectEpoch
from auth.domain.memberships import check_etag
from auth.domain.sessions import forget_at
from auth.servicers.roles import check_given
from auth.servicers.times import timestamp
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
            made = _new(asked)
            await check_given(tx, made.roles, field="service_account.roles")
            try:
                await tx.service_accounts.add(made)
            except ConstraintViolated:
                # One key proves one account, or an assertion would not say who signed it.
                raise InvalidField(field="service_account.public_key", rule="unique") from None
            await tx.remember(name_of(COLLECTION, made.id), made.revision)
        return service_account_to_proto(made)

    async def ListServiceAccounts(
        self, request: wire.ListServiceAccountsRequest
    ) -> wire.ListServiceAccountsResponse:
        """Show a page."""
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, _LISTING)
        async with self._store.begin(read_only=True) as tx:
            rows = await tx.service_accounts.page(key, size + 1)
        page = page_of(rows, size, _LISTING, self._pages, key=lambda row: (row.id,))
        return wire.ListServiceAccountsResponse(
            service_accounts=[service_account_to_proto(each) for each in page.items],
            next_page_token=page.next_page_token,
        )

    async def DisableServiceAccount(
        self, request: wire.DisableServiceAccountRequest
    ) -> service_account_pb2.ServiceAccount:
        """Shut a program out for good."""
        now = clock.now()
        async with self._store.begin() as tx:
            held = await tx.service_accounts.lock(id_from(request.name, COLLECTION))
            if held is None:
                raise NotFound
            check_etag(held.revision, request.etag)
            if held.disabled_at is not None:
                return service_account_to_proto(held)
            await tx.service_accounts.disable(held.id, now)
            await tx.state.publish([SubjectEpoch(held.id, forget_at(now))])
        saved = replace(held, disabled_at=now, updated_at=now, revision=held.revision + 1)
        return service_account_to_proto(saved)


async def _again(tx: Tx, key: UUID) -> service_account_pb2.ServiceAccount:
    """What an earlier call with the same request_id made."""
    found = await tx.service_accounts.get(key)
    if found is None:
        raise NotFound
    return service_account_to_proto(found)


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


def service_account_to_proto(account: ServiceAccount) -> service_account_pb2.ServiceAccount:
    """As the organization sees it."""
    return service_account_pb2.ServiceAccount(
        name=name_of(COLLECTION, account.id),
        display_name=account.display_name,
        public_key=account.public_key,
        roles=sorted(account.roles),
        disabled=account.disabled_at is not None,
        create_time=timestamp(account.created_at),
        update_time=timestamp(account.updated_at),
        etag=str(account.revision),
    )

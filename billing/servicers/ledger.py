"""LedgerService."""

from typing import Any, Final

from billing.domain.ledger import Account, Side
from billing.domain.money import DECIMALS
from billing.servicers.amounts import money_to_proto
from billing.servicers.pages import after
from billing.servicers.times import time_to_proto
from billing.storage.ledger import Entry
from billing.storage.store import Store
from core import identity
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import InvalidField, NotFound
from core.ids import name_of
from medhub.billing.v1 import ledger_pb2
from medhub.billing.v1 import ledger_service_pb2 as messages

_ACCOUNTS: Final = "ledgerAccounts/"
_SIDE: Final[dict[Side, Any]] = {
    one: ledger_pb2.EntrySide.Value(f"ENTRY_SIDE_{one.value}") for one in Side
}


class Ledger:
    """What was posted."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def GetAccountBalance(
        self, request: messages.GetAccountBalanceRequest
    ) -> ledger_pb2.AccountBalance:
        """Show what was posted to an account in one currency."""
        account, currency = _account(request.name), request.currency_code
        if currency not in DECIMALS:
            raise InvalidField(field="currency_code", rule="currency")
        balance = await self._store.balance(account, currency)
        return ledger_pb2.AccountBalance(
            name=_ACCOUNTS + account,
            debits=money_to_proto(balance.debits, currency),
            credits=money_to_proto(balance.credits, currency),
            balance=money_to_proto(balance.debits - balance.credits, currency),
        )

    async def ListEntries(
        self, request: messages.ListEntriesRequest
    ) -> messages.ListEntriesResponse:
        """A page of entries."""
        asked = f"{request.account} {request.source}"
        listing = Listing(identity.call().method, filter=asked, order="id desc")
        size = page_size(request.page_size)
        async with self._store.begin(read_only=True) as work:
            found = await work.ledger.page(
                limit=size + 1,
                account=_account(request.account) if request.account else "",
                source=request.source,
                after=after(self._pages, request.page_token, listing),
            )
        page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
        return messages.ListEntriesResponse(
            ledger_entries=[entry_to_proto(one) for one in page.items],
            next_page_token=page.next_page_token,
        )


def entry_to_proto(entry: Entry) -> ledger_pb2.LedgerEntry:
    """One leg."""
    return ledger_pb2.LedgerEntry(
        name=name_of("ledgerEntries", entry.id),
        transaction=name_of("ledgerTransactions", entry.transaction_id),
        source=entry.source,
        account=_ACCOUNTS + entry.account,
        side=_SIDE[entry.side],
        amount=money_to_proto(entry.amount, entry.currency),
        create_time=time_to_proto(entry.created_at),
    )


def _account(name: str) -> Account:
    """The account of a name. Raises NotFound: all organizations have the same ones."""
    try:
        return Account(name.removeprefix(_ACCOUNTS))
    except ValueError:
        raise NotFound from None

"""What is posted adds up to nothing, whatever it is posted for."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.invoices import Line, Treatment, VatCategory, draft
from billing.domain.ledger import (
    Account,
    Leg,
    Posting,
    Side,
    posting_of_allocation,
    posting_of_invoice,
    posting_of_payment,
)
from core.ids import new_id
from tests.support.billing_office import CARE, EURO, TAXED, line, terms

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
_LINES = st.lists(
    st.builds(
        line,
        st.integers(0, 10**9),
        st.sampled_from([CARE, TAXED, Treatment(VatCategory.STANDARD, 550)]),
        st.integers(1, 10**6),
    ),
    min_size=1,
)


def _sums(posting: Posting) -> tuple[int, int]:
    debits = sum(leg.amount for leg in posting.legs if leg.side is Side.DEBIT)
    return debits, sum(leg.amount for leg in posting.legs) - debits


@given(lines=_LINES)
def test_an_invoice_adds_up_to_nothing(lines: list[Line]) -> None:
    """Both sides are the total; no leg is empty and no account comes twice."""
    invoice = draft(new_id(), new_id(), "EUR", terms(*lines), at=AT)

    posting = posting_of_invoice(invoice)

    assert _sums(posting) == (invoice.total, invoice.total)
    assert all(leg.amount > 0 for leg in posting.legs)
    accounts = [leg.account for leg in posting.legs]
    assert len(accounts) == len(set(accounts))


def test_an_invoice_is_posted_by_category() -> None:
    """Revenue is told apart by how it is taxed."""
    lines = (line(30 * EURO), line(100 * EURO, TAXED))
    invoice = draft(new_id(), new_id(), "EUR", terms(*lines), at=AT)

    posting = posting_of_invoice(invoice)

    assert set(posting.legs) == {
        Leg(Account.RECEIVABLE, Side.DEBIT, 15000),
        Leg(Account.REVENUE_EXEMPT, Side.CREDIT, 3000),
        Leg(Account.REVENUE_STANDARD, Side.CREDIT, 10000),
        Leg(Account.VAT_PAYABLE, Side.CREDIT, 2000),
    }


def test_a_free_invoice_posts_nothing() -> None:
    """There is nothing to owe."""
    invoice = draft(new_id(), new_id(), "EUR", terms(line(0)), at=AT)

    assert posting_of_invoice(invoice).legs == ()


@given(amount=st.integers(1, 10**15))
def test_a_payment_clears_what_was_receivable(amount: int) -> None:
    """Recorded and allocated, it moves from receivable to cash."""
    row = new_id()
    both = [posting_of_payment(row, amount, "EUR"), posting_of_allocation(row, amount, "EUR")]

    sums: dict[Account, int] = {}
    for posting in both:
        assert _sums(posting) == (amount, amount)
        for leg in posting.legs:
            signed = leg.amount if leg.side is Side.DEBIT else -leg.amount
            sums[leg.account] = sums.get(leg.account, 0) + signed

    assert sums == {Account.CASH: amount, Account.UNALLOCATED: 0, Account.RECEIVABLE: -amount}

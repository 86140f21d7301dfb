"""What the database holds against the service's own SQL, run as its app role, and the owner's."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors as pg

from billing.storage.tables import metadata
from core.database.capture import REFUSED
from core.database.drift import drift
from core.identity import Call
from core.ids import new_id
from tests.support.billing_office import Office, office
from tests.support.postgres import as_caller

__all__ = ["office"]
_DENIED: Final = pg.InsufficientPrivilege.sqlstate
_CONTEXT: Final = (
    '{"actor": null, "actor_kind": "user", "method": "m", "action": "a", "purpose": "p"}'
)
_NO_TENANT: Final = "SELECT set_config('medhub.organization', '', true)"
_MORE_LINES: Final = """INSERT INTO invoice_line
    SELECT organization_id, invoice_id, position + 1, patient_id, description, quantity,
        unit_price, vat_category, vat_rate, exemption_code, net FROM invoice_line"""
_ONE_LEG: Final = """INSERT INTO ledger_entry
    (organization_id, id, transaction_id, account, currency_code, side, amount)
    SELECT organization_id, gen_random_uuid(), id, 'cash', 'EUR', 'DEBIT', 1
    FROM ledger_transaction LIMIT 1"""
_PAYING: Final = """INSERT INTO allocation
    SELECT p.organization_id, gen_random_uuid(), p.id, i.id, i.patient_id, 1, now()
    FROM payment p, invoice i WHERE i.state = '{state}'"""
_POST: Final = """SELECT medhub.post(gen_random_uuid(), 'PAYMENT', 'payments/x', now(),
    %(accounts)s, %(currencies)s, %(sides)s, %(amounts)s)"""
_BALANCED: Final[dict[str, Any]] = {
    "accounts": ["cash", "unallocated"],
    "currencies": ["EUR", "EUR"],
    "sides": ["DEBIT", "CREDIT"],
    "amounts": [100, 100],
}


@pytest.fixture
def call() -> Call:
    """A call of somebody of an organization."""
    return as_caller(organization=new_id())


@contextmanager
def _inside(url: str, call: Call) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of the call's organization that is committed at the end."""
    # A connection whose commit fails is not closed by its own block.
    with closing(psycopg.connect(url)) as opened, opened as connection:
        connection.execute(
            """SELECT set_config('medhub.organization', %s, true),
                set_config('medhub.context', %s, true)""",
            (str(call.caller.organization), _CONTEXT),
        )
        yield connection


def _attempt(url: str, call: Call, *statements: str, values: Any = None) -> str | None:
    """The SQLSTATE that statements and their commit are refused with; None when they are not."""
    try:
        with _inside(url, call) as connection:
            for statement in statements:
                connection.execute(statement, values if "%(" in statement else None)
    except psycopg.Error as refused:
        return refused.sqlstate
    return None


def _attempts(url: str, call: Call, statements: Iterable[str]) -> dict[str, str | None]:
    return {statement: _attempt(url, call, statement) for statement in statements}


def test_the_database_is_what_the_tables_declare(office: Office) -> None:
    """Columns, walls and triggers, the guards among them; one that is missing is named."""
    assert drift(office.database.urls.owner, metadata) == []

    office.database.rows("GRANT INSERT ON ledger_entry TO medhub_billing_app")
    office.database.rows("DROP TRIGGER adds_up ON ledger_entry")
    found = drift(office.database.urls.owner, metadata)
    assert found == ["ledger_entry: rights", "ledger_entry: triggers"]


async def test_what_is_final_stays(office: Office, call: Call) -> None:
    """No SQL of the service or of the owner changes a final invoice, its parts or an allocation."""
    await office.final()
    both = "SELECT * FROM invoice JOIN invoice_line ON invoice_id = id"
    before = office.database.rows(both)
    statements = (
        "UPDATE invoice SET buyer_display_name = 'X'",
        "UPDATE invoice SET state = 'DRAFT', sequence = NULL, number = NULL, issue_date = NULL",
        "UPDATE invoice SET revision = revision",
        "DELETE FROM invoice",
        "UPDATE invoice_line SET net = net + 1",
        "DELETE FROM invoice_line",
        _MORE_LINES,
        "UPDATE invoice_tax SET tax = tax + 1",
        "DELETE FROM invoice_tax",
        "UPDATE allocation SET amount = amount + 1",
        "DELETE FROM allocation",
    )

    for url in (office.database.urls.app, office.database.urls.owner):
        assert _attempts(url, call, statements) == dict.fromkeys(statements, REFUSED)

    assert office.database.rows(both) == before


async def test_numbers_and_ledger_are_written_by_functions_alone(
    office: Office, call: Call
) -> None:
    """The app role has no right to; what is posted stays for the owner too."""
    await office.final()
    urls = office.database.urls
    posted = (
        "UPDATE ledger_entry SET amount = amount + 1",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_transaction SET source = 'x'",
        "DELETE FROM ledger_transaction",
    )
    counted = (
        "INSERT INTO ledger_account SELECT organization_id, 'x', 'EUR', 1, 1 FROM ledger_account",
        "UPDATE ledger_account SET debits = debits + 1",
        "UPDATE invoice_series SET last_sequence = last_sequence + 1",
        "DELETE FROM invoice_series",
        "TRUNCATE ledger_entry",
        _ONE_LEG,
    )

    as_app = _attempts(urls.app, call, (*posted, *counted))
    as_owner = _attempts(urls.owner, call, (*posted, "TRUNCATE ledger_entry"))

    assert as_app == dict.fromkeys((*posted, *counted), _DENIED)
    assert as_owner == dict.fromkeys((*posted, "TRUNCATE ledger_entry"), REFUSED)


async def test_a_number_cannot_be_chosen(office: Office, call: Call) -> None:
    """Neither by an invoice that is born final, nor by a draft, nor while it becomes final."""
    made = await office.draft()
    url = office.database.urls.app
    columns = """organization_id, patient_id, currency_code, series, net_total, tax_total,
        created_at, updated_at, revision"""
    born = f"""INSERT INTO invoice ({columns}, id, state, sequence, number, issue_date)
        SELECT {columns}, gen_random_uuid(), 'FINAL', 7, 'F2026-000007', now() FROM invoice"""
    draft = "UPDATE invoice SET sequence = 7, number = 'F2026-000007'"
    final = "UPDATE invoice SET state = 'FINAL', sequence = 7, number = 'X', issue_date = now()"

    assert _attempt(url, call, born) == REFUSED
    assert _attempt(url, call, draft) == pg.CheckViolation.sqlstate
    assert _attempt(url, call, final) is None

    assert (await office.store.invoice(made.id)).number == "F2026-000001"


async def test_only_what_adds_up_becomes_final(office: Office, call: Call) -> None:
    """Totals that differ from lines or taxes are refused where the number would be taken."""
    await office.draft()
    final = "UPDATE invoice SET state = 'FINAL', issue_date = now()"
    bent = (
        "UPDATE invoice SET net_total = net_total + 1",
        "UPDATE invoice SET tax_total = tax_total + 1",
        "UPDATE invoice_line SET net = net + 1",
        "DELETE FROM invoice_tax",
    )

    outcomes = {one: _attempt(office.database.urls.app, call, one, final) for one in bent}

    assert outcomes == dict.fromkeys(bent, REFUSED)
    assert office.database.rows("SELECT * FROM invoice_series") == []


async def test_no_posting_is_committed_that_does_not_add_up(office: Office, call: Call) -> None:
    """One leg, a cent too little, two currencies, one side, nothing, less than nothing; also for
    who leaves the tenant before the commit.
    """
    url = office.database.urls.app
    wrong: list[dict[str, Any]] = [
        {name: values[:1] for name, values in _BALANCED.items()},
        {**_BALANCED, "amounts": [100, 99]},
        {**_BALANCED, "currencies": ["EUR", "USD"]},
        {**_BALANCED, "sides": ["DEBIT", "DEBIT"]},
    ]
    no_amount = [{**_BALANCED, "amounts": amounts} for amounts in ([0, 0], [-5, -5])]

    assert [_attempt(url, call, _POST, _NO_TENANT, values=each) for each in wrong] == [REFUSED] * 4
    broken = pg.CheckViolation.sqlstate
    assert [_attempt(url, call, _POST, values=each) for each in no_amount] == [broken] * 2
    nowhere = _attempt(url, call, _NO_TENANT, _POST, values=_BALANCED)
    assert nowhere == pg.NotNullViolation.sqlstate
    assert office.database.rows("SELECT * FROM ledger_entry") == []
    assert office.database.rows("SELECT * FROM ledger_account") == []
    assert _attempt(url, call, _POST, values=_BALANCED) is None
    # What was posted balanced cannot be unbalanced by one more leg, not by the owner either.
    assert _attempt(office.database.urls.owner, call, _ONE_LEG) == REFUSED


async def test_what_came_in_and_what_is_owed_stay(office: Office, call: Call) -> None:
    """Neither the service's SQL nor the owner's changes an amount, or says that something is paid
    which no allocation pays, or allocates without saying so.
    """
    await office.final()
    await office.draft()
    await office.payment(1000)
    both = "SELECT p.amount, p.allocated, r.total, r.allocated AS paid FROM payment p, receivable r"
    before = office.database.rows(both)
    statements = (
        "UPDATE payment SET amount = amount + 1",
        "UPDATE payment SET means = 'CASH', received_on = received_on - 1",
        "DELETE FROM payment",
        "UPDATE receivable SET total = total + 1",
        "DELETE FROM receivable",
        "UPDATE payment SET allocated = 1",
        "UPDATE receivable SET allocated = 1",
        _PAYING.format(state="FINAL"),
        _PAYING.format(state="DRAFT"),
    )

    for url in (office.database.urls.app, office.database.urls.owner):
        assert _attempts(url, call, statements) == dict.fromkeys(statements, REFUSED)

    assert office.database.rows(both) == before


async def test_nothing_is_owed_but_by_an_invoice_that_is_final(office: Office, call: Call) -> None:
    """A draft asks for nothing, and a final invoice for its total and no other."""
    await office.draft()
    owing = """INSERT INTO receivable (organization_id, invoice_id, total)
        SELECT organization_id, id, net_total + tax_total FROM invoice"""

    assert _attempt(office.database.urls.app, call, owing) == REFUSED


async def test_a_line_waits_for_who_makes_its_invoice_final(office: Office, call: Call) -> None:
    """A line that races with the number does not slip in: it waits, and is then refused."""
    made = await office.draft()
    impatient = "SET LOCAL lock_timeout = '200ms'"

    async with office.store.begin() as work:
        await work.invoices.lock(made.id)
        waiting = _attempt(office.database.urls.app, call, impatient, _MORE_LINES)

    assert waiting == pg.LockNotAvailable.sqlstate

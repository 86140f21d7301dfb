"""What the database itself holds, whatever the service's own SQL does.

A number is taken where an invoice becomes final, and nowhere else; what is final stays. What is
paid of an invoice and left of a payment is what the allocations say. The ledger is written by one
function, adds up to nothing for each transaction and currency, and only grows. All of it belongs to
the owner role; the functions that the app role reaches run with the owner's rights and a pinned
search_path.
"""

from typing import Final

from sqlalchemy import Connection

from core.database.capture import REFUSED, UNLESS_DESTROYING, roles_of

OUT_OF_ORDER: Final = "invoice_series_last_issue_date"
"""The constraint that an invoice breaks which is dated before the last one of its series."""

_FINAL: Final = f"""
CREATE OR REPLACE FUNCTION medhub.guard_invoice() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    taken bigint;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state <> 'DRAFT' THEN
        RAISE EXCEPTION 'a final invoice is never changed' USING ERRCODE = '{REFUSED}';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.state = 'DRAFT' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' OR NEW.net_total <> (
        SELECT COALESCE(sum(l.net), 0) FROM public.invoice_line l
        WHERE l.organization_id = NEW.organization_id AND l.invoice_id = NEW.id
    ) OR (NEW.net_total, NEW.tax_total) <> (
        SELECT COALESCE(sum(t.basis), 0), COALESCE(sum(t.tax), 0) FROM public.invoice_tax t
        WHERE t.organization_id = NEW.organization_id AND t.invoice_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'only a draft that adds up becomes final' USING ERRCODE = '{REFUSED}';
    END IF;
    -- Who else finalizes in this series waits here for the end of this transaction: if it fails,
    -- the number was never taken.
    INSERT INTO public.invoice_series AS s
        (organization_id, series, last_sequence, last_issue_date)
    VALUES (NEW.organization_id, NEW.series, 1, NEW.issue_date)
    ON CONFLICT (organization_id, series) DO UPDATE
        SET last_sequence = s.last_sequence + 1, last_issue_date = EXCLUDED.last_issue_date
        WHERE s.last_issue_date <= EXCLUDED.last_issue_date
    RETURNING s.last_sequence INTO taken;
    IF taken IS NULL THEN
        RAISE EXCEPTION 'the last invoice of the series is of a later day'
            USING ERRCODE = 'check_violation', CONSTRAINT = '{OUT_OF_ORDER}';
    END IF;
    NEW.sequence := taken;
    -- lpad would cut a longer number.
    NEW.number := NEW.series || '-' || lpad(taken::text, greatest(6, length(taken::text)), '0');
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER guard_invoice BEFORE INSERT OR UPDATE OR DELETE ON public.invoice
    FOR EACH ROW {UNLESS_DESTROYING} EXECUTE FUNCTION medhub.guard_invoice();

-- The invoice is locked before its state is asked: whoever makes it final meanwhile is waited for.
CREATE OR REPLACE FUNCTION medhub.guard_invoice_part() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held text;
BEGIN
    FOR held IN
        SELECT i.state FROM public.invoice i
        WHERE i.organization_id IN (OLD.organization_id, NEW.organization_id)
            AND i.id IN (OLD.invoice_id, NEW.invoice_id)
        FOR SHARE
    LOOP
        IF held <> 'DRAFT' THEN
            RAISE EXCEPTION 'a final invoice is never changed' USING ERRCODE = '{REFUSED}';
        END IF;
    END LOOP;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE OR REPLACE TRIGGER guard_invoice_line
    BEFORE INSERT OR UPDATE OR DELETE ON public.invoice_line
    FOR EACH ROW {UNLESS_DESTROYING} EXECUTE FUNCTION medhub.guard_invoice_part();
CREATE OR REPLACE TRIGGER guard_invoice_tax
    BEFORE INSERT OR UPDATE OR DELETE ON public.invoice_tax
    FOR EACH ROW {UNLESS_DESTROYING} EXECUTE FUNCTION medhub.guard_invoice_part();
"""  # noqa: S608 - built from our own constants

_LEDGER: Final = f"""
CREATE OR REPLACE FUNCTION medhub.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'what is posted stays' USING ERRCODE = '{REFUSED}';
END $$;
CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON public.ledger_transaction
    FOR EACH STATEMENT {UNLESS_DESTROYING} EXECUTE FUNCTION medhub.refuse_change();
CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON public.ledger_entry
    FOR EACH STATEMENT {UNLESS_DESTROYING} EXECUTE FUNCTION medhub.refuse_change();
CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON public.allocation
    FOR EACH STATEMENT {UNLESS_DESTROYING} EXECUTE FUNCTION medhub.refuse_change();

-- Asked at commit, of all legs together, and with the owner's eyes: a tenant that was changed in
-- the meantime hides none of them.
CREATE OR REPLACE FUNCTION medhub.adds_up() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.ledger_entry e
        WHERE e.organization_id = NEW.organization_id AND e.transaction_id = NEW.transaction_id
        GROUP BY e.currency_code
        HAVING sum(CASE e.side WHEN 'DEBIT' THEN e.amount ELSE -e.amount END) <> 0
    ) THEN
        RAISE EXCEPTION 'debits and credits differ' USING ERRCODE = '{REFUSED}';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS adds_up ON public.ledger_entry;
CREATE CONSTRAINT TRIGGER adds_up AFTER INSERT ON public.ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION medhub.adds_up();

-- Accounts are locked in the order of their names, so two postings cannot deadlock.
CREATE OR REPLACE FUNCTION medhub.post(
    transaction_id uuid, kind text, source text, posted_at timestamptz,
    accounts text[], currencies text[], sides text[], amounts bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    "the organization" CONSTANT uuid := NULLIF(medhub.transaction_organization(),
        '00000000-0000-0000-0000-000000000000');
BEGIN
    INSERT INTO public.ledger_account AS a
        (organization_id, account, currency_code, debits, credits)
    SELECT "the organization", l.account, l.currency,
        COALESCE(sum(l.amount) FILTER (WHERE l.side = 'DEBIT'), 0),
        COALESCE(sum(l.amount) FILTER (WHERE l.side = 'CREDIT'), 0)
    FROM unnest(accounts, currencies, sides, amounts) AS l(account, currency, side, amount)
    GROUP BY l.account, l.currency ORDER BY l.account, l.currency
    ON CONFLICT (organization_id, account, currency_code) DO UPDATE
        SET debits = a.debits + EXCLUDED.debits, credits = a.credits + EXCLUDED.credits;
    INSERT INTO public.ledger_transaction (organization_id, id, kind, source, created_at)
    VALUES ("the organization", post.transaction_id, post.kind, post.source, post.posted_at);
    INSERT INTO public.ledger_entry
        (organization_id, id, transaction_id, account, currency_code, side, amount)
    SELECT "the organization", medhub.uuid7(), post.transaction_id,
        l.account, l.currency, l.side, l.amount
    FROM unnest(accounts, currencies, sides, amounts) AS l(account, currency, side, amount);
END $$;
"""  # noqa: S608 - built from our own constants

_PAYMENTS: Final = f"""
CREATE OR REPLACE FUNCTION medhub.guard_money() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'allocated' <> to_jsonb(OLD) - 'allocated' THEN
        RAISE EXCEPTION 'what came in or is owed stays' USING ERRCODE = '{REFUSED}';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER guard_payment BEFORE UPDATE OR DELETE ON public.payment
    FOR EACH ROW {UNLESS_DESTROYING} EXECUTE FUNCTION medhub.guard_money();
CREATE OR REPLACE TRIGGER guard_receivable BEFORE UPDATE OR DELETE ON public.receivable
    FOR EACH ROW {UNLESS_DESTROYING} EXECUTE FUNCTION medhub.guard_money();

-- Asked at commit, of the rows as they are by then: a payment, a receivable and their allocations
-- are written one after the other.
CREATE OR REPLACE FUNCTION medhub.allocations_agree() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written CONSTANT jsonb := to_jsonb(NEW);
    paid CONSTANT uuid := (written ->> CASE TG_TABLE_NAME
        WHEN 'payment' THEN 'id' ELSE 'payment_id' END)::uuid;
    owed CONSTANT uuid := (written ->> 'invoice_id')::uuid;
BEGIN
    IF EXISTS (
        SELECT FROM public.payment p
        WHERE p.organization_id = NEW.organization_id AND p.id = paid AND p.allocated <> (
            SELECT COALESCE(sum(a.amount), 0) FROM public.allocation a
            WHERE a.organization_id = p.organization_id AND a.payment_id = p.id)
    ) OR owed IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.receivable r
        JOIN public.invoice i ON i.organization_id = r.organization_id AND i.id = r.invoice_id
        WHERE r.organization_id = NEW.organization_id AND r.invoice_id = owed
            AND i.state = 'FINAL' AND r.total = i.net_total + i.tax_total AND r.allocated = (
                SELECT COALESCE(sum(a.amount), 0) FROM public.allocation a
                WHERE a.organization_id = r.organization_id AND a.invoice_id = r.invoice_id)
    ) THEN
        RAISE EXCEPTION 'payments, invoices and allocations differ' USING ERRCODE = '{REFUSED}';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS allocations_agree ON public.payment;
CREATE CONSTRAINT TRIGGER allocations_agree AFTER INSERT OR UPDATE ON public.payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION medhub.allocations_agree();
DROP TRIGGER IF EXISTS allocations_agree ON public.receivable;
CREATE CONSTRAINT TRIGGER allocations_agree AFTER INSERT OR UPDATE ON public.receivable
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION medhub.allocations_agree();
DROP TRIGGER IF EXISTS allocations_agree ON public.allocation;
CREATE CONSTRAINT TRIGGER allocations_agree AFTER INSERT ON public.allocation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION medhub.allocations_agree();
"""  # noqa: S608 - built from our own constants

_FUNCTIONS: Final = (
    "guard_money()",
    "allocations_agree()",
    "guard_invoice()",
    "guard_invoice_part()",
    "refuse_change()",
    "adds_up()",
    "post(uuid, text, text, timestamptz, text[], text[], text[], bigint[])",
)


def guard(bind: Connection) -> None:
    """Put the guards up, or renew them after a change."""
    app = roles_of("billing").app
    for function in (_FINAL, _LEDGER, _PAYMENTS):
        bind.exec_driver_sql(function)
    for name in _FUNCTIONS:
        bind.exec_driver_sql(f"REVOKE ALL ON FUNCTION medhub.{name} FROM PUBLIC")
    bind.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION medhub.{_FUNCTIONS[-1]} TO {app}")

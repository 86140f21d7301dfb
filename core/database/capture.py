"""The SQL under audit: the outbox, its functions, and one capture function per table.

All of it belongs to the owner role. The app role can reach the outbox only through functions
that run with the owner's rights and a pinned search_path, so no statement of a service can
forge, read or remove a record. Nothing here needs an extension or anything newer than
PostgreSQL 15.
"""

from collections.abc import Iterable
from dataclasses import dataclass

NO_CONTEXT = "MH001"  # SQLSTATE of a write without an audit context
REFUSED = "MH002"  # SQLSTATE of what the audit schema forbids
MASK = "***"
UNLESS_DESTROYING = "WHEN (NOT medhub.destroying())"  # for triggers that watch over deleting
OTHER = "OTHER"  # stands in facts for a value that is not of its declared shape


@dataclass(frozen=True, slots=True)
class Roles:
    """The three roles of a service's database; least privilege for each."""

    owner: str
    app: str
    relay: str


def roles_of(service: str) -> Roles:
    """Roles belong to the whole server, so their names carry the service."""
    return Roles(f"medhub_{service}_owner", f"medhub_{service}_app", f"medhub_{service}_relay")


_TABLES = """
CREATE SCHEMA IF NOT EXISTS medhub;
REVOKE ALL ON SCHEMA medhub FROM PUBLIC;

-- RFC 9562, version 7: a version 4 with the milliseconds written over its first 48 bits and the
-- version's nibble turned from 0100 to 0111. PostgreSQL has one of its own from 18 on only. A body
-- that is parsed here needs no search_path of its own, and so is folded into the inserts, each of
-- which would pay twice as much for setting one.
CREATE OR REPLACE FUNCTION medhub.uuid7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
    FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;

CREATE TABLE IF NOT EXISTS medhub.audit_outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL DEFAULT medhub.uuid7(),
    organization_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL CHECK (kind IN ('change', 'access', 'refusal', 'act')),
    context jsonb NOT NULL,
    entity text NOT NULL,
    operation text NOT NULL,
    subject uuid,
    subject_kind text NOT NULL,
    resource text NOT NULL,
    before jsonb,
    after jsonb,
    figures jsonb,
    source_seq bigint
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE medhub.audit_outbox ADD COLUMN IF NOT EXISTS figures jsonb;

-- What analytics is told: made of the records above as they get their numbers, about nobody.
CREATE TABLE IF NOT EXISTS medhub.fact_outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    source_seq bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    kind text NOT NULL,
    method text NOT NULL,
    entity text NOT NULL,
    operation text NOT NULL,
    outcome text NOT NULL,
    count bigint NOT NULL,
    figures jsonb
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE IF NOT EXISTS medhub.relay_counter (
    organization_id uuid PRIMARY KEY,
    value bigint NOT NULL CHECK (value > 0)
);

CREATE TABLE IF NOT EXISTS medhub.request_key (
    organization_id uuid NOT NULL,
    caller uuid NOT NULL,
    method text NOT NULL,
    request_id text NOT NULL,
    request_hash bytea NOT NULL,
    name text,
    revision bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, caller, method, request_id)
);
CREATE INDEX IF NOT EXISTS ix_request_key_created_at ON medhub.request_key (created_at);

-- Organizations that leave: handed over by the owner, then destroyed by the owner. What is kept is
-- the proof, and that nothing of them is taken in any more.
CREATE TABLE IF NOT EXISTS medhub.offboarding (
    organization_id uuid PRIMARY KEY,
    export_digest bytea NOT NULL,
    suspended_at timestamptz NOT NULL,
    exported_at timestamptz NOT NULL,
    begun_at timestamptz,
    destroyed_at timestamptz,
    destroyed jsonb NOT NULL DEFAULT '{}',
    receipt bytea
);

CREATE TABLE IF NOT EXISTS medhub.offboarding_key (
    id uuid PRIMARY KEY,
    verifier_key text NOT NULL,
    seed bytea NOT NULL
);
"""

_FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION medhub.audit_context() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held jsonb := NULLIF(current_setting('medhub.context', true), '')::jsonb;
BEGIN
    IF held IS NULL OR NOT held ?& ARRAY['actor', 'actor_kind', 'method', 'action', 'purpose'] THEN
        RAISE EXCEPTION 'a write needs an audit context' USING ERRCODE = '{NO_CONTEXT}';
    END IF;
    RETURN held;
END $$;

CREATE OR REPLACE FUNCTION medhub.transaction_organization() RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT COALESCE(NULLIF(current_setting('medhub.organization', true), ''),
                    '00000000-0000-0000-0000-000000000000')::uuid
$$;

CREATE OR REPLACE FUNCTION medhub.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE leaves no record of what it removes' USING ERRCODE = '{REFUSED}';
END $$;

CREATE OR REPLACE FUNCTION medhub.record_act(
    act text, subject uuid, subject_kind text, resource text, detail jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, medhub, pg_temp AS $$
BEGIN
    INSERT INTO medhub.audit_outbox (organization_id, kind, context, entity, operation,
                                     subject, subject_kind, resource, after)
    VALUES (medhub.transaction_organization(), 'act', medhub.audit_context(), '', act,
            subject, subject_kind, resource, detail);
END $$;

-- One JSON array for a whole batch: it may mix tenants, which no statement of the app role can.
CREATE OR REPLACE FUNCTION medhub.append_access(records jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, medhub, pg_temp AS $$
DECLARE
    appended bigint;
BEGIN
    INSERT INTO medhub.audit_outbox (organization_id, occurred_at, kind, context, entity,
                                     operation, subject, subject_kind, resource, after)
    SELECT r.organization_id, r.occurred_at, r.kind, r.context, r.entity,
           r.operation, r.subject, r.subject_kind, r.resource, r.detail
    FROM jsonb_to_recordset(records) AS r(
        organization_id uuid, occurred_at timestamptz, kind text, context jsonb, entity text,
        operation text, subject uuid, subject_kind text, resource text, detail jsonb)
    WHERE r.kind IN ('access', 'refusal', 'act');
    GET DIAGNOSTICS appended = ROW_COUNT;
    IF appended <> jsonb_array_length(records) THEN
        RAISE EXCEPTION 'changes are recorded by triggers alone' USING ERRCODE = '{REFUSED}';
    END IF;
    RETURN appended;
END $$;

CREATE OR REPLACE FUNCTION medhub.purge_request_keys(age interval) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, medhub, pg_temp AS $$
    WITH gone AS (DELETE FROM medhub.request_key WHERE created_at < now() - age RETURNING 1)
    SELECT count(*) FROM gone
$$;
"""  # noqa: S608 - built from our own declarations

_APP_FUNCTIONS = (
    "record_act(text, uuid, text, text, jsonb)",
    "append_access(jsonb)",
    "purge_request_keys(interval)",
)


# Asked by the triggers that record or refuse what is deleted. An organization that leaves is
# destroyed by the owner, who connects to migrate and for this alone: no statement of a service can
# pretend to be the owner, since the session's user is whoever has logged in.
_DESTROYING = """
CREATE OR REPLACE FUNCTION medhub.destroying() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN session_user = {owner}::name
    AND COALESCE(current_setting('medhub.destroying', true), '') = 'on';
"""


def install_sql(roles: Roles) -> str:
    """The audit schema and its grants. Repeatable: a newer medhub replaces the functions."""
    grants = "".join(
        f"GRANT EXECUTE ON FUNCTION medhub.{f} TO {roles.app};\n" for f in _APP_FUNCTIONS
    )
    destroying = _DESTROYING.format(owner=_literal(roles.owner))
    return f"""{_TABLES}{_FUNCTIONS}{destroying}
REVOKE ALL ON ALL TABLES IN SCHEMA medhub FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA medhub FROM PUBLIC;
GRANT USAGE ON SCHEMA medhub TO {roles.app}, {roles.relay};
GRANT USAGE ON SCHEMA public TO {roles.app}, {roles.relay};
{grants}
GRANT EXECUTE ON FUNCTION medhub.transaction_organization() TO {roles.app};
GRANT EXECUTE ON FUNCTION medhub.destroying() TO {roles.app}, {roles.relay};
GRANT SELECT (organization_id, begun_at) ON medhub.offboarding TO {roles.app};
GRANT SELECT, DELETE, UPDATE (source_seq) ON medhub.audit_outbox TO {roles.relay};
GRANT SELECT, INSERT, DELETE ON medhub.fact_outbox TO {roles.relay};

-- A relay numbers what has no number and deletes what has one: a row that went without a number
-- would leave no gap for anybody to notice. The owner's functions are not bound by it.
ALTER TABLE medhub.audit_outbox ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS seen ON medhub.audit_outbox;
CREATE POLICY seen ON medhub.audit_outbox FOR SELECT TO {roles.relay} USING (true);
DROP POLICY IF EXISTS numbered_once ON medhub.audit_outbox;
CREATE POLICY numbered_once ON medhub.audit_outbox FOR UPDATE TO {roles.relay}
    USING (source_seq IS NULL) WITH CHECK (source_seq IS NOT NULL);
DROP POLICY IF EXISTS deleted_when_numbered ON medhub.audit_outbox;
CREATE POLICY deleted_when_numbered ON medhub.audit_outbox FOR DELETE TO {roles.relay}
    USING (source_seq IS NOT NULL);
GRANT SELECT, INSERT, UPDATE ON medhub.relay_counter TO {roles.relay};
GRANT SELECT, INSERT, UPDATE ON medhub.request_key TO {roles.app};

ALTER TABLE medhub.request_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE medhub.request_key FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS tenant ON medhub.request_key;
CREATE POLICY tenant ON medhub.request_key TO {roles.app}
    USING (organization_id = medhub.transaction_organization())
    WITH CHECK (organization_id = medhub.transaction_organization());
DROP POLICY IF EXISTS owner ON medhub.request_key;
CREATE POLICY owner ON medhub.request_key TO {roles.owner} USING (true) WITH CHECK (true);
"""


@dataclass(frozen=True, slots=True)
class Captured:
    """What the capture function of one table needs to know.

    `masked` columns are recorded as changed, never with their value. `judged_by` names, for a
    sealed column, the blind index that tells whether the value changed: ciphertext differs each
    time it is written. `dimensions` (with the shape of their values) and `amount` are what a fact
    carries of a row.
    """

    table: str
    key: tuple[str, ...]
    organization: str | None
    subject: str | None
    subject_kind: str
    collection: str
    masked: tuple[str, ...]
    judged_by: tuple[tuple[str, str], ...]
    dimensions: tuple[tuple[str, str], ...] = ()
    amount: str | None = None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _names(names: Iterable[str]) -> str:
    return "ARRAY[" + ", ".join(_literal(name) for name in names) + "]::text[]"


def _columns(table: Captured, operation: str, row: str) -> str:
    """The outbox columns that insert and delete share with update, read from one row."""
    pieces = [f"{row}.{name}::text" for name in table.key]
    resource = " || '/' || ".join([_literal(table.collection), *pieces])
    organization = f"{row}.{table.organization}" if table.organization else '"the organization"'
    subject = f"{row}.{table.subject}" if table.subject else "NULL::uuid"
    return (
        f"{organization}, 'change', \"the context\", {_literal(table.table)}, '{operation}', "
        f"{subject}, {_literal(table.subject_kind)}, {resource}, {_figures(table, row)}"
    )


def _figures(table: Captured, row: str) -> str:
    """What a fact may carry of one row, as JSON; a value of another shape says so and no more."""
    if not table.dimensions and table.amount is None:
        return "NULL::jsonb"
    values = ", ".join(
        f"{_literal(name)}, CASE WHEN {row}.{name} IS NULL THEN NULL"
        f" WHEN {row}.{name}::text ~ {_literal(f'^({shape})$')} THEN {row}.{name}::text"
        f" ELSE '{OTHER}' END"
        for name, shape in table.dimensions
    )
    amount = f"{row}.{table.amount}::text" if table.amount else "NULL::text"
    return (
        f"jsonb_strip_nulls(jsonb_build_object('dimensions', jsonb_build_object({values}),"
        f" 'amount', {amount}))"
    )


def _whole(table: Captured, row: str) -> str:
    """A row as JSON without its tenant, with masks over what must not be copied."""
    shown = f"to_jsonb({row})" + (
        f" - {_literal(table.organization)}" if table.organization else ""
    )
    masks = [
        f"{_literal(name)}, CASE WHEN {row}.{name} IS NOT NULL THEN {_literal(MASK)} END"
        for name in table.masked
    ]
    return f"({shown}) || jsonb_build_object({', '.join(masks)})" if masks else shown


def _difference(table: Captured, this: str, other: str) -> str:
    """What differs in `this` row from the `other`, as JSON with masks; NULL when nothing does."""
    judged = "".join(
        f" WHEN {_literal(name)} THEN {this}->{index} IS DISTINCT FROM {other}->{index}"
        for name, index in ((name, _literal(index)) for name, index in table.judged_by)
    )
    differs = f"value IS DISTINCT FROM {other}->key"
    condition = f"CASE key{judged} ELSE {differs} END" if judged else differs
    shown = "value"
    if table.masked:
        hidden = f"key = ANY ({_names(table.masked)}) AND value <> 'null'::jsonb"
        shown = f"CASE WHEN {hidden} THEN to_jsonb({_literal(MASK)}::text) ELSE value END"
    source = f"FROM jsonb_each({this}) WHERE {condition}"
    return f"(SELECT jsonb_object_agg(key, {shown}) {source})"


_TARGET = """INSERT INTO medhub.audit_outbox (organization_id, kind, context, entity, operation,
                                     subject, subject_kind, resource, figures, before, after)"""


def _update(table: Captured) -> str:
    """Rows are matched by key; one whose key itself changed shows as a loss and an arrival."""
    match = [*table.key, *([table.organization] if table.organization else [])]
    on = " AND ".join(f"o.{name} = n.{name}" for name in match)
    figures = {*dict(table.dimensions), *([table.amount] if table.amount else [])}
    kept = {*match, *([table.subject] if table.subject else []), *figures}
    either = ", ".join(f"COALESCE(n.{name}, o.{name}) AS {name}" for name in sorted(kept))
    return f"""{_TARGET}
        SELECT {_columns(table, "update", "d")}, d.before, d.after
        FROM (SELECT r.*, {_difference(table, "r.was", "r.becomes")} AS before,
                     {_difference(table, "r.becomes", "r.was")} AS after
              FROM (SELECT {either}, to_jsonb(o) AS was, to_jsonb(n) AS becomes
                    FROM old_rows o FULL JOIN new_rows n ON {on} OFFSET 0) r OFFSET 0) d
        WHERE d.before IS NOT NULL OR d.after IS NOT NULL;"""  # noqa: S608 - built from our own declarations


def capture_sql(table: Captured) -> str:
    """The table's capture function.

    Transition tables carry no statistics, so the planner would join old and new rows by a
    nested loop: 30,000 rows did not end within six minutes. Hence enable_nestloop = off.
    """
    return f"""CREATE OR REPLACE FUNCTION medhub.capture_{table.table}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, medhub, pg_temp SET enable_nestloop = off AS $capture$
DECLARE
    -- A table may have columns of any name, so these have names that no column has.
    "the context" CONSTANT jsonb := medhub.audit_context();
    "the organization" CONSTANT uuid := medhub.transaction_organization();
BEGIN
    IF TG_OP = 'INSERT' THEN
        {_TARGET}
        SELECT {_columns(table, "insert", "n")}, NULL, {_whole(table, "n")} FROM new_rows n;
    ELSIF TG_OP = 'UPDATE' THEN
        {_update(table)}
    ELSE
        {_TARGET}
        SELECT {_columns(table, "delete", "o")}, {_whole(table, "o")}, NULL FROM old_rows o;
    END IF;
    RETURN NULL;
END $capture$;
REVOKE ALL ON FUNCTION medhub.capture_{table.table}() FROM PUBLIC;"""  # noqa: S608 - built from our own declarations


def triggers_sql(table: str) -> str:
    """The triggers that call it: one per kind of event, which is all a transition table allows."""
    function = f"EXECUTE FUNCTION medhub.capture_{table}()"
    old, new, each = "OLD TABLE AS old_rows", "NEW TABLE AS new_rows", "FOR EACH STATEMENT"
    seen = {
        "insert": f"{new} {each}",
        "update": f"{old} {new} {each}",
        "delete": f"{old} {each} {UNLESS_DESTROYING}",
    }
    captures = "".join(
        f"CREATE OR REPLACE TRIGGER capture_{event} AFTER {event} ON public.{table}"
        f" REFERENCING {how} {function};\n"
        for event, how in seen.items()
    )
    return f"""{captures}
CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON public.{table}
    FOR EACH STATEMENT EXECUTE FUNCTION medhub.refuse_truncate();"""

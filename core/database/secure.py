"""What a migration does to a table besides creating it: the walls around its rows.

Row-level security, enabled and forced; a policy for the app role that shows one tenant; a
policy for the owner, who migrates all of them; the capture triggers; and grants that hold
nothing but reading and writing rows.
"""

from sqlalchemy import Connection, MetaData, Table

from core.contract.figures import figure_of
from core.database.capture import Captured, Roles, capture_sql, roles_of, triggers_sql
from core.database.tables import ERASED, RESTRICTED, TENANT_COLUMN, Scope
from medhub.options.v1 import data_pb2 as options

# After a transaction the setting is an empty string and not NULL, hence NULLIF.
_TENANT = f"{TENANT_COLUMN} = NULLIF(current_setting('medhub.organization', true), '')::uuid"
# Asked once a statement, of a table that is empty or nearly so; NULL is about nobody.
_UNRESTRICTED = """current_setting('medhub.sees_restricted', true) = 'on'
    OR ({subject} = ANY (ARRAY(SELECT r.person FROM public.{restricted} r))) IS NOT TRUE"""

# Asked once a row; most people were not erased, so it is one look into an index.
_NOT_ERASED = "NOT EXISTS (SELECT 1 FROM public.{erased} e WHERE e.person = {table}.{subject})"


def is_restrictable(table: Table) -> bool:
    """Whether rows about a patient whose data are restricted are hidden from ordinary methods.

    What has no subject of its own hangs on a row that has, and is read with it.
    """
    return _is_about_patients(table) and bool(table.info.get("restrictable"))


def outlives_erasure(table: Table) -> bool:
    """Whether nothing but a policy keeps rows about a patient who was erased from being written.

    A row that refers to the patient's own row needs none: that row is gone.
    """
    referring = {name for one in table.foreign_key_constraints for name in one.column_keys}
    return _is_about_patients(table) and table.info["subject"] not in referring


def _is_about_patients(table: Table) -> bool:
    """Whether its rows are about a patient each, in a service that keeps the lists beside them."""
    about = table.info.get("subject") and table.info["subject_kind"] == "patient"
    lists = {RESTRICTED, ERASED}
    return bool(about) and lists <= table.metadata.tables.keys() and table.name not in lists


def _policies(table: Table, roles: Roles) -> list[str]:
    name = f"public.{table.name}"
    statements = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS tenant ON {name}",
        f"CREATE POLICY tenant ON {name} TO {roles.app} USING ({_TENANT}) WITH CHECK ({_TENANT})",
        f"DROP POLICY IF EXISTS owner ON {name}",
        f"CREATE POLICY owner ON {name} TO {roles.owner} USING (true) WITH CHECK (true)",
        f"DROP POLICY IF EXISTS also_visible ON {name}",
        f"DROP POLICY IF EXISTS restricted ON {name}",
        f"DROP POLICY IF EXISTS erased ON {name}",
    ]
    if is_restrictable(table):
        shown = _UNRESTRICTED.format(subject=table.info["subject"], restricted=RESTRICTED)
        statements.append(
            f"CREATE POLICY restricted ON {name} AS RESTRICTIVE TO {roles.app} USING ({shown})"
        )
    if outlives_erasure(table):
        living = _NOT_ERASED.format(erased=ERASED, table=table.name, subject=table.info["subject"])
        statements.append(
            f"CREATE POLICY erased ON {name} AS RESTRICTIVE FOR INSERT TO {roles.app}"
            f" WITH CHECK ({living})"
        )
    if condition := table.info["also_visible"]:
        statements.append(
            f"CREATE POLICY also_visible ON {name} FOR SELECT TO {roles.app} USING ({condition})"
        )
    return statements


def _grants(table: Table, roles: Roles) -> list[str]:
    name = f"public.{table.name}"
    rights = "SELECT, INSERT, UPDATE, DELETE" if table.info.get("writable", True) else "SELECT"
    statements = [
        f"REVOKE ALL ON {name} FROM PUBLIC, {roles.app}",
        f"GRANT {rights} ON {name} TO {roles.app}",
    ]
    if table.info["scope"] is Scope.QUEUE:
        statements.append(f"GRANT SELECT, UPDATE, DELETE ON {name} TO {roles.relay}")
    return statements


def captured(table: Table) -> Captured:
    """What the table's declaration says to its capture function."""
    tenant = table.info["scope"] is Scope.TENANT
    hidden = [c for c in table.columns if c.info.get("secret") or c.info.get("sealed")]
    figures = [(c.name, figure_of(c.info["field"])) for c in table.columns if c.info.get("field")]
    judged = [(c.name, c.info["blind_index"]) for c in hidden if c.info.get("blind_index")]
    return Captured(
        table=table.name,
        key=tuple(c.name for c in table.primary_key if not tenant or c.name != TENANT_COLUMN),
        organization=TENANT_COLUMN if tenant else None,
        subject=table.info["subject"],
        subject_kind=table.info["subject_kind"],
        collection=table.info["collection"],
        masked=tuple(c.name for c in hidden),
        judged_by=tuple(judged),
        dimensions=tuple(
            (name, figure.shape)
            for name, figure in figures
            if figure.kind == options.FIGURE_KIND_DIMENSION
        ),
        amount=next(
            (name for name, figure in figures if figure.kind == options.FIGURE_KIND_AMOUNT), None
        ),
    )


def ddl_of(table: Table) -> list[str]:
    """The statements that secure a table, each repeatable."""
    roles = roles_of(table.metadata.info["service"])
    statements = _grants(table, roles)
    if table.info["scope"] is Scope.TENANT:
        statements += _policies(table, roles)
    if table.info["capture"]:
        statements += [capture_sql(captured(table)), triggers_sql(table.name)]
    return statements


def secure(bind: Connection, table: Table) -> None:
    """Put the walls around a table, or renew them after a change of its columns."""
    for statement in ddl_of(table):
        bind.exec_driver_sql(statement)


def create_all(bind: Connection, metadata: MetaData) -> None:
    """Create the tables of a service in the order of their references, and secure each."""
    metadata.create_all(bind, checkfirst=False)
    for table in metadata.sorted_tables:
        secure(bind, table)


def add_tables(bind: Connection, metadata: MetaData, *names: str) -> None:
    """Create tables that a service has got, where they are not there, and secure each."""
    tables = [metadata.tables[name] for name in names]
    metadata.create_all(bind, tables=tables, checkfirst=True)
    for table in tables:
        secure(bind, table)


def renew_triggers(bind: Connection, metadata: MetaData) -> None:
    """Renew the triggers that record, on the captured tables that are there already."""
    for table in metadata.sorted_tables:
        there = bind.exec_driver_sql("SELECT to_regclass(%s)", (f"public.{table.name}",)).scalar()
        if table.info["capture"] and there is not None:
            bind.exec_driver_sql(triggers_sql(table.name))

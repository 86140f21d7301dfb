"""Whether a database is what its service's tables declare.

A migration that forgets to secure a table, or changes a column behind the declaration, is found
by a test that migrates an empty database and asks here.
"""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table

from core.database.capture import capture_sql, roles_of
from core.database.migrations import engine_of
from core.database.secure import captured, is_restrictable, outlives_erasure
from core.database.tables import Scope

_WALLS = """SELECT relrowsecurity AND relforcerowsecurity,
    ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = pg_class.oid ORDER BY 1),
    ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = pg_class.oid
          AND NOT tgisinternal AND tgenabled = 'O' ORDER BY 1),
    has_table_privilege(%s, pg_class.oid, 'INSERT, UPDATE, DELETE')
    FROM pg_class WHERE oid = to_regclass(%s)"""
_SOURCE = "SELECT prosrc FROM pg_proc WHERE oid = to_regproc(%s)"
_TRIGGERS = ["capture_delete", "capture_insert", "capture_update", "refuse_truncate"]


def drift(owner_url: str, metadata: MetaData) -> list[str]:
    """Each difference between the database and the declared tables; empty when there is none."""
    with engine_of(owner_url).connect() as connection:
        migration = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [str(difference) for difference in compare_metadata(migration, metadata)]
        for table in metadata.sorted_tables:
            found += _walls(connection, table)
    return found


def _walls(connection: Connection, table: Table) -> list[str]:
    app = roles_of(table.metadata.info["service"]).app
    row = connection.exec_driver_sql(_WALLS, (app, f"public.{table.name}")).one_or_none()
    if row is None:
        return [f"{table.name}: missing"]
    forced, policies, triggers, writable = row
    tenant = table.info["scope"] is Scope.TENANT
    extra = ["also_visible"] if table.info.get("also_visible") else []
    found = []
    extra += ["restricted"] if is_restrictable(table) else []
    extra += ["erased"] if outlives_erasure(table) else []
    if forced != tenant or policies != (sorted([*extra, "owner", "tenant"]) if tenant else []):
        found.append(f"{table.name}: row-level security")
    if writable != table.info.get("writable", True):
        found.append(f"{table.name}: rights")
    usual = _TRIGGERS if table.info["capture"] else []
    if triggers != sorted([*usual, *table.info.get("guards", ())]):
        found.append(f"{table.name}: triggers")
    if table.info["capture"] and not _same_function(connection, table):
        found.append(f"{table.name}: capture function")
    return found


def _same_function(connection: Connection, table: Table) -> bool:
    name = f"medhub.capture_{table.name}"
    source = connection.exec_driver_sql(_SOURCE, (name,)).scalar_one_or_none()
    return isinstance(source, str) and f"$capture${source}$capture$" in capture_sql(captured(table))

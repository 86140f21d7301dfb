"""Migrations: one line of revisions per service, run by the owner role.

Two processes that migrate at once take turns. The migration's own writes are audited like any
other, in the name of the migration.
"""

import json
from importlib.util import find_spec
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, NullPool, create_engine

from core.database.capture import install_sql, roles_of

SCHEMA = "medhub"  # where the audit tables and alembic's version table live
_VERSIONS = "alembic_version"
_LOCK = 0x6D696772  # "migr"


def engine_of(url: str) -> Engine:
    """SQLAlchemy's way to a database, for migrations alone; it keeps no connection."""
    arguments = conninfo_to_dict(url)
    return create_engine("postgresql+psycopg://", connect_args=arguments, poolclass=NullPool)


def _config(package: str) -> Config:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"there is no package {package}")
    folder = Path(next(iter(spec.submodule_search_locations)))
    config = Config()
    config.set_main_option("script_location", str(folder / "storage" / "migrations"))
    return config


def head_of(package: str) -> str:
    """The newest revision in a service's code."""
    head = ScriptDirectory.from_config(_config(package)).get_current_head()
    if head is None:
        raise LookupError(f"{package} has no revisions")
    return head


def migrate(service: str, owner_url: str, *, package: str | None = None) -> None:
    """Bring the database to the newest revision; all of it, or nothing, in one transaction.

    `package` is where the service's code is, when not under its own name.
    """
    engine = engine_of(owner_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _enter_context(connection, service)
        connection.exec_driver_sql(install_sql(roles_of(service)))
        config = _config(package or service)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        app = roles_of(service).app
        connection.exec_driver_sql(f"GRANT SELECT ON {SCHEMA}.{_VERSIONS} TO {app}")


def is_current(package: str, url: str) -> bool:
    """Whether the database stands at the newest revision of the code (the app role may ask)."""
    with engine_of(url).connect() as connection:
        migration = MigrationContext.configure(
            connection, opts={"version_table": _VERSIONS, "version_table_schema": SCHEMA}
        )
        return migration.get_current_revision() == head_of(package)


def run_env() -> None:
    """What a service's `migrations/env.py` does, and all that it does."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, version_table=_VERSIONS, version_table_schema=SCHEMA)
    context.run_migrations()


def _enter_context(connection: Connection, service: str) -> None:
    """The audit context of what a migration writes."""
    held = {
        "actor": None,
        "actor_kind": "migration",
        "session": None,
        "method": f"{service}.migrate",
        "action": f"{service}.schema.migrate",
        "purpose": "operation",
        "trace": "",
        "peer": "",
        "on_behalf": None,
    }
    connection.exec_driver_sql("SELECT set_config('medhub.context', %s, true)", (json.dumps(held),))

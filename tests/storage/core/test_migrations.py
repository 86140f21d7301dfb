"""Databases are made with least privilege, and migrated by one process at a time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from core.database.drift import drift
from core.database.migrations import head_of, is_current, migrate
from core.database.provision import Passwords, provision, urls_for
from tests.support.postgres import Server, ServiceDatabase
from tests.support.ward.storage.tables import metadata
from tests.support.wards import PACKAGE, migrate_ward

PASSWORDS = Passwords("owner-of-tests", "app-of-tests", "relay-of-tests")


@pytest.fixture
def name(postgres: Server) -> Any:
    """A database name that is free, and is free again afterwards."""
    name = "medhub_provisioned"
    yield name
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_provisioning_and_migrating_can_be_repeated(postgres: Server, name: str) -> None:
    """A second run finds everything in place and changes nothing."""
    provision_and_migrate(postgres, name)
    provision_and_migrate(postgres, name)

    urls = urls_for(postgres.admin_url, "ward", PASSWORDS, name)
    assert head_of(PACKAGE) == "0001"
    assert is_current(PACKAGE, urls.app)


def test_processes_that_migrate_at_once_take_turns(postgres: Server, name: str) -> None:
    """Four migrations of an empty database at the same moment all end well."""
    urls = provision(postgres.admin_url, "ward", PASSWORDS, database=name)

    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(provision_and_migrate, postgres, name) for _ in range(4)]

    assert [run.exception() for run in runs] == [None] * 4
    assert is_current(PACKAGE, urls.app)


def provision_and_migrate(postgres: Server, name: str) -> None:
    """What each starting process does."""
    urls = provision(postgres.admin_url, "ward", PASSWORDS, database=name)
    migrate_ward("ward", urls.owner)


def test_an_empty_database_is_not_current(postgres: Server, name: str) -> None:
    """Health can tell a database that nobody has migrated."""
    urls = provision(postgres.admin_url, "ward", PASSWORDS, database=name)

    assert not is_current(PACKAGE, urls.owner)


def test_an_administrator_need_not_be_a_superuser(postgres: Server, name: str) -> None:
    """The rights to create roles and databases are enough, on a server of its own; each time."""
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS medhub_admin")
        connection.execute("CREATE ROLE medhub_admin LOGIN CREATEDB CREATEROLE")
        admin = make_conninfo(postgres.admin_url, user="medhub_admin")
        try:
            provision(admin, "otherward", PASSWORDS, database=name)
            urls = provision(admin, "otherward", PASSWORDS, database=name)
            migrate("otherward", urls.owner, package=PACKAGE + ".empty")
            assert is_current(PACKAGE + ".empty", urls.app)
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            for role in ("owner", "app", "relay"):
                connection.execute(f"DROP ROLE IF EXISTS medhub_otherward_{role}")
            connection.execute("DROP ROLE medhub_admin")


def test_a_migrated_database_is_what_the_tables_declare(ward: ServiceDatabase) -> None:
    """No column, policy, trigger or capture function differs from its declaration."""
    assert drift(ward.urls.owner, metadata) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("ALTER TABLE patient NO FORCE ROW LEVEL SECURITY", "patient: row-level security"),
        ("DROP POLICY also_visible ON membership", "membership: row-level security"),
        ("ALTER TABLE stay DISABLE TRIGGER capture_delete", "stay: triggers"),
        ("DROP TRIGGER refuse_truncate ON person", "person: triggers"),
        ("REVOKE ALL ON stay FROM medhub_ward_app", "stay: rights"),
        (
            "CREATE TRIGGER t BEFORE TRUNCATE ON stay EXECUTE FUNCTION medhub.refuse_truncate()",
            "stay: triggers",
        ),
        ("DROP TABLE stay", "stay: missing"),
        ("ALTER TABLE patient ADD COLUMN later text", "later"),
    ],
)
def test_a_changed_wall_is_found(ward: ServiceDatabase, change: str, found: str) -> None:
    """Whatever a migration forgot or changed is named."""
    with ward.owner() as connection:
        connection.execute(change.encode())

    assert found in " ".join(drift(ward.urls.owner, metadata))


def test_an_unknown_service_has_no_migrations() -> None:
    """A wrong name is a fault, and says so."""
    with pytest.raises(LookupError):
        head_of("no_such_service")


def test_strangers_cannot_connect(ward: ServiceDatabase, postgres: Server) -> None:
    """A role of another service has no way into this database."""
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS medhub_stranger")
        connection.execute("CREATE ROLE medhub_stranger LOGIN")
        try:
            with pytest.raises(psycopg.OperationalError, match="CONNECT"):
                psycopg.connect(make_conninfo(ward.admin_url, user="medhub_stranger"))
        finally:
            connection.execute("DROP ROLE medhub_stranger")

"""A service's database and its three roles, made by an administrator's connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.database.capture import Roles, roles_of

_LOCK = 0x6D656468  # "medh": provisioning of one server happens one at a time
# INHERIT: up to 15, the owner of a database owns its public schema by inheritance only.
_ROLE = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT NOREPLICATION NOBYPASSRLS"
_IS_ANOTHER = """SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
        OR NOT rolcanlogin OR NOT rolinherit
    FROM pg_roles WHERE rolname = %s"""


@dataclass(frozen=True, slots=True)
class Passwords:
    """One per role."""

    owner: str
    app: str
    relay: str


@dataclass(frozen=True, slots=True)
class Urls:
    """Where each role connects (they hold the passwords)."""

    owner: str
    app: str
    relay: str


def provision(
    admin_url: str, service: str, passwords: Passwords, *, database: str | None = None
) -> Urls:
    """Make the database and the roles, or set the passwords of those that are there.

    `admin_url` belongs to a role that may create both; nothing keeps it afterwards. The
    database sorts by C rules: names are compared by keys that the services make.
    """
    roles = roles_of(service)
    name = database or f"medhub_{service}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        for role, password in _with_passwords(roles, passwords):
            _make_role(connection, role, password)
        with _acting_for(connection, roles.owner):
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if found.fetchone() is None:
                _make_database(connection, name, roles)
            restrict_database(connection, name, roles)
    return urls_for(admin_url, service, passwords, name)


def is_provisioned(admin_url: str, service: str) -> bool:
    """Whether a role of the service is there, with a password that somebody keeps."""
    roles = roles_of(service)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        query = "SELECT 1 FROM pg_roles WHERE rolname = ANY(%s)"
        found = connection.execute(query, ([roles.owner, roles.app, roles.relay],))
        return found.fetchone() is not None


def urls_for(admin_url: str, service: str, passwords: Passwords, database: str) -> Urls:
    """The roles' addresses of a database on the administrator's server."""
    made = [
        _url(admin_url, role, password, database)
        for role, password in _with_passwords(roles_of(service), passwords)
    ]
    return Urls(*made)


def _with_passwords(roles: Roles, passwords: Passwords) -> list[tuple[str, str]]:
    return [
        (roles.owner, passwords.owner),
        (roles.app, passwords.app),
        (roles.relay, passwords.relay),
    ]


def _url(admin_url: str, role: str, password: str, database: str) -> str:
    """A key=value connection string: sockets, ports and TLS settings stay the admin's."""
    parts = conninfo_to_dict(admin_url)
    return make_conninfo("", **{**parts, "user": role, "password": password, "dbname": database})


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    found = connection.execute(_IS_ANOTHER, (role,)).fetchone()
    verb = "CREATE" if found is None else "ALTER"
    # Only a superuser may name some of the attributes, even to leave them as they are.
    attributes = _ROLE if found is None or found[0] else ""
    connection.execute(
        sql.SQL("{} ROLE {} {} PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(role), sql.SQL(attributes), sql.Literal(password)
        )
    )


@contextmanager
def _acting_for(connection: psycopg.Connection, role: str) -> Iterator[None]:
    """Hold the owner's role for a moment: without it, only a superuser may give to it."""
    query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    row = connection.execute(query).fetchone()
    if row and row[0]:
        yield
        return
    owner = sql.Identifier(role)
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
    try:
        yield
    finally:
        connection.execute(sql.SQL("REVOKE {} FROM CURRENT_USER").format(owner))


def _make_database(connection: psycopg.Connection, name: str, roles: Roles) -> None:
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'").format(
            sql.Identifier(name), sql.Identifier(roles.owner)
        )
    )


def restrict_database(connection: psycopg.Connection, name: str, roles: Roles) -> None:
    """Let the three roles connect and nobody else; no temporary tables for the app role."""
    database = sql.Identifier(name)
    granted = sql.SQL(", ").join(map(sql.Identifier, (roles.owner, roles.app, roles.relay)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, granted))

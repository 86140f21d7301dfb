"""Where a service's database is, and how much of it the service may take."""

from typing import Annotated

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from core.addresses import LARGEST_PORT
from core.settings import PageKey, PoolSize, ReadConnections


def _check_connection(url: SecretStr) -> SecretStr:
    """Raises ValueError without a cause: psycopg quotes what it cannot read, password and all."""
    try:
        parts = {name: str(part) for name, part in conninfo_to_dict(url.get_secret_value()).items()}
    except psycopg.ProgrammingError:
        parts = {}
    # A password with a sign that the URI leaves no room for makes up the host and the port, which
    # libpq quotes when it finds neither.
    if not parts or not _is_somewhere(parts.get("host", ""), parts.get("port", "")):
        raise ValueError("it is no connection string (signs in a password are written %40, %2F, …)")
    return url


def _is_somewhere(hosts: str, ports: str) -> bool:
    numbers = [port for port in ports.split(",") if port]
    known = all(port.isascii() and port.isdigit() for port in numbers)
    # At its beginning it is the sign of an abstract socket.
    named = all("@" not in host[1:] for host in hosts.split(","))
    return named and known and all(0 < int(port) <= LARGEST_PORT for port in numbers)


ConnectionString = Annotated[SecretStr, AfterValidator(_check_connection)]


class DatabaseSettings(BaseModel):
    """One service's database: a URL per role, and the connections one process may hold.

    A serving process needs the app role and, for its relay, the relay role. The owner's URL is
    for migrations alone: a serving process is better off without it.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    app_url: ConnectionString
    page_key: PageKey
    relay_url: ConnectionString | None = None
    owner_url: ConnectionString | None = None
    pool_size: PoolSize = 8
    read_connections: ReadConnections = 1

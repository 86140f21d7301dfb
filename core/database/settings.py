"""Where a service's database is, and how much of it the service may take."""

from pydantic import BaseModel, ConfigDict, SecretStr

from core.settings import PageKey, PoolSize, ReadConnections


class DatabaseSettings(BaseModel):
    """One service's database: a URL per role, and the connections one process may hold.

    A serving process needs the app role and, for its relay, the relay role. The owner's URL is
    for migrations alone: a serving process is better off without it.
    """

    model_config = ConfigDict(frozen=True)

    app_url: SecretStr
    page_key: PageKey
    relay_url: SecretStr | None = None
    owner_url: SecretStr | None = None
    pool_size: PoolSize = 8
    read_connections: ReadConnections = 1

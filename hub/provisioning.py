"""What services that run in containers need before they start: databases, secrets, settings.

A file of settings has a line for each variable, `NAME=value` without quotes and without spaces,
as `docker run --env-file` and systemd's EnvironmentFile read it, and `env $(cat FILE) COMMAND`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from core.crypto.private_files import PrivateFile
from core.database.provision import provision
from hub.secrets import Secrets
from hub.service_secrets import ServiceSecrets
from hub.services import Service


def provision_services(admin_url: str, folder: Path, services: Sequence[Service]) -> Iterator[Path]:
    """Make what is missing, and write each service's settings: the paths of these files.

    What migrates has a file of its own for each service: a server never gets the owner's URL.
    Raises KeptElsewhere, and has changed nothing.
    """
    folder = folder.absolute()
    kept = {service: ServiceSecrets(service, Secrets(folder)) for service in services}
    for own in kept.values():
        own.check_kept_here(admin_url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for service, own in kept.items():
        urls = provision(admin_url, service, own.passwords())
        serving = {
            "DATABASE_APP_URL": uri_of(urls.app),
            "DATABASE_RELAY_URL": uri_of(urls.relay),
            "DATABASE_PAGE_KEY": own.page_key(),
            "KEYRING_PATH": str(own.keyring()),
            "KEYRING_KEY_PATH": str(own.keyring_key()),
            "SERVICE_KEY_PATH": str(own.service_key()),
        }
        yield _written(folder / f"{service}.env", service, serving)
        migrating = {"DATABASE_OWNER_URL": uri_of(urls.owner)}
        yield _written(folder / f"{service}.migrate.env", service, migrating)


def uri_of(conninfo: str) -> str:
    """A connection string as a URI (PostgreSQL 34.1.1.2), which holds no space and no quote."""
    parts = {name: str(part) for name, part in conninfo_to_dict(conninfo).items()}
    user, password = quote(parts.pop("user"), safe=""), quote(parts.pop("password"), safe="")
    database = quote(parts.pop("dbname"), safe="")
    # The host is a parameter too: there may be several, or the folder of a socket.
    return f"postgresql://{user}:{password}@/{database}?{urlencode(parts, quote_via=quote)}"


def _written(path: Path, service: Service, settings: Mapping[str, str]) -> Path:
    lines = (f"MEDHUB_{service.upper()}_{name}={text}\n" for name, text in settings.items())
    PrivateFile(path).replace("".join(lines).encode())
    return path

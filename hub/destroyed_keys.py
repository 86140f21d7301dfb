"""What was destroyed: a list beside the databases, so that a backup cannot bring it back.

`python -m hub.destroyed_keys` follows the databases and keeps the list: keys that were destroyed,
rows of persons that were erased, and organizations that have left. A line names a key, or a person
or an organization by a random id that leads nowhere any more: the list may be copied, and should
be, since a restore on another machine needs the newest one.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import psycopg

from core.crypto.private_files import PrivateFile
from hub import destroyed_organizations
from hub.destroyed_organizations import DestroyedOrganization
from hub.erased_rows import COUNT, ErasedRows, erased_from, erased_in, erased_to
from hub.services import Service

# How often the databases are asked, in seconds: a destruction that is younger than this when the
# whole machine is lost is not on the list.
LOOK_EVERY = 1.0
# For one look, in seconds: a database that does not answer is asked again later.
LOOK_SECONDS = 10

URLS = "MEDHUB_DESTROYED_KEYS_URLS"
PATH = "MEDHUB_DESTROYED_KEYS_PATH"

_KEEPS_KEYS = Service.COMPLIANCE
_COUNT = """
    SELECT (SELECT count(*) FROM subject_key WHERE destroyed_at IS NOT NULL)
        + (SELECT count(*) FROM month_key WHERE destroyed_at IS NOT NULL)
"""
_DESTROYED = """
    SELECT organization_id, id, NULL, NULL FROM subject_key WHERE destroyed_at IS NOT NULL
    UNION ALL
    SELECT organization_id, NULL, retention_class, month FROM month_key
    WHERE destroyed_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class DestroyedKey:
    """The key of a person, by its id; or the key of a month for one class of retention."""

    organization: UUID
    subject_key: UUID | None
    retention_class: str = ""
    month: str = ""


Destroyed: TypeAlias = DestroyedKey | DestroyedOrganization | ErasedRows
"""What a list has in its lines."""


def listed(path: Path) -> set[Destroyed]:
    """What a list says; nothing where there is no list. Raises ValueError for another file."""
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        return set()
    try:
        return {_from(json.loads(line)) for line in lines}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not a list of destroyed keys") from error


def keep(path: Path, destroyed: Iterable[Destroyed]) -> None:
    """Put a list in place of the older one: whole, and durable."""
    lines = sorted(json.dumps(_to(one)) for one in destroyed)
    PrivateFile(path).replace("".join(f"{line}\n" for line in lines).encode("ascii"))


def destroyed_in(connection: psycopg.Connection) -> set[DestroyedKey]:
    """The keys destroyed in compliance's database, of all organizations; for a superuser."""
    return {
        DestroyedKey(organization, key, retention_class or "", month or "")
        for organization, key, retention_class, month in connection.execute(_DESTROYED)
    }


class _Followed:
    """One database, looked at again and again. One that is away is waited for."""

    def __init__(self, service: str, url: str) -> None:
        self._service = service
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._counted: list[int] = []

    @property
    def was_seen(self) -> bool:
        """Whether it has answered at all."""
        return bool(self._counted)

    def look(self) -> set[Destroyed]:
        """What is destroyed in it, when that is more than at the last look; nothing otherwise."""
        try:
            return self._look()
        except psycopg.OperationalError:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return set()

    def _look(self) -> set[Destroyed]:
        connection = self._connection = self._connection or self._connect()
        has_keys = self._service == _KEEPS_KEYS
        asked = [COUNT, destroyed_organizations.COUNT, *([_COUNT] if has_keys else [])]
        counted = [row[0] for sql in asked for row in connection.execute(sql)]
        if counted == self._counted:
            return set()
        found: set[Destroyed] = set(erased_in(connection, self._service))
        found |= destroyed_organizations.destroyed_in(connection, self._service)
        found |= destroyed_in(connection) if has_keys else set()
        self._counted = counted
        return found

    def _connect(self) -> psycopg.Connection:
        session = f"-c statement_timeout={LOOK_SECONDS * 1000}"
        return psycopg.connect(
            self._url, autocommit=True, connect_timeout=LOOK_SECONDS, options=session
        )


def follow(urls: Mapping[str, str], path: Path) -> None:
    """Keep the list current, until the process is ended. `urls` are the databases by service."""
    known, written = listed(path), False
    followed = [_Followed(service, url) for service, url in urls.items()]
    while True:
        # What an older database had stays on the list: it is of another history.
        found = known.union(*(one.look() for one in followed))
        # An empty list says that nothing was destroyed, so it is written when all have said so.
        if found != known or (not written and all(one.was_seen for one in followed)):
            keep(path, found)
            known, written = found, True
        time.sleep(LOOK_EVERY)


def _to(one: Destroyed) -> dict[str, Any]:
    match one:
        case DestroyedKey():
            return _key_to(one)
        case DestroyedOrganization():
            return destroyed_organizations.destroyed_to(one)
        case ErasedRows():
            return erased_to(one)


def _from(line: dict[str, Any]) -> Destroyed:
    if "destroyed_organization" in line:
        return destroyed_organizations.destroyed_from(line)
    return erased_from(line) if "erasure_request" in line else _key_from(line)


def _key_to(key: DestroyedKey) -> dict[str, str]:
    if key.subject_key is not None:
        return {"organization": str(key.organization), "subject_key": str(key.subject_key)}
    return {
        "organization": str(key.organization),
        "retention_class": key.retention_class,
        "month": key.month,
    }


def _key_from(line: dict[str, str]) -> DestroyedKey:
    organization = UUID(line["organization"])
    if "subject_key" in line:
        return DestroyedKey(organization, UUID(line["subject_key"]))
    return DestroyedKey(organization, None, line["retention_class"], line["month"])


if __name__ == "__main__":
    follow(json.loads(os.environ[URLS]), Path(os.environ[PATH]))

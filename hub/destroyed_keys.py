"""Which keys were destroyed: a list beside the database, so that a backup cannot bring them back.

`python -m hub.destroyed_keys` follows the compliance database and keeps the list. A line names a
key and nobody: the list may be copied anywhere, and should be, since a restore on another machine
needs the newest one.
"""

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from core.crypto.private_files import PrivateFile

# How often the database is asked, in seconds: a destruction that is younger than this when the
# whole machine is lost is not on the list.
LOOK_EVERY = 1.0
# For one look, in seconds: a database that does not answer is asked again later.
LOOK_SECONDS = 10

URL = "MEDHUB_DESTROYED_KEYS_URL"
PATH = "MEDHUB_DESTROYED_KEYS_PATH"

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


def listed(path: Path) -> set[DestroyedKey]:
    """The keys of a list; none where there is no list. Raises ValueError for another file."""
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        return set()
    try:
        return {_key_from(json.loads(line)) for line in lines}
    except (TypeError, KeyError) as error:
        raise ValueError("not a list of destroyed keys") from error


def keep(path: Path, keys: Iterable[DestroyedKey]) -> None:
    """Put a list in place of the older one: whole, and durable."""
    lines = sorted(json.dumps(_key_to(key)) for key in keys)
    PrivateFile(path).replace("".join(f"{line}\n" for line in lines).encode("ascii"))


def destroyed_in(connection: psycopg.Connection) -> set[DestroyedKey]:
    """The keys destroyed in compliance's database, of all organizations; for a superuser."""
    return {
        DestroyedKey(organization, key, retention_class or "", month or "")
        for organization, key, retention_class, month in connection.execute(_DESTROYED)
    }


def follow(url: str, path: Path) -> None:
    """Keep the list current, until the process is ended. A database that is away is waited for."""
    known = listed(path)
    while True:
        with suppress(psycopg.OperationalError):
            _follow(url, path, known)
        time.sleep(LOOK_EVERY)


def _follow(url: str, path: Path, known: set[DestroyedKey]) -> None:
    session = f"-c statement_timeout={LOOK_SECONDS * 1000}"
    with psycopg.connect(
        url, autocommit=True, connect_timeout=LOOK_SECONDS, options=session
    ) as connection:
        counted = -1
        while True:
            row = connection.execute(_COUNT).fetchone()
            if row is not None and row[0] != counted:
                # What an older database had stays on the list: it is of another history.
                known |= destroyed_in(connection)
                keep(path, known)
                counted = row[0]
            time.sleep(LOOK_EVERY)


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
    follow(os.environ[URL], Path(os.environ[PATH]))

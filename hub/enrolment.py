"""Makes the platform's own servers known to auth: `python -m hub.enrolment`, before they start.

Each has a service account and a key file of its own. What is there already stays as it is.
"""

import asyncio
import sys
from pathlib import Path

from auth import bootstrap
from auth.domain.assertions import COLLECTION
from auth.domain.roles import roles_of_server
from auth.formats import key_files
from auth.settings import CommandSettings
from auth.storage.store import Store
from core.database import Database
from core.ids import name_of


async def enrol(store: Store, name: str, path: Path) -> str:
    """Give the server of this name its account; its key file says which. Answers the account."""
    key = await asyncio.to_thread(key_files.read_or_create, path)
    roles = roles_of_server(name)
    account = await bootstrap.service_account(store, None, name, key.public_key, roles)
    named = name_of(COLLECTION, account)
    if key.account != named:
        await asyncio.to_thread(key_files.write, path, key.of(named))
    return named


async def enrol_all(paths: dict[str, Path]) -> None:
    """Give each server its account, in auth's database as the environment names it."""
    database = Database(CommandSettings.read().database())
    await database.open()
    try:
        for name, path in paths.items():
            print(f"{name}: {await enrol(Store(database), name, path)}", flush=True)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(enrol_all({Path(a).name.split(".")[0]: Path(a) for a in sys.argv[1:]}))

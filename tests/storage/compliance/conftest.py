"""The store of compliance on a fresh database, in a relay's call."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from compliance.storage.store import Store
from core import identity
from core.database import Database
from core.ids import new_id
from tests.support.audit import keyring
from tests.support.postgres import ServiceDatabase


@pytest.fixture
def compliance(database: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    """A fresh database of compliance."""
    return database("compliance")


@pytest.fixture
async def db(compliance: ServiceDatabase) -> AsyncIterator[Database]:
    """That database as the server has it."""
    async with compliance.open() as opened:
        yield opened


@pytest.fixture
async def store(db: Database, tmp_path: Path) -> Store:
    """The store, in a call of a relay."""
    caller = identity.Caller(kind=identity.Kind.SERVICE, subject=new_id())
    method = "medhub.compliance.v1.AuditService/AppendEvents"
    identity.enter(identity.Call(method=method, caller=caller, purpose="operation"))
    return Store(db, keyring(tmp_path))

"""A data folder of an earlier version is taken over: nobody who could get in is shut out by it."""

from collections.abc import Callable
from pathlib import Path

from auth import bootstrap
from auth.proving import Proving
from auth.servicers.auth import Authentication
from auth.hashing import Hashing
from auth.signing import Signer, set_up
from auth.storage.store import Store
from core.crypto.keyring import Keyring
from core.crypto.unlocking import Passphrase
from core.database.migrations import migrate
from tests.storage.auth.test_service_accounts import assertion
from tests.support.credentials import CHEAP, PASSWORD, anonymous
from tests.support.postgres import ServiceDatabase

# What the versions after this one have added, taken away again.
_BEFORE_0005 = """
    DROP TABLE service_key_use, service_account_key;
    ALTER TABLE session DROP COLUMN device, DROP COLUMN revision;
    ALTER TABLE organization DROP COLUMN session_epoch;
    ALTER TABLE auth_revision DROP COLUMN session_epoch;
    UPDATE alembic_version SET version_num = '0004';
"""

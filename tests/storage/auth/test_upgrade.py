"""A database of an earlier version is taken over: nobody who could get in is shut out by it."""

from auth import operation
from core.database.migrations import migrate
from tests.storage.auth.test_renewal import refresh
from tests.storage.auth.test_service_accounts import assertion, exchange
from tests.support.credentials import Auth
from tests.support.postgres import ServiceDatabase

# What versions since have added, taken away again, as the superuser may.
_EARLIER = """
    SET session_replication_role = replica;
    DROP TABLE service_key_use, service_account_key;
    ALTER TABLE session DROP COLUMN device, DROP COLUMN revision;
    ALTER TABLE organization DROP COLUMN session_epoch;
    ALTER TABLE auth_revision DROP COLUMN session_epoch;
    UPDATE medhub.alembic_version SET version_num = '0005';
"""


async def test_sessions_and_keys_of_before_go_on(auth: Auth) -> None:
    """Until they are ended, which works for them as for others."""
    clinic = await auth.clinic()
    account, key = await auth.service(clinic.organization, "integration")
    made = await auth.log_in(clinic.email)
    there: ServiceDatabase = auth.rows.__self__  # type: ignore[attr-defined]
    assert there.urls.owner is not None
    auth.rows(_EARLIER)

    migrate("auth", there.urls.owner)

    assert (await exchange(auth, assertion(account, key))).access_token
    renewed = await refresh(auth, made.refresh_token)
    assert (await auth.proving.prove(renewed.access_token)).roles == ("administrator",)
    await operation.end_everything(auth.store)
    assert auth.rows("SELECT device FROM session") == [{"device": ""}]

"""An organization leaves auth; the people keep their accounts, and no token of it comes back."""

from datetime import UTC, datetime

import pytest

from auth.domain.refusals import TokenInvalid
from auth.operation import NoSuchRow, reactivate_organization, suspend_organization
from auth.storage.organization_data import belongings
from core.offboarding.destruction import Destruction
from tests.support.clinics import KeyInMemory
from tests.support.credentials import Auth

_DIGEST = bytes(32)
_SUSPENDED = datetime(2026, 11, 26, tzinfo=UTC)


async def test_the_organization_goes_and_its_people_stay(auth: Auth) -> None:
    """What is kept of it is that it accepts no token; from the beginning on it cannot come back."""
    leaving, other = await auth.clinic(), await auth.clinic("Clinique du Lac")
    made = await auth.log_in(leaving.email)
    await suspend_organization(auth.store, leaving.organization)
    work = Destruction(auth.owner_url, belongings(), KeyInMemory())
    auth.rows("DELETE FROM medhub.audit_outbox")
    work.exported(leaving.organization, _DIGEST, _SUSPENDED)

    work.begin(leaving.organization, _DIGEST)
    with pytest.raises(NoSuchRow):
        await reactivate_organization(auth.store, leaving.organization)
    work.destroy(leaving.organization, _DIGEST)

    for table in ("membership", "session", "role", "service_account"):
        left = auth.rows(f"SELECT 1 FROM {table} WHERE organization_id = '{leaving.organization}'")
        assert left == [], table
    kept = auth.rows(
        f"SELECT key, event FROM auth_state WHERE event::text LIKE '%%{leaving.organization}%%'"
    )
    assert [row["key"] for row in kept] == [f"organization/{leaving.organization}"]
    assert kept[0]["event"]["suspended"] is True
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    assert list((await auth.log_in(leaving.email)).organizations) == []
    assert (await auth.log_in(other.email)).access_token

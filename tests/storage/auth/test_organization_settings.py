"""What an organization has decided is known to whoever opens a session for it."""

from auth.background import own_call
from auth.domain.organizations import OrganizationSettings
from core.ids import new_id
from tests.support.credentials import Auth


async def test_who_has_decided_nothing_has_the_defaults(auth: Auth) -> None:
    """Those of the database are those of the domain; nobody belongs to what is not there."""
    clinic = await auth.clinic()

    async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
        found = [
            await tx.organizations.settings(each) for each in (clinic.organization, None, new_id())
        ]

    assert found == [OrganizationSettings()] * 3

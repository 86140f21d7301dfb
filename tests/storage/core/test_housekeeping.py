"""What every server does now and then."""

from collections.abc import Callable
from uuid import uuid4

from core.housekeeping import Housekeeping
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller

Make = Callable[[str], ServiceDatabase]


async def test_keys_of_old_requests_are_forgotten(database: Make) -> None:
    """A key of today stays, one of the day before yesterday goes."""
    here = database("compliance")
    async with here.open() as db:
        for _ in range(2):
            as_caller(organization=new_id(), subject=new_id(), request_id=str(uuid4()))
            async with db.begin() as tx:
                await tx.first_try()
                await tx.remember("things/1", 1)
        here.rows(
            "UPDATE medhub.request_key SET created_at = now() - interval '2 days'"
            " WHERE request_id = (SELECT min(request_id) FROM medhub.request_key)"
        )

        await Housekeeping("compliance", db).purge()

        assert len(here.rows("SELECT 1 AS kept FROM medhub.request_key")) == 1

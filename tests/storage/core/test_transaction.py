"""Transactions: tenant, audit context, commit and refusal."""

from sqlalchemy import bindparam, insert, select

from core.database import Database, statement
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage.tables import patient

_ADD = statement(
    insert(patient).values(
        id=bindparam("id"), name=bindparam("name"), organization_id=bindparam("organization_id")
    )
)
_GET = statement(select(patient.c.id, patient.c.name).where(patient.c.id == bindparam("id")))


async def test_what_is_committed_is_read_again(db: Database, ward: ServiceDatabase) -> None:
    """A row written in one transaction is there in the next, and in the shared pipeline."""
    as_caller(organization=new_id())
    row = new_id()

    async with db.begin() as tx:
        await tx.run(_ADD, id=row, name="Curie")

    async with db.begin(read_only=True) as tx:
        assert (await tx.one(_GET, id=row)).name == "Curie"
    assert await db.reads.one(_GET, id=row) == (row, "Curie")
    print(ward.rows("select * from medhub.audit_outbox"))

"""Row-level security: a tenant sees and changes its own rows, and no others."""

import psycopg
import pytest

from core.database import Database
from core.ids import new_id
from tests.support.postgres import ServiceDatabase, as_caller
from tests.support.ward.storage import patients


async def test_without_a_tenant_no_row_is_visible(db: Database) -> None:
    """A transaction that names no tenant reads nothing."""
    as_caller(organization=new_id())
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")

    as_caller(organization=None)

    async with db.begin() as tx:
        assert await tx.one(patients.GET, id=row) is None
    assert await db.reads.one(patients.GET, id=row) is None


async def test_a_tenant_neither_reads_nor_changes_rows_of_another(db: Database) -> None:
    """Reads, updates and deletes of another tenant's rows find nothing."""
    as_caller(organization=new_id())
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")

    as_caller(organization=new_id())

    async with db.begin() as tx:
        assert await tx.one(patients.GET, id=row) is None
        assert await tx.run(patients.RENAME, key=row, name="Other") == 0
        assert await tx.run(patients.REMOVE, key=row) == 0
    assert await db.reads.one(patients.GET, id=row) is None


async def test_a_row_for_another_tenant_is_refused(db: Database, ward: ServiceDatabase) -> None:
    """A write that names another tenant is an error of the database, and leaves nothing."""
    as_caller(organization=new_id())

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with db.begin() as tx:
            await tx.run(patients.ADD, organization_id=new_id(), id=new_id(), name="Curie")

    assert ward.rows("SELECT count(*) AS many FROM patient") == [{"many": 0}]


async def test_a_reference_cannot_cross_tenants(db: Database) -> None:
    """A foreign key holds the tenant, so another tenant's patient cannot be referred to."""
    as_caller(organization=new_id())
    row = new_id()
    async with db.begin() as tx:
        await tx.run(patients.ADD, id=row, name="Curie")
    as_caller(organization=new_id())

    with pytest.raises(Exception, match="fk_stay_patient_id_patient"):
        async with db.begin() as tx:
            await tx.run(patients.ADD_STAY, id=new_id(), patient_id=row)


async def test_own_memberships_are_visible_in_every_tenant(db: Database) -> None:
    """An extra condition opens rows for reading besides the tenant's own."""
    me = new_id()
    tenants = sorted(new_id() for _ in range(3))
    for tenant in tenants:
        as_caller(organization=tenant)
        async with db.begin() as tx:
            await tx.run(patients.ADD_MEMBER, user_id=me)
            await tx.run(patients.ADD_MEMBER, user_id=new_id())

    as_caller(organization=None, subject=me)

    async with db.begin() as tx:
        assert [row.organization_id for row in await tx.all(patients.MEMBERS)] == tenants


def test_copy_into_a_tenant_table_is_refused(ward: ServiceDatabase) -> None:
    """COPY FROM would pass by the policies, so PostgreSQL refuses it to the app role."""
    with (
        psycopg.connect(ward.urls.app) as connection,
        pytest.raises(psycopg.errors.FeatureNotSupported),
        connection.cursor().copy("COPY patient FROM STDIN"),
    ):
        pass


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM medhub.audit_outbox",
        "INSERT INTO medhub.audit_outbox (entity) VALUES ('')",
        "DELETE FROM medhub.audit_outbox",
        "UPDATE medhub.relay_counter SET value = 1",
        "ALTER TABLE patient DISABLE TRIGGER ALL",
        "ALTER TABLE patient DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON patient",
        "SET session_replication_role = replica",
        "TRUNCATE patient",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE FUNCTION medhub.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT medhub.audit_context()",
        "SET ROLE medhub_ward_owner",
    ],
)
def test_the_app_role_cannot_touch_the_walls(ward: ServiceDatabase, sql: str) -> None:
    """The app role has no right on the outbox, the triggers, the policies or the schema."""
    with (
        psycopg.connect(ward.urls.app) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(sql.encode())


@pytest.mark.parametrize("sql", ["SELECT * FROM patient", "SELECT medhub.append_access('[]')"])
def test_the_relay_role_sees_the_outbox_only(ward: ServiceDatabase, sql: str) -> None:
    """The relay's role has no right on the service's tables, and writes no records."""
    with (
        psycopg.connect(ward.urls.relay) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(sql.encode())


def test_roles_have_no_attributes(ward: ServiceDatabase) -> None:
    """No role of a service is a superuser, bypasses policies, or may create roles."""
    roles = ward.rows(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'medhub_ward_%%' AND "
        "(rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)",
    )

    assert roles == []

"""The ward's statements."""

from sqlalchemy import Uuid, any_, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from core.database import after, statement
from tests.support.ward.storage.tables import membership, message, patient, person, stay

_NEW = insert(patient).values(
    organization_id=bindparam("organization_id"), id=bindparam("id"), name=bindparam("name")
)

ADD = statement(_NEW)
ADD_WHOLE = statement(insert(patient))
ADD_STAY = statement(insert(stay))
ADD_MEMBER = statement(insert(membership))
ADD_PERSON = statement(insert(person))
ADD_MESSAGE = statement(insert(message))
GET = statement(select(patient.c.id, patient.c.name).where(patient.c.id == bindparam("id")))
GET_WHOLE = statement(select(patient).where(patient.c.id == bindparam("id")))
LIST = statement(select(patient.c.name).order_by(patient.c.name).limit(bindparam("limit")))
FIRST = statement(
    select(patient.c.name, patient.c.id)
    .order_by(patient.c.name, patient.c.id)
    .limit(bindparam("limit"))
)
NEXT = statement(
    select(patient.c.name, patient.c.id)
    .where(after(patient.c.name, patient.c.id))
    .order_by(patient.c.name, patient.c.id)
    .limit(bindparam("limit"))
)
SOME = statement(
    select(patient.c.name)
    .where(patient.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(patient.c.name)
)
COUNT = statement(select(func.count().label("many")).select_from(patient))
MEMBERS = statement(select(membership.c.organization_id).order_by(membership.c.organization_id))
RENAME = statement(
    update(patient)
    .where(patient.c.id == bindparam("key"))
    .values(name=bindparam("name"), revision=patient.c.revision + 1)
)
RENAME_ALL = statement(update(patient).values(name=patient.c.name + "!"))
SEAL = statement(
    update(patient)
    .where(patient.c.id == bindparam("key"))
    .values(pin=bindparam("pin"), ins=bindparam("ins"), ins_index=bindparam("ins_index"))
)
PUT = statement(
    upsert(patient)
    .values(
        organization_id=bindparam("organization_id"), id=bindparam("id"), name=bindparam("name")
    )
    .on_conflict_do_update(
        index_elements=[patient.c.organization_id, patient.c.id],
        set_={"name": upsert(patient).excluded.name},
    )
)
REMOVE = statement(delete(patient).where(patient.c.id == bindparam("key")))
BY_CTE = statement(
    text(
        """WITH moved AS (
            UPDATE patient SET name = 'moved' WHERE name = :name RETURNING organization_id, id
        ), stays AS (
            INSERT INTO stay (organization_id, id, patient_id)
            SELECT organization_id, gen_random_uuid(), id FROM moved RETURNING 1
        ) SELECT count(*) AS many FROM stays"""
    )
)
LOCK = statement(select(patient.c.id).where(patient.c.id == bindparam("id")).with_for_update())
SLEEP = statement(text("SELECT pg_sleep(:seconds)"))
DIVIDE = statement(text("SELECT CAST(:x AS integer) / CAST(:y AS integer) AS result"))
TENANT = statement(text("SELECT current_setting('medhub.organization', true) AS tenant"))

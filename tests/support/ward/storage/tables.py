"""A small service of the tests' own: tables of every scope, migrated like any other."""

from sqlalchemy import Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from core.database import (
    column,
    index,
    new_metadata,
    platform_table,
    queue_table,
    reference,
    tenant_table,
    unique,
)

metadata = new_metadata("ward")

patient = tenant_table(
    "patient",
    metadata,
    column("id", Uuid, field="medhub.test.v1.Patient.name", primary_key=True),
    column("name", Text, field="medhub.test.v1.Patient.birth_name"),
    column("number", Text, field="medhub.test.v1.Patient.number", nullable=True),
    column("pin", Text, field="medhub.test.v1.Patient.pin", secret=True, nullable=True),
    column(
        "ins",
        LargeBinary,
        field="medhub.test.v1.Patient.ins",
        sealed=True,
        blind_index="ins_index",
        nullable=True,
    ),
    column("ins_index", LargeBinary, internal="Blind index.", secret=True, nullable=True),
    column("extra", JSONB, field="medhub.test.v1.Patient.extra", nullable=True),
    column("tags", ARRAY(Text), field="medhub.test.v1.Patient.tags", nullable=True),
    column(
        "created_at",
        TIMESTAMP(timezone=True),
        field="medhub.test.v1.Patient.create_time",
        server_default="now()",
    ),
    column("revision", Integer, internal="Optimistic lock.", server_default="1"),
    unique("number"),
    index("name", "id"),
    subject="id",
    collection="patients",
)
stay = tenant_table(
    "stay",
    metadata,
    column("id", Uuid, field="medhub.test.v1.Stay.name", primary_key=True),
    column("patient_id", Uuid, field="medhub.test.v1.Stay.patient"),
    # Facts carry it, because the contract of the field says so.
    column("state", Text, field="medhub.clinical.v1.Hl7Message.state", server_default="''"),
    reference("patient_id", to="patient", on_delete="CASCADE"),
    subject="patient_id",
    collection="stays",
)
membership = tenant_table(
    "membership",
    metadata,
    column("user_id", Uuid, field="medhub.test.v1.Membership.user", primary_key=True),
    subject="user_id",
    subject_kind="user",
    also_visible="user_id = NULLIF(current_setting('medhub.subject', true), '')::uuid",
)
person = platform_table(
    "person",
    metadata,
    column("id", Uuid, field="medhub.test.v1.Person.name", primary_key=True),
    column("email", Text, field="medhub.test.v1.Person.email"),
    reason="A person works for several organizations.",
    subject="id",
    subject_kind="user",
    collection="people",
)
message = queue_table(
    "message",
    metadata,
    column("id", Uuid, internal="Order of sending.", primary_key=True),
    column("body", Text, internal="What to send."),
    reason="Sent by the relay, then deleted.",
)

"""Every table of the clinical service. All but the queue belong to one organization each."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from core.crypto.organization_keys import organization_key_table
from core.database import (
    Reach,
    column,
    index,
    new_metadata,
    queue_table,
    reference,
    tenant_table,
)
from core.subject.receipts import receipt_tables
from core.subject.restrictions import restriction_tables

metadata = new_metadata("clinical")

_V1: Final = "medhub.clinical.v1"
_TIME: Final = TIMESTAMP(timezone=True)
_REVISION: Final = "Counts the changes; shown as etag (AIP-154)."


def _one_of(name: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name=name)


def _text(name: str, field: str) -> Column[Any]:
    """A text of the contract, "" where it says empty."""
    return column(name, Text, field=f"{_V1}.{field}", server_default="''")


def _times(message: str) -> tuple[Column[Any], Column[Any]]:
    return (
        column("created_at", _TIME, field=f"{_V1}.{message}.create_time"),
        column("updated_at", _TIME, field=f"{_V1}.{message}.update_time"),
    )


organization_key: Final[Table] = organization_key_table(metadata)

clinical_setting: Final[Table] = tenant_table(
    "clinical_setting",
    metadata,
    column(
        "accepts_test_ins",
        Boolean,
        internal="The organization rehearses: it takes test INS only, others take real ones only.",
    ),
    subject=None,
    collection="clinicalSettings",
)

patient: Final[Table] = tenant_table(
    "patient",
    metadata,
    column("id", Uuid, field=f"{_V1}.Patient.name", primary_key=True),
    _text("birth_name", "Patient.birth_name"),
    _text("used_name", "Patient.used_name"),
    _text("birth_given_names", "Patient.birth_given_names"),
    _text("first_birth_given_name", "Patient.first_birth_given_name"),
    # ISO 8601 cut at its precision (1980, 1980-05): a date column would invent a day.
    _text("birth_date", "Patient.birth_date"),
    _text("sex", "Patient.sex"),
    _text("birth_place_code", "Patient.birth_place_code"),
    _text("death_date", "Patient.death_date"),
    _text("identity_status", "Patient.identity_status"),
    # The end of the chain of merges, so that a read follows one reference however long it is.
    column("survivor_id", Uuid, field=f"{_V1}.Patient.survivor", nullable=True),
    *_times("Patient"),
    column("deleted_at", _TIME, field=f"{_V1}.Patient.delete_time", nullable=True),
    column("revision", Integer, internal=_REVISION, server_default="1"),
    _one_of("sex", "", "FEMALE", "MALE", "OTHER", "UNKNOWN"),
    _one_of("identity_status", "PROVISIONAL", "RECOVERED", "VALIDATED", "QUALIFIED"),
    CheckConstraint("survivor_id <> id", name="survivor"),
    reference("survivor_id", to="patient"),
    index("survivor_id"),
    index("birth_date", "id"),
    subject="id",
    collection="patients",
)

patient_identifier: Final[Table] = tenant_table(
    "patient_identifier",
    metadata,
    column("id", Uuid, internal="The row.", primary_key=True),
    column("patient_id", Uuid, field=f"{_V1}.Patient.identifiers"),
    column("position", Integer, internal="Its place in the patient's list."),
    column("system", Text, field=f"{_V1}.PatientIdentifier.system"),
    column("type", Text, field=f"{_V1}.PatientIdentifier.type"),
    column(
        "value",
        LargeBinary,
        field=f"{_V1}.PatientIdentifier.value",
        sealed=True,
        blind_index="value_index",
    ),
    column("value_index", LargeBinary, internal="Blind index of value.", secret=True),
    column("use", Text, field=f"{_V1}.PatientIdentifier.use"),
    column(
        "is_held",
        Boolean,
        internal="In use by a live patient, and so nobody else's: what uniqueness is asked of.",
    ),
    _one_of("type", "PI", "AN", "VN", "INS", "SS", "OTHER"),
    _one_of("use", "OFFICIAL", "TEMPORARY", "OLD"),
    reference("patient_id", to="patient", on_delete="CASCADE"),
    index("patient_id"),
    index("system", "value_index", unique=True, where="is_held"),
    # Messages that name somebody who was deleted are recognized by it.
    index("value_index", "system", where="NOT is_held"),
    subject="patient_id",
    collection="patientIdentifiers",
)

patient_search_key: Final[Table] = tenant_table(
    "patient_search_key",
    metadata,
    column("key", Text, internal="A normalized word of a name.", primary_key=True),
    column("patient_id", Uuid, internal="Whose name it is of.", primary_key=True),
    reference("patient_id", to="patient", on_delete="CASCADE"),
    index("patient_id"),
    subject="patient_id",
    capture=False,
    reason="Derived from the names of a patient, whose changes are recorded.",
)

patient_revision: Final[Table] = tenant_table(
    "patient_revision",
    metadata,
    column("patient_id", Uuid, internal="Whose revision it is.", primary_key=True),
    column("revision", Integer, internal="Which one.", primary_key=True),
    column(
        "snapshot",
        LargeBinary,
        internal="The patient at that revision, for the answer to a repeated request.",
        sealed=True,
    ),
    reference("patient_id", to="patient", on_delete="CASCADE"),
    subject="patient_id",
    capture=False,
    reason="A copy of what a change made of a patient, which is recorded where it happens.",
)

patient_link: Final[Table] = tenant_table(
    "patient_link",
    metadata,
    column("id", Uuid, field=f"{_V1}.PatientLink.name", primary_key=True),
    column("survivor_id", Uuid, field=f"{_V1}.PatientLink.survivor"),
    column("duplicate_id", Uuid, field=f"{_V1}.PatientLink.duplicate"),
    _text("reason", "PatientLink.reason"),
    _text("source", "PatientLink.source"),
    column("created_at", _TIME, field=f"{_V1}.PatientLink.create_time"),
    reference("survivor_id", to="patient"),
    reference("duplicate_id", to="patient"),
    # A patient is the duplicate of one merge at most.
    index("duplicate_id", unique=True),
    index("survivor_id"),
    subject="survivor_id",
    collection="patientLinks",
    reach=Reach(also={"duplicate_id": "patient"}),
)

unit: Final[Table] = tenant_table(
    "unit",
    metadata,
    column("id", Uuid, field=f"{_V1}.Unit.name", primary_key=True),
    _text("code", "Unit.code"),
    _text("display_name", "Unit.display_name"),
    column("created_at", _TIME, field=f"{_V1}.Unit.create_time"),
    index("code", unique=True),
    subject=None,
    collection="units",
)

practitioner: Final[Table] = tenant_table(
    "practitioner",
    metadata,
    column("id", Uuid, field=f"{_V1}.Practitioner.name", primary_key=True),
    _text("display_name", "Practitioner.display_name"),
    _text("rpps", "Practitioner.rpps"),
    column("user_id", Uuid, field=f"{_V1}.Practitioner.user", nullable=True),
    column("created_at", _TIME, field=f"{_V1}.Practitioner.create_time"),
    index("user_id", unique=True, where="user_id IS NOT NULL"),
    index("rpps", unique=True, where="rpps <> ''"),
    subject="user_id",
    subject_kind="user",
    collection="practitioners",
)

practitioner_unit: Final[Table] = tenant_table(
    "practitioner_unit",
    metadata,
    column("practitioner_id", Uuid, field=f"{_V1}.Practitioner.name", primary_key=True),
    column("unit_id", Uuid, field=f"{_V1}.Practitioner.units", primary_key=True),
    reference("practitioner_id", to="practitioner", on_delete="CASCADE"),
    reference("unit_id", to="unit"),
    subject=None,
    collection="practitionerUnits",
    reach=Reach(through="practitioner_id"),
)

encounter: Final[Table] = tenant_table(
    "encounter",
    metadata,
    column("id", Uuid, field=f"{_V1}.Encounter.name", primary_key=True),
    column("patient_id", Uuid, field=f"{_V1}.Encounter.patient"),
    column("visit_system", Text, internal="Who issued visit_number.", server_default="''"),
    _text("visit_number", "Encounter.visit_number"),
    _text("class", "Encounter.class"),
    _text("status", "Encounter.status"),
    column("unit_id", Uuid, field=f"{_V1}.Encounter.unit", nullable=True),
    _text("location", "Encounter.location"),
    column("attending_id", Uuid, field=f"{_V1}.Encounter.attending", nullable=True),
    column("started_at", _TIME, field=f"{_V1}.Encounter.start_time", nullable=True),
    column("ended_at", _TIME, field=f"{_V1}.Encounter.end_time", nullable=True),
    *_times("Encounter"),
    column("revision", Integer, internal=_REVISION, server_default="1"),
    _one_of("status", "PLANNED", "IN_PROGRESS", "FINISHED", "CANCELLED"),
    reference("patient_id", to="patient"),
    reference("unit_id", to="unit"),
    reference("attending_id", to="practitioner"),
    index("patient_id", "id"),
    index("patient_id", "visit_system", "visit_number", unique=True, where="visit_number <> ''"),
    subject="patient_id",
    collection="encounters",
)

care_link: Final[Table] = tenant_table(
    "care_link",
    metadata,
    column("id", Uuid, field=f"{_V1}.CareLink.name", primary_key=True),
    column("patient_id", Uuid, field=f"{_V1}.CareLink.patient"),
    column("practitioner_id", Uuid, field=f"{_V1}.CareLink.practitioner", nullable=True),
    column("unit_id", Uuid, field=f"{_V1}.CareLink.unit", nullable=True),
    column(
        "user_id",
        Uuid,
        internal="The user entitled, where whoever took the patient in is no practitioner.",
        nullable=True,
    ),
    column("encounter_id", Uuid, internal="The stay that the link comes from.", nullable=True),
    column("kind", Text, field=f"{_V1}.CareLink.kind"),
    column("started_at", _TIME, field=f"{_V1}.CareLink.start_time"),
    column("ended_at", _TIME, field=f"{_V1}.CareLink.end_time", nullable=True),
    _one_of("kind", "CARE_TEAM", "ENCOUNTER", "REFERRAL", "REGISTRATION"),
    CheckConstraint("num_nonnulls(practitioner_id, unit_id, user_id) = 1", name="entitled"),
    reference("patient_id", to="patient"),
    reference("practitioner_id", to="practitioner"),
    reference("unit_id", to="unit"),
    reference("encounter_id", to="encounter"),
    index("patient_id", "id"),
    index("practitioner_id", "patient_id", where="practitioner_id IS NOT NULL"),
    index("unit_id", "patient_id", where="unit_id IS NOT NULL"),
    index("user_id", "patient_id", where="user_id IS NOT NULL"),
    index("encounter_id", where="encounter_id IS NOT NULL"),
    subject="patient_id",
    collection="careLinks",
    reach=Reach(also={"user_id": "user"}),
)

observation: Final[Table] = tenant_table(
    "observation",
    metadata,
    column("id", Uuid, field=f"{_V1}.Observation.name", primary_key=True),
    column("patient_id", Uuid, field=f"{_V1}.Observation.patient"),
    column("encounter_id", Uuid, field=f"{_V1}.Observation.encounter", nullable=True),
    _text("code_system", "Coding.system"),
    _text("code", "Coding.code"),
    _text("code_display", "Coding.display"),
    column("value_kind", Text, internal="Which of the values is set.", server_default="''"),
    _text("quantity", "Quantity.value"),
    _text("comparator", "Quantity.comparator"),
    _text("unit", "Quantity.unit"),
    _text("text", "Observation.text"),
    _text("coded_system", "Coding.system"),
    _text("coded_code", "Coding.code"),
    _text("coded_display", "Coding.display"),
    column("moment", _TIME, field=f"{_V1}.Observation.moment", nullable=True),
    _text("reference_range", "Observation.reference_range"),
    column("flags", ARRAY(Text), field=f"{_V1}.Observation.flags"),
    _text("status", "Observation.status"),
    column("effective_at", _TIME, field=f"{_V1}.Observation.effective_time", nullable=True),
    column("issued_at", _TIME, field=f"{_V1}.Observation.issued_time", nullable=True),
    column("supersedes_id", Uuid, field=f"{_V1}.Observation.supersedes", nullable=True),
    column(
        "superseded_by_id",
        Uuid,
        internal="The observation that stands in place of this one, so that lists leave it out.",
        nullable=True,
    ),
    column(
        "order_system",
        Text,
        internal="Who issued order_number; NULL where it was not kept yet.",
        nullable=True,
    ),
    column(
        "order_number",
        Text,
        internal="The order's number; with its issuer, code and sub_id, what a correction names.",
        server_default="''",
    ),
    column("sub_id", Text, internal="OBX-4.", server_default="''"),
    column(
        "sent_status",
        Text,
        internal="OBX-11, or OBR-25 where it is empty: status in the sender's letter.",
        server_default="''",
    ),
    column("created_at", _TIME, field=f"{_V1}.Observation.create_time"),
    _one_of("value_kind", "", "QUANTITY", "TEXT", "CODED", "MOMENT"),
    _one_of("status", "PRELIMINARY", "FINAL", "CORRECTED", "CANCELLED", "ENTERED_IN_ERROR"),
    reference("patient_id", to="patient"),
    reference("encounter_id", to="encounter"),
    reference("supersedes_id", to="observation"),
    index("patient_id", "id"),
    index("order_number", "code", where="order_number <> ''"),
    # Where a row goes, PostgreSQL looks for what refers to it.
    index("encounter_id", where="encounter_id IS NOT NULL"),
    index("supersedes_id", where="supersedes_id IS NOT NULL"),
    subject="patient_id",
    collection="observations",
)

hl7_endpoint: Final[Table] = tenant_table(
    "hl7_endpoint",
    metadata,
    column("id", Uuid, field=f"{_V1}.Hl7Endpoint.name", primary_key=True),
    _text("label", "Hl7Endpoint.label"),
    column("service_account_id", Uuid, field=f"{_V1}.Hl7Endpoint.service_account", nullable=True),
    _text("ack_point", "Hl7Endpoint.ack_point"),
    _text("charset_fallback", "Hl7Endpoint.charset_fallback"),
    _text("time_zone", "Hl7Endpoint.time_zone"),
    column("created_at", _TIME, field=f"{_V1}.Hl7Endpoint.create_time"),
    column(
        "rejected_rules",
        ARRAY(Text),
        field=f"{_V1}.Hl7Endpoint.rejected_rules",
        server_default="'{}'",
    ),
    column("revision", Integer, internal=_REVISION, server_default="1"),
    _one_of("ack_point", "PROCESSED", "STORED"),
    index("label", unique=True),
    subject=None,
    collection="hl7Endpoints",
)

hl7_message: Final[Table] = tenant_table(
    "hl7_message",
    metadata,
    column("id", Uuid, field=f"{_V1}.Hl7Message.name", primary_key=True),
    column("endpoint_id", Uuid, field=f"{_V1}.Hl7Message.endpoint"),
    _text("control_id", "Hl7Message.control_id"),
    _text("sending_application", "Hl7Message.sending_application"),
    _text("sending_facility", "Hl7Message.sending_facility"),
    _text("message_type", "Hl7Message.message_type"),
    _text("version", "Hl7Message.version"),
    _text("state", "Hl7Message.state"),
    _text("ack_code", "Hl7Message.ack_code"),
    _text("charset", "Hl7Message.charset"),
    column("findings", JSONB, field=f"{_V1}.Hl7Message.findings"),
    column("patient_id", Uuid, field=f"{_V1}.Hl7Message.patient", nullable=True),
    column("received_at", _TIME, field=f"{_V1}.Hl7Message.receive_time"),
    column("processed_at", _TIME, field=f"{_V1}.Hl7Message.process_time", nullable=True),
    column("attempts", Integer, field=f"{_V1}.Hl7Message.attempts", server_default="0"),
    _one_of("state", "RECEIVED", "PROCESSED", "FAILED", "REJECTED"),
    reference("endpoint_id", to="hl7_endpoint"),
    reference("patient_id", to="patient"),
    index("endpoint_id", "id"),
    index("control_id", "id"),
    index("state", "id", where="state <> 'PROCESSED'"),
    # For the requests of persons alone; while a message waits, nobody is named yet.
    index("patient_id", where="patient_id IS NOT NULL"),
    subject="patient_id",
    collection="hl7Messages",
)

hl7_bytes: Final[Table] = tenant_table(
    "hl7_bytes",
    metadata,
    column("message_id", Uuid, field=f"{_V1}.Hl7Message.name", primary_key=True),
    column("raw", LargeBinary, field=f"{_V1}.Hl7Message.raw", sealed=True),
    column("ack", LargeBinary, field=f"{_V1}.Hl7Message.ack", sealed=True, nullable=True),
    column(
        "application_ack",
        LargeBinary,
        field=f"{_V1}.IngestMessageResponse.application_ack",
        sealed=True,
        nullable=True,
    ),
    reference("message_id", to="hl7_message", on_delete="CASCADE"),
    subject=None,
    capture=False,
    reason="Sealed bytes; their arrival and what became of them is recorded with the message.",
    reach=Reach(through="message_id"),
)

hl7_message_key: Final[Table] = tenant_table(
    "hl7_message_key",
    metadata,
    column("endpoint_id", Uuid, internal="Where it arrived.", primary_key=True),
    column("application", Text, internal="MSH-3.", primary_key=True),
    column("facility", Text, internal="MSH-4.", primary_key=True),
    column("control_id", Text, internal="MSH-10.", primary_key=True),
    column("sha256", LargeBinary, internal="Of the bytes as received.", primary_key=True),
    column("message_id", Uuid, internal="The first message of this key and these bytes."),
    subject=None,
    capture=False,
    reason="Tells a repeated message from a new one; it outlives messages that are purged.",
)

hl7_work: Final[Table] = queue_table(
    "hl7_work",
    metadata,
    Column(
        "seq",
        BigInteger,
        Identity(always=True),
        primary_key=True,
        info={"internal": "Order of arrival.", "secret": False, "sealed": False},
    ),
    column("organization_id", Uuid, internal="The tenant to work for."),
    column("message_id", Uuid, internal="The message to process."),
    column(
        "partitions",
        ARRAY(Text),
        internal="Keyed digests of the numbers it names: messages that share one keep their order.",
    ),
    index("message_id", unique=True),
    reason="What is stored and not yet processed, of every tenant; a worker empties it.",
)

receipt_tables(metadata)
restriction_tables(metadata)

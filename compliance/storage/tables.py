"""The tables of compliance. The zero UUID as organization is the platform's own log.

The trail does not capture itself: an event about an event would make another one for ever. What
stands in a log shows by its tree; what is done with keys and signing keys is captured like any
other change.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from core.database import (
    Reach,
    column,
    index,
    new_metadata,
    queue_table,
    reference,
    tenant_table,
    unique,
)
from core.subject.receipts import receipt_tables
from core.subject.restrictions import restriction_tables

metadata = new_metadata("compliance")

_EVENT = "medhub.compliance.v1.AuditEvent"
_CHECKPOINT = "medhub.compliance.v1.Checkpoint"
_ACCESS = "medhub.compliance.v1.AccessRequest"
_ERASURE = "medhub.compliance.v1.ErasureRequest"
_RESTRICTION = "medhub.compliance.v1.Restriction"
_TOLD = "medhub.compliance.v1.ServiceRestriction"
_PART = "medhub.compliance.v1.ServiceErasure"
_ANSWER = "medhub.compliance.v1.ServiceAnswer"
_TIME = TIMESTAMP(timezone=True)
_IS_THE_TRAIL = "It is the trail itself, and its tree shows every change of it."
# A person's events go by the reference that lives with the person's key.
_REFERENCES = "(SELECT k.subject_ref FROM subject_key k WHERE k.subject = ANY (:names))"
_OF_SUBJECT = f"{{t}}.subject_ref IN {_REFERENCES}"
_OF_ACTOR = f"{{t}}.actor_ref IN {_REFERENCES}"
_NAMED = "{t}.subject = ANY (:names)"
_EMPLOYEE = "Who acted is an employee, whose identity is not part of the answer."

audit_log = tenant_table(
    "audit_log",
    metadata,
    column("log_id", LargeBinary, field=f"{_CHECKPOINT}.origin"),
    column("size", BigInteger, field=f"{_CHECKPOINT}.tree_size"),
    subject=None,
    capture=False,
    reason=_IS_THE_TRAIL,
)

audit_event = tenant_table(
    "audit_event",
    metadata,
    column("leaf_index", BigInteger, field=f"{_EVENT}.leaf_index", primary_key=True),
    column("event_id", Uuid, field=f"{_EVENT}.name"),
    column("source", Text, field=f"{_EVENT}.source"),
    column("source_seq", BigInteger, field=f"{_EVENT}.source_seq"),
    column("occurred_at", TIMESTAMP(timezone=True), field=f"{_EVENT}.occurred_time"),
    column(
        "recorded_at",
        TIMESTAMP(timezone=True),
        field=f"{_EVENT}.record_time",
        server_default="now()",
    ),
    column("kind", SmallInteger, field=f"{_EVENT}.kind"),
    column("method", Text, field=f"{_EVENT}.method"),
    column("subject_ref", Uuid, field="medhub.event.v1.ClearPart.subject_ref", nullable=True),
    column("actor_ref", Uuid, field="medhub.event.v1.ClearPart.actor_ref", nullable=True),
    column("clear", LargeBinary, field="medhub.event.v1.SealedEvent.clear"),
    column("sealed", LargeBinary, field="medhub.event.v1.SealedEvent.sealed", sealed=True),
    column(
        "sealed_digest",
        LargeBinary,
        internal="The end of the leaf: it stays when the sealed part is overwritten.",
    ),
    unique("event_id"),
    unique("source", "source_seq"),
    index("occurred_at", "leaf_index"),
    index("subject_ref", "occurred_at", "leaf_index", where="subject_ref IS NOT NULL"),
    index("actor_ref", "occurred_at", "leaf_index", where="actor_ref IS NOT NULL"),
    subject=None,
    capture=False,
    reason=_IS_THE_TRAIL,
    reach=Reach(
        where={"patient": _OF_SUBJECT, "user": f"{_OF_SUBJECT} OR {_OF_ACTOR}"},
        withheld={"actor_ref": _EMPLOYEE},
    ),
)

tile = tenant_table(
    "tile",
    metadata,
    column("level", SmallInteger, internal="Its place: level.", primary_key=True),
    column("index", BigInteger, internal="Its place: number in the level.", primary_key=True),
    column("content", LargeBinary, field="medhub.compliance.v1.ReadTileResponse.content"),
    subject=None,
    capture=False,
    reason=_IS_THE_TRAIL,
)

checkpoint = tenant_table(
    "checkpoint",
    metadata,
    column("size", BigInteger, field=f"{_CHECKPOINT}.tree_size", primary_key=True),
    column("root", LargeBinary, field=f"{_CHECKPOINT}.root_hash"),
    column("note", LargeBinary, field=f"{_CHECKPOINT}.note"),
    column("verifier_key", Text, field=f"{_CHECKPOINT}.verifier_key"),
    subject=None,
    capture=False,
    reason=_IS_THE_TRAIL,
)

log_key = tenant_table(
    "log_key",
    metadata,
    column("id", Uuid, internal="Names the key; the newest signs.", primary_key=True),
    column("verifier_key", Text, field=f"{_CHECKPOINT}.verifier_key"),
    column("seed", LargeBinary, internal="Ed25519 seed, wrapped by the keyring.", secret=True),
    subject=None,
    collection="logKeys",
)

subject_key = tenant_table(
    "subject_key",
    metadata,
    column("id", Uuid, field="medhub.compliance.v1.SealingKey.key", primary_key=True),
    # Masked in the trail: the link from the person to the reference must die with the key, and
    # an event of the trail that holds both would outlive it.
    column(
        "subject", Text, field="medhub.compliance.v1.KeyWanted.subject", secret=True, nullable=True
    ),
    column("retention_class", Text, field="medhub.compliance.v1.KeyWanted.retention_class"),
    column("subject_ref", Uuid, field="medhub.compliance.v1.SealingKey.subject_ref"),
    column("wrapped", LargeBinary, internal="The key, wrapped.", secret=True, nullable=True),
    column("created_at", TIMESTAMP(timezone=True), internal="When made.", server_default="now()"),
    column("destroyed_at", TIMESTAMP(timezone=True), internal="When destroyed.", nullable=True),
    unique("subject", "retention_class"),
    subject=None,
    collection="subjectKeys",
    reach=Reach(where={"patient": _NAMED, "user": _NAMED}),
)

forgotten_subject = tenant_table(
    "forgotten_subject",
    metadata,
    column(
        "subject_index",
        LargeBinary,
        internal="Keyed digest of the person's name: refuses a new key, leads to no event.",
        secret=True,
        primary_key=True,
    ),
    column(
        "retention_class",
        Text,
        field="medhub.compliance.v1.KeyWanted.retention_class",
        primary_key=True,
    ),
    subject=None,
    capture=False,
    reason="Destroying the key is recorded as an act; a second record would join the two.",
)

month_key = tenant_table(
    "month_key",
    metadata,
    column(
        "retention_class",
        Text,
        field="medhub.compliance.v1.KeyWanted.retention_class",
        primary_key=True,
    ),
    column("month", Text, field="medhub.compliance.v1.KeyWanted.month", primary_key=True),
    column("wrapped", LargeBinary, internal="The key, wrapped.", secret=True, nullable=True),
    column("created_at", TIMESTAMP(timezone=True), internal="When made.", server_default="now()"),
    column("destroyed_at", TIMESTAMP(timezone=True), internal="When destroyed.", nullable=True),
    subject=None,
    collection="monthKeys",
)

access_request = tenant_table(
    "access_request",
    metadata,
    column("id", Uuid, field=f"{_ACCESS}.name", primary_key=True),
    column("patient_id", Uuid, field=f"{_ACCESS}.patient"),
    column("requester_id", Uuid, field=f"{_ACCESS}.requester"),
    column("requester_kind", Text, internal="A user, or a service account."),
    column("received_at", _TIME, field=f"{_ACCESS}.receive_time"),
    column("created_at", _TIME, field=f"{_ACCESS}.create_time"),
    column("state", Text, field=f"{_ACCESS}.state"),
    column("completed_at", _TIME, field=f"{_ACCESS}.complete_time", nullable=True),
    column("retry_at", _TIME, field=f"{_ACCESS}.retry_time", nullable=True),
    column("identities", ARRAY(Uuid), internal="Every id of the patient that was found so far."),
    column("key_name", Text, internal="The key that the package is sealed under."),
    CheckConstraint(
        "state IN ('PENDING', 'GATHERING', 'INCOMPLETE', 'COMPLETE', 'UNKNOWN_PERSON')",
        name="state",
    ),
    index("patient_id", "id"),
    index("requester_id", "id"),
    subject="patient_id",
    collection="accessRequests",
    restrictable=False,
    reach=Reach(also={"requester_id": "user"}),
)

access_answer = tenant_table(
    "access_answer",
    metadata,
    column("request_id", Uuid, field=f"{_ACCESS}.name", primary_key=True),
    column("service", Text, field=f"{_ANSWER}.service", primary_key=True),
    column("ordinal", Integer, internal="The place of its section in the package."),
    column("state", Text, field=f"{_ANSWER}.state"),
    column("failures", Integer, field=f"{_ANSWER}.failures"),
    column("last_failure", Text, field=f"{_ANSWER}.last_failure"),
    column("record_count", BigInteger, field=f"{_ANSWER}.record_count"),
    column("sha256", LargeBinary, field=f"{_ANSWER}.sha256", nullable=True),
    column("gathered_at", _TIME, field=f"{_ANSWER}.gather_time", nullable=True),
    column("tables", JSONB, internal="What it has told of its tables, for the manifest."),
    CheckConstraint("state IN ('WAITING', 'GATHERED', 'MISSING')", name="state"),
    reference("request_id", to="access_request", on_delete="CASCADE"),
    subject=None,
    capture=False,
    reason="How far the gathering is; each service writes into its trail that it was asked.",
    reach=Reach(through="request_id"),
)

access_package_part = tenant_table(
    "access_package_part",
    metadata,
    column("request_id", Uuid, field=f"{_ACCESS}.name", primary_key=True),
    column("position", BigInteger, internal="Its place in the document.", primary_key=True),
    column(
        "content",
        LargeBinary,
        field="medhub.compliance.v1.GetAccessPackageResponse.content",
        sealed=True,
    ),
    reference("request_id", to="access_request", on_delete="CASCADE"),
    subject=None,
    capture=False,
    reason="A sealed copy, made for the person; the request and each showing are recorded.",
    reach=Reach(
        through="request_id",
        withheld={"content": "A package holds copies of what the services hold themselves."},
    ),
)

erasure_request = tenant_table(
    "erasure_request",
    metadata,
    column("id", Uuid, field=f"{_ERASURE}.name", primary_key=True),
    column("patient_id", Uuid, field=f"{_ERASURE}.patient"),
    column("requester_id", Uuid, field=f"{_ERASURE}.requester"),
    column("requester_kind", Text, internal="A user, or a service account."),
    column("received_at", _TIME, field=f"{_ERASURE}.receive_time"),
    column("created_at", _TIME, field=f"{_ERASURE}.create_time"),
    column("state", Text, field=f"{_ERASURE}.state"),
    column("revision", Integer, field=f"{_ERASURE}.etag"),
    column("confirmer_id", Uuid, field=f"{_ERASURE}.confirmer", nullable=True),
    column("confirmer_kind", Text, internal="A user, or a service account.", nullable=True),
    column("confirmed_at", _TIME, field=f"{_ERASURE}.confirm_time", nullable=True),
    column("completed_at", _TIME, field=f"{_ERASURE}.complete_time", nullable=True),
    column("retry_at", _TIME, field=f"{_ERASURE}.retry_time", nullable=True),
    column("identities", ARRAY(Uuid), internal="Every id of the patient that was found so far."),
    CheckConstraint(
        "state IN ('PENDING', 'PLANNING', 'PLANNED', 'ERASING', 'INCOMPLETE', 'COMPLETE',"
        " 'UNKNOWN_PERSON')",
        name="state",
    ),
    CheckConstraint(
        "num_nonnulls(confirmer_id, confirmer_kind, confirmed_at) IN (0, 3)", name="confirmed"
    ),
    index("patient_id", "id"),
    index("requester_id", "id"),
    index("confirmer_id", "id"),
    subject="patient_id",
    collection="erasureRequests",
    restrictable=False,
    reach=Reach(also={"requester_id": "user", "confirmer_id": "user"}),
)

erasure_part = tenant_table(
    "erasure_part",
    metadata,
    column("request_id", Uuid, field=f"{_ERASURE}.name", primary_key=True),
    column("service", Text, field=f"{_PART}.service", primary_key=True),
    column("state", Text, field=f"{_PART}.state"),
    column("failures", Integer, field=f"{_PART}.failures"),
    column("last_failure", Text, field=f"{_PART}.last_failure"),
    column("plan_digest", LargeBinary, field=f"{_PART}.plan_digest"),
    column("plan", LargeBinary, field=f"{_PART}.tables"),
    column("keeps", Boolean, internal="The law keeps something there."),
    column("kept_until", _TIME, internal="Until when at the latest.", nullable=True),
    column("receipt", LargeBinary, field=f"{_PART}.receipt"),
    CheckConstraint("state IN ('WAITING', 'PLANNED', 'ERASED', 'MISSING')", name="state"),
    reference("request_id", to="erasure_request", on_delete="CASCADE"),
    subject=None,
    capture=False,
    reason="How far the erasing is; each service writes into its trail what it has done.",
    reach=Reach(through="request_id"),
)

restriction = tenant_table(
    "restriction",
    metadata,
    column("id", Uuid, field=f"{_RESTRICTION}.name", primary_key=True),
    column("patient_id", Uuid, field=f"{_RESTRICTION}.patient"),
    column("ground", Text, field=f"{_RESTRICTION}.ground"),
    column("requester_id", Uuid, field=f"{_RESTRICTION}.requester"),
    column("requester_kind", Text, internal="A user, or a service account."),
    column("created_at", _TIME, field=f"{_RESTRICTION}.create_time"),
    column("state", Text, field=f"{_RESTRICTION}.state"),
    column("lifter_id", Uuid, field=f"{_RESTRICTION}.lifter", nullable=True),
    column("lifter_kind", Text, internal="A user, or a service account.", nullable=True),
    column("lifted_at", _TIME, field=f"{_RESTRICTION}.lift_time", nullable=True),
    column("retry_at", _TIME, field=f"{_RESTRICTION}.retry_time", nullable=True),
    column("identities", ARRAY(Uuid), internal="Every id of the patient that was found so far."),
    CheckConstraint("ground IN ('ACCURACY', 'UNLAWFUL', 'CLAIMS', 'OBJECTION')", name="ground"),
    CheckConstraint(
        "state IN ('PENDING', 'INCOMPLETE', 'ACTIVE', 'LIFTING', 'LIFTED', 'UNKNOWN_PERSON')",
        name="state",
    ),
    CheckConstraint("num_nonnulls(lifter_id, lifter_kind, lifted_at) IN (0, 3)", name="lifted"),
    index("patient_id", "id"),
    index("requester_id", "id"),
    index("lifter_id", "id"),
    subject="patient_id",
    collection="restrictions",
    restrictable=False,
    reach=Reach(also={"requester_id": "user", "lifter_id": "user"}),
)

restriction_part = tenant_table(
    "restriction_part",
    metadata,
    column("restriction_id", Uuid, field=f"{_RESTRICTION}.name", primary_key=True),
    column("service", Text, field=f"{_TOLD}.service", primary_key=True),
    column("state", Text, field=f"{_TOLD}.state"),
    column("failures", Integer, field=f"{_TOLD}.failures"),
    column("last_failure", Text, field=f"{_TOLD}.last_failure"),
    CheckConstraint("state IN ('WAITING', 'RESTRICTED', 'LIFTED')", name="state"),
    reference("restriction_id", to="restriction", on_delete="CASCADE"),
    subject=None,
    capture=False,
    reason="Who has been told; each service writes into its trail that it was.",
    reach=Reach(through="restriction_id"),
)

access_work = queue_table(
    "access_work",
    metadata,
    column("organization_id", Uuid, internal="The tenant to work for."),
    column("request_id", Uuid, internal="The request to work on.", primary_key=True),
    column("kind", Text, internal="What it asks for.", server_default="'ACCESS'"),
    column("attempt", Integer, internal="How often it was taken up; only the last one may write."),
    column("due_at", _TIME, internal="When to take it up."),
    column("leased_until", _TIME, internal="Until when whoever took it up is believed to live."),
    index("due_at"),
    reason="Requests of persons to work on, of every tenant; a worker empties it.",
)

receipt_tables(metadata)
restriction_tables(metadata)

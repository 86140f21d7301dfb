"""The tables of compliance. The zero UUID as organization is the platform's own log.

The trail does not capture itself: an event about an event would make another one for ever. What
stands in a log shows by its tree; what is done with keys and signing keys is captured like any
other change.
"""

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

from core.database import column, index, new_metadata, tenant_table, unique

metadata = new_metadata("compliance")

_EVENT = "medhub.compliance.v1.AuditEvent"
_CHECKPOINT = "medhub.compliance.v1.Checkpoint"
_IS_THE_TRAIL = "It is the trail itself, and its tree shows every change of it."

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
    column("sealed", LargeBinary, field="medhub.event.v1.SealedEvent.sealed"),
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

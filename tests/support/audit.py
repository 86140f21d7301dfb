"""Events of the trail, as a relay sends them, and a store of compliance to send them to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from compliance.domain.arrivals import Arrival
from compliance.servicers.arrivals import arrival_from_proto
from core.audit.parts import Part, associated
from core.crypto.keyring import Keyring
from core.crypto.seal import seal
from core.crypto.unlocking import Passphrase
from core.ids import new_id
from medhub.compliance.v1.key_service_pb2 import SealingKey
from medhub.event.v1.audit_event_pb2 import (
    ActorPart,
    ClearPart,
    EventKind,
    Outcome,
    SealedEvent,
    SealedParts,
    SubjectPart,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOURCE = "clinical"
METHOD = "medhub.clinical.v1.PatientService/GetPatient"


def keyring(folder: Path) -> Keyring:
    """A keyring of its own, quickly unlocked."""
    return Keyring.create(folder / "keyring.json", Passphrase("of the tests", cost=2))


def clear_part(organization: UUID, seq: int, **other: object) -> ClearPart:
    """The clear part of an access, `seq` seconds after noon; `other` overrides fields."""
    values: dict[str, object] = {
        "event_id": str(new_id()),
        "organization_id": str(organization),
        "source": SOURCE,
        "source_seq": seq,
        "kind": EventKind.EVENT_KIND_ACCESS,
        "method": METHOD,
        "action": "clinical.patients.read",
        "outcome": Outcome.OUTCOME_SUCCESS,
        "purpose": "care",
        "entity": "patient",
    }
    part = ClearPart(**{**values, **other})  # type: ignore[arg-type]
    part.occurred_time.FromDatetime(NOON + timedelta(seconds=seq))
    return part


def sealed_event(
    clear: ClearPart,
    subject: tuple[SealingKey, SubjectPart] | None = None,
    actor: tuple[SealingKey, ActorPart] | None = None,
) -> SealedEvent:
    """An event whose parts are sealed under these keys."""
    parts = SealedParts()
    if subject is not None:
        clear.subject_ref = subject[0].subject_ref
        parts.subject_key = subject[0].key
        parts.subject_part = _sealed(clear, Part.SUBJECT, subject[0], subject[1])
    if actor is not None:
        clear.actor_ref = actor[0].subject_ref
        parts.actor_key = actor[0].key
        parts.actor_part = _sealed(clear, Part.ACTOR, actor[0], actor[1])
    return SealedEvent(clear=clear.SerializeToString(), sealed=parts.SerializeToString())


def events(
    organization: UUID, numbers: Sequence[int] | range, **other: object
) -> list[SealedEvent]:
    """Events with these numbers, nothing sealed."""
    return [sealed_event(clear_part(organization, seq, **other)) for seq in numbers]


def arrivals(batch: Sequence[SealedEvent]) -> list[Arrival]:
    """A batch as the service takes it in."""
    source = ClearPart.FromString(batch[0].clear).source
    return [arrival_from_proto(source, at, event) for at, event in enumerate(batch)]


def _sealed(
    clear: ClearPart, part: Part, key: SealingKey, message: SubjectPart | ActorPart
) -> bytes:
    bound = associated(
        part, event_id=clear.event_id, organization=clear.organization_id, key=key.key
    )
    return seal(key.data_key, message.SerializeToString(), bound)

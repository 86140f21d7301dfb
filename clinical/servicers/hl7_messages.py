"""Messages and endpoints between the wire and the domain."""

from dataclasses import replace
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from clinical.domain.endpoints import AckPoint, Endpoint
from clinical.domain.hl7_messages import Message, Stored
from clinical.formats.hl7v2.charset import is_known
from clinical.formats.hl7v2.rules import RAISABLE
from clinical.servicers.times import time_to_proto
from core import clock
from core.errors import InvalidField, Unavailable
from core.ids import id_from, name_of, new_id
from medhub.clinical.v1 import hl7_pb2, hl7_v2_service_pb2

_STATE: Final = "HL7_MESSAGE_STATE_"
_POINT: Final = "ACK_POINT_"
_CHANGEABLE: Final = frozenset(
    {"label", "service_account", "ack_point", "charset_fallback", "time_zone", "rejected_rules"}
)
_IGNORED: Final = frozenset({"name", "create_time", "etag"})


def answer_to_proto(stored: Stored) -> hl7_v2_service_pb2.IngestMessageResponse:
    """What became of one message, with its acknowledgement."""
    ack = stored.acknowledgement
    if ack is None:
        raise Unavailable(retry_after=1.0)
    return hl7_v2_service_pb2.IngestMessageResponse(
        ack=ack.first,
        application_ack=ack.application,
        message=name_of("hl7Messages", stored.id),
        ack_code=ack.code,
        state=_STATE + stored.state.value,
        repeated_message=stored.repeated,
    )


def message_to_proto(message: Message) -> hl7_pb2.Hl7Message:
    """A message; its bytes only where they were read."""
    patient = message.patient_id
    return hl7_pb2.Hl7Message(
        name=name_of("hl7Messages", message.id),
        endpoint=name_of("hl7Endpoints", message.endpoint_id),
        raw=message.raw,
        ack=message.ack,
        control_id=message.control_id,
        sending_application=message.sending_application,
        sending_facility=message.sending_facility,
        message_type=message.message_type,
        version=message.version,
        state=_STATE + message.state.value,
        ack_code=message.ack_code,
        charset=message.charset,
        findings=[hl7_pb2.Hl7Finding(**one) for one in message.findings],
        patient=name_of("patients", patient) if patient else "",
        receive_time=time_to_proto(message.received_at),
        process_time=time_to_proto(message.processed_at),
        attempts=message.attempts,
    )


def state_from_proto(state: int) -> str:
    """The state that a list asks for; "" for any."""
    name = hl7_pb2.Hl7MessageState.Name(state).removeprefix(_STATE)
    return "" if name == "UNSPECIFIED" else name


def endpoint_to_proto(endpoint: Endpoint) -> hl7_pb2.Hl7Endpoint:
    """An endpoint, with the defaults that apply."""
    account = endpoint.service_account_id
    return hl7_pb2.Hl7Endpoint(
        name=name_of("hl7Endpoints", endpoint.id),
        label=endpoint.label,
        service_account=name_of("serviceAccounts", account) if account else "",
        ack_point=_POINT + endpoint.ack_point.value,
        charset_fallback=endpoint.charset_fallback,
        time_zone=endpoint.time_zone,
        rejected_rules=endpoint.rejected_rules,
        create_time=time_to_proto(endpoint.created_at),
        etag=endpoint.etag,
    )


def endpoint_from_proto(message: hl7_pb2.Hl7Endpoint) -> Endpoint:
    """A new endpoint."""
    account = message.service_account
    point = hl7_pb2.AckPoint.Name(message.ack_point).removeprefix(_POINT)
    return Endpoint(
        id=new_id(),
        label=message.label.strip(),
        service_account_id=(
            id_from(account, "serviceAccounts", field="hl7_endpoint.service_account")
            if account
            else None
        ),
        ack_point=AckPoint.PROCESSED if point == "UNSPECIFIED" else AckPoint(point),
        charset_fallback=message.charset_fallback.strip(),
        time_zone=message.time_zone.strip(),
        created_at=clock.now(),
        rejected_rules=tuple(message.rejected_rules),
    )


def check_charset(endpoint: Endpoint) -> None:
    """Raises InvalidField for a charset that no message can be read in."""
    if endpoint.charset_fallback and not is_known(endpoint.charset_fallback):
        raise InvalidField(field="hl7_endpoint.charset_fallback", rule="charset")


def check_rules(endpoint: Endpoint) -> None:
    """Raises InvalidField for a rule that does not exist, or rejects everywhere as it is."""
    if not RAISABLE.issuperset(endpoint.rejected_rules):
        raise InvalidField(field="hl7_endpoint.rejected_rules", rule="hl7_rule")


def endpoint_changed_by(
    endpoint: Endpoint, message: hl7_pb2.Hl7Endpoint, mask: FieldMask
) -> Endpoint:
    """The endpoint with the fields of the mask; without one, all that are set (AIP-134)."""
    paths = set(mask.paths)
    if paths - _CHANGEABLE - _IGNORED - {"*"}:
        raise InvalidField(field="update_mask", rule="field_mask")
    named = paths or {field.name for field, _ in message.ListFields()}
    sent = endpoint_from_proto(message)
    changes = {
        "label": ("label", sent.label),
        "service_account": ("service_account_id", sent.service_account_id),
        "ack_point": ("ack_point", sent.ack_point),
        "charset_fallback": ("charset_fallback", sent.charset_fallback),
        "time_zone": ("time_zone", sent.time_zone),
        "rejected_rules": ("rejected_rules", sent.rejected_rules),
    }
    chosen = set(changes) if "*" in named else named & set(changes)
    after = replace(endpoint, **dict(changes[name] for name in chosen))  # type: ignore[arg-type]
    return endpoint if after == endpoint else replace(after, revision=endpoint.revision + 1)

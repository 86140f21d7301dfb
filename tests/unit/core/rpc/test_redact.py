"""A message in a debug log shows how the platform runs, and nothing about anybody."""

import json
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contract import everything
from core.contract.fields import FOREIGN, class_of
from core.rpc.redact import HIDDEN, redacted
from medhub.auth.v1.auth_service_pb2 import LoginRequest
from medhub.clinical.v1.patient_pb2 import Patient
from medhub.clinical.v1.patient_service_pb2 import CreatePatientRequest
from medhub.options.v1 import data_pb2

MARK = "Durand-1820"
PERSONAL = data_pb2.DATA_CLASS_PERSONAL
KINDS: list[Any] = sorted(
    {kind for m in everything().methods.values() for kind in (m.request, m.response)},
    key=lambda kind: str(kind.DESCRIPTOR.full_name),
)


@st.composite
def _messages(draw: st.DrawFn) -> Message:
    """A request or response of the contract, every field of it filled, some several times."""
    made: Message = draw(st.sampled_from(KINDS))()
    _fill(made, draw(st.integers(min_value=1, max_value=3)), hidden=False, depth=0)
    return made


def _fill(message: Any, times: int, *, hidden: bool, depth: int) -> None:
    """Put a marked text wherever a person may be spoken of, and `plain` elsewhere."""
    for field in message.DESCRIPTOR.fields:
        ours = not message.DESCRIPTOR.full_name.startswith(FOREIGN)
        marked = hidden or (ours and class_of(field) >= PERSONAL)
        if field.message_type is not None:
            if depth > 4 or field.message_type.GetOptions().map_entry:
                continue
            inner = getattr(message, field.name)
            for _ in range(times if field.is_repeated else 1):
                held = inner.add() if field.is_repeated else inner
                held.SetInParent()
                _fill(held, times, hidden=marked, depth=depth + 1)
        elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            text: Any = MARK if marked else "plain"
            value = text if field.type == FieldDescriptor.TYPE_STRING else text.encode()
            if field.is_repeated:
                getattr(message, field.name).extend([value] * times)
            else:
                setattr(message, field.name, value)


@settings(max_examples=200, deadline=None)
@given(_messages())
def test_no_value_about_a_person_survives(message: Message) -> None:
    """In whatever message of the contract, however deep, however often."""
    text = redacted(message)

    assert MARK not in text
    json.loads(text)


def test_what_runs_the_platform_is_shown() -> None:
    """Names of fields, and values that are about nobody."""
    request = CreatePatientRequest(
        patient=Patient(birth_name=MARK), request_id="r1", validate_only=True
    )

    assert json.loads(redacted(request)) == {
        "patient": HIDDEN,
        "request_id": "r1",
        "validate_only": True,
    }


def test_secrets_are_hidden() -> None:
    """A password above all."""
    assert MARK not in redacted(LoginRequest(email=MARK, password=MARK))


def test_what_is_packed_is_redacted_by_its_own_contract() -> None:
    """Any, alone or inside another's message; of an unknown type or broken, nothing is shown."""
    packed = any_pb2.Any()
    packed.Pack(Patient(name=MARK, birth_name=MARK))
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason="NOT_FOUND"))
    status = status_pb2.Status(code=5, details=[packed, info])
    unknown = any_pb2.Any(type_url="type.googleapis.com/nobody.Knows", value=MARK.encode())
    broken = any_pb2.Any(type_url="type.googleapis.com/medhub.clinical.v1.Patient", value=b"\xff")

    assert MARK not in redacted(status)
    assert "NOT_FOUND" in redacted(status)
    assert [redacted(one) for one in (unknown, broken)] == [f'"{HIDDEN}"'] * 2


def test_maps_and_deep_messages_are_redacted() -> None:
    """A map by what its field says, its messages by their own; past a depth nothing is shown."""
    box = _box()
    deep = here = box()
    for _ in range(40):
        here.inner["next"].name = MARK
        here = here.inner["next"]
    message = box(names={MARK: MARK}, counts={"beds": 3}, name=MARK, unsaid=MARK)
    message.inner["a"].name = MARK

    told = json.loads(redacted(message))

    assert told == {
        "names": HIDDEN,
        "counts": {"beds": 3},
        "inner": {"a": {"name": HIDDEN}},
        "name": HIDDEN,
        "unsaid": HIDDEN,
    }
    assert MARK not in redacted(deep)
    assert HIDDEN in redacted(deep)


def _box() -> Any:
    """A message with maps, which the contract has none of so far."""
    file = descriptor_pb2.FileDescriptorProto(
        name="medhub/probe/v1/box.proto", package="medhub.probe.v1", syntax="proto3"
    )
    message = file.message_type.add(name="Box")
    own = ".medhub.probe.v1.Box"
    operational, secret = data_pb2.DATA_CLASS_OPERATIONAL, data_pb2.DATA_CLASS_SECRET
    for number, (name, kind, data_class) in enumerate(
        [("names", 9, PERSONAL), ("counts", 5, operational), ("inner", 11, operational)], 1
    ):
        entry_name = f"{name.capitalize()}Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=9, label=1)
        value = entry.field.add(name="value", number=2, type=kind, label=1)
        if kind == 11:
            value.type_name = own
        held = message.field.add(
            name=name, number=number, type=11, label=3, type_name=f"{own}.{entry_name}"
        )
        _classify(held, data_class)
    _classify(message.field.add(name="name", number=4, type=9, label=1), secret)
    message.field.add(name="unsaid", number=5, type=9, label=1)
    pool: Any = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName("medhub.probe.v1.Box"))


def _classify(field: Any, data_class: int) -> None:
    setattr(field.options.Extensions[data_pb2.data], "class", data_class)

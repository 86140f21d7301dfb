"""Every field of the contract says what it holds."""

import pytest
from google.protobuf.descriptor import FieldDescriptor

from core.contract import everything
from core.contract.fields import data_of, fields_of
from medhub.event.v1 import audit_event_pb2
from medhub.options.v1 import data_pb2 as options

_EVENTS = audit_event_pb2.DESCRIPTOR.message_types_by_name.values()
FIELDS = sorted(
    fields_of(
        iter(
            (
                *(
                    t
                    for m in everything().methods.values()
                    for t in (m.request.DESCRIPTOR, m.response.DESCRIPTOR)
                ),
                *_EVENTS,
            )
        )
    ),
    key=lambda f: f.full_name,
)
# Words that betray a secret or a person whatever the annotation says.
_SECRET = ("password", "token", "assertion", "private")
_HARMLESS = {"page_token", "next_page_token", "token_type"}


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.full_name)
def test_a_field_has_a_class(field: FieldDescriptor) -> None:
    """No field is left to be taken for a secret."""
    assert getattr(data_of(field), "class")


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.full_name)
def test_a_field_about_a_person_says_which_category(field: FieldDescriptor) -> None:
    """The register of processing (GDPR article 30) is made from the category."""
    data = data_of(field)

    if getattr(data, "class") in (options.DATA_CLASS_PERSONAL, options.DATA_CLASS_HEALTH):
        assert data.category


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.full_name)
def test_a_secret_is_annotated_as_one(field: FieldDescriptor) -> None:
    """A field named like a secret is a secret, and prints as none in other languages too."""
    named_so = any(word in field.name for word in _SECRET) and field.name not in _HARMLESS

    if named_so and field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        assert getattr(data_of(field), "class") == options.DATA_CLASS_SECRET
        assert field.GetOptions().debug_redact


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.full_name)
def test_the_subject_of_a_field_is_a_field_beside_it(field: FieldDescriptor) -> None:
    """What names the person stands in the same message."""
    subject = data_of(field).subject

    beside = field.containing_type.fields_by_name if field.containing_type else {}
    assert not subject or subject in beside

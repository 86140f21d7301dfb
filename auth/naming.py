"""Names and addresses that the operator gives, held against the contract as callers' are."""

from collections.abc import Mapping
from dataclasses import replace

from google.protobuf.message import Message

from auth.domain.names import check_name
from core.rpc.validate import InvalidFields, validate
from medhub.auth.v1.membership_pb2 import Membership
from medhub.auth.v1.organization_pb2 import Organization
from medhub.auth.v1.service_account_pb2 import ServiceAccount


def check_organization(display_name: str) -> None:
    """Refuse what no organization is called. Raises InvalidFields and InvalidField."""
    _hold(Organization(display_name=display_name), {"display_name": "display_name"})


def check_administrator(email: str, name: str) -> None:
    """Refuse what is no address, and what nobody is called. Raises InvalidFields, InvalidField."""
    asked = Membership(email=email, display_name=name)
    _hold(asked, {"email": "admin_email", "display_name": "admin_name"})


def check_program(display_name: str) -> None:
    """Refuse what no program is called. Raises InvalidFields and InvalidField."""
    _hold(ServiceAccount(display_name=display_name), {"display_name": "display_name"})


def _hold(asked: Message, told_as: Mapping[str, str]) -> None:
    """Hold the fields that were given against their rules; the others are not asked for here."""
    try:
        validate(asked, asked.SerializeToString())
    except InvalidFields as refused:
        wrong = [each for each in refused.violations if each.field in told_as]
        if wrong:
            raise InvalidFields(
                violations=tuple(replace(each, field=told_as[each.field]) for each in wrong)
            ) from None
    for field, told in told_as.items():
        check_name(getattr(asked, field), field=told)

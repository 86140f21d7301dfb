"""Accounts: from values to messages and back."""

from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from auth.domain.accounts import Account, Activity
from auth.domain.names import check_name
from auth.servicers.masks import named_or_set
from auth.servicers.times import timestamp
from core.errors import InvalidField
from core.ids import name_of
from core.zones import is_zone
from medhub.auth.v1 import account_pb2

_CHANGEABLE = frozenset({"display_name", "language", "time_zone", "preferences"})


def account_to_proto(account: Account) -> account_pb2.Account:
    """As its owner sees it."""
    return account_pb2.Account(
        name=name_of("users", account.id),
        email=account.email,
        email_verify_time=timestamp(account.email_verified_at),
        display_name=account.display_name,
        language=account.language,
        time_zone=account.time_zone,
        preferences=[
            account_pb2.Preference(key=key, value=value)
            for key, value in sorted(account.preferences.items())
        ],
        create_time=timestamp(account.created_at),
        etag=str(account.revision),
    )


def activity_to_proto(activity: Activity) -> account_pb2.AccountActivity:
    """As the account's owner sees it."""
    return account_pb2.AccountActivity(
        user=name_of("users", activity.user),
        act=activity.act,
        time=timestamp(activity.at),
        outcome=activity.outcome,
        peer=activity.peer,
        by_others=activity.by_others,
    )


def changes_from_proto(message: account_pb2.Account, mask: FieldMask) -> dict[str, object]:
    """What the mask names; without one, all that is set (AIP-134). Raises InvalidField."""
    fields = named_or_set(mask, message, _CHANGEABLE)
    given: dict[str, object] = {
        "display_name": message.display_name,
        "language": message.language,
        "time_zone": message.time_zone,
        "preferences": {each.key: each.value for each in message.preferences},
    }
    if "display_name" in fields:
        check_name(message.display_name, field="account.display_name")
    if "time_zone" in fields:
        _check_zone(message.time_zone)
    if "preferences" in fields:
        _check_preferences(message.preferences)
    return {name: given[name] for name in sorted(fields)}


def _check_preferences(preferences: Sequence[account_pb2.Preference]) -> None:
    """Each key once, and nothing that no text of PostgreSQL can hold."""
    if len({each.key for each in preferences}) < len(preferences):
        raise InvalidField(field="account.preferences", rule="unique", description="each key once")
    if any("\0" in each.value for each in preferences):
        raise InvalidField(field="account.preferences", rule="no_controls")


def _check_zone(zone: str) -> None:
    """Empty, or one that IANA knows."""
    if zone and not is_zone(zone):
        raise InvalidField(field="account.time_zone", rule="time_zone")

"""Messages to people: what may be said, where to, how often, and for how long it is worth sending.

No message tells anything of a patient. What opens something (a token, a code) stands in its values
alone, which are sealed until the message has left and deleted then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from auth.domain.access_grants import MOST_IN_A_PERIOD


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "EMAIL"
    SMS = "SMS"


class Template(StrEnum):
    """What a message is about. Its values, by name, stand in VALUES."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    ACCOUNT_EXISTS = "ACCOUNT_EXISTS"
    CONFIRM_NEW_EMAIL = "CONFIRM_NEW_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - the name of a message
    INVITATION = "INVITATION"
    EMAIL_CODE = "EMAIL_CODE"
    SMS_CODE = "SMS_CODE"
    FACTOR_ADDED = "FACTOR_ADDED"
    FACTOR_REMOVED = "FACTOR_REMOVED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of a message
    EMAIL_CHANGED = "EMAIL_CHANGED"
    ACCOUNT_DEACTIVATED = "ACCOUNT_DEACTIVATED"
    ACCOUNT_DELETED = "ACCOUNT_DELETED"
    SESSION_ENDED_BY_REUSE = "SESSION_ENDED_BY_REUSE"
    BREAK_GLASS = "BREAK_GLASS"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a template asks for, and its bounds."""

    # The names of its values; each is given, and no other.
    values: frozenset[str] = frozenset()
    # To one recipient within an hour. More are not queued: nobody is flooded by what strangers ask.
    most_an_hour: int = 5
    # From when on nobody can use it any more; what has not left by then is given up.
    life: timedelta = timedelta(hours=24)


_CODE_LIFE = timedelta(minutes=10)
"""A code that is older is refused (OWASP ASVS 6.5.5)."""

_EMERGENCIES = 2 * MOST_IN_A_PERIOD
"""Of one person in one organization; more than anybody takes, also where clocks differ, so that
none of these messages is ever kept back."""

_NOTICES = 30  # an hour; whoever acts on an account so often is its owner, or has to be noticed

TERMS: Mapping[Template, Terms] = {
    Template.VERIFY_EMAIL: Terms(frozenset({"token"})),
    Template.ACCOUNT_EXISTS: Terms(),
    Template.CONFIRM_NEW_EMAIL: Terms(frozenset({"token"})),
    Template.RESET_PASSWORD: Terms(frozenset({"token"}), life=timedelta(minutes=20)),
    Template.INVITATION: Terms(
        frozenset({"token", "organization"}), most_an_hour=20, life=timedelta(days=1)
    ),
    Template.EMAIL_CODE: Terms(frozenset({"code"}), most_an_hour=10, life=_CODE_LIFE),
    Template.SMS_CODE: Terms(frozenset({"code"}), most_an_hour=5, life=_CODE_LIFE),
    Template.FACTOR_ADDED: Terms(frozenset({"factor"}), _NOTICES),
    Template.FACTOR_REMOVED: Terms(frozenset({"factor"}), _NOTICES),
    Template.PASSWORD_CHANGED: Terms(most_an_hour=_NOTICES),
    Template.EMAIL_CHANGED: Terms(most_an_hour=_NOTICES),
    Template.ACCOUNT_DEACTIVATED: Terms(most_an_hour=_NOTICES),
    Template.ACCOUNT_DELETED: Terms(most_an_hour=_NOTICES),
    Template.SESSION_ENDED_BY_REUSE: Terms(most_an_hour=_NOTICES),
    Template.BREAK_GLASS: Terms(frozenset({"organization"}), _EMERGENCIES),
}

MOST_ASKED = 10
"""Codes and links by one channel that one account asks for within an hour, wherever they go: more
than anybody needs, and too few to earn by sending them to numbers that cost."""

MOST_INVITED = 200
"""Invitations of one organization, and of one account, within an hour: the staff of a hospital in a
day or two, and too few to be worth founding organizations to write to strangers by their names."""

LANGUAGES = ("en", "fr", "de")
"""Those in which medhub speaks; the first stands in for any other."""

LONGEST_VALUE = 300  # characters; the longest is an organization's name


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `to` is an address, or a telephone number as E.164 writes it: `+33612345678`.

    `language` is `fr`, `de` or `en`, that of whom it is for; empty, where theirs is not known: the
    one of the call that sends it; any other means `en`.
    """

    channel: Channel
    to: str = field(repr=False)
    template: Template
    language: str = "en"
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Raises ValueError where the values are not those of the template."""
        if self.values.keys() != TERMS[self.template].values:
            raise ValueError(f"{self.template} has other values: {sorted(self.values)}")


FIRST_DELAY = timedelta(milliseconds=100)
LONGEST_DELAY = timedelta(seconds=30)
MOST_ATTEMPTS = 60
"""With the delays, almost half an hour: longer than a mail server's restart or a greylist."""


def delay_after(attempts: int) -> timedelta:
    """How long to wait after this many failed attempts: 100 ms, doubled each time, to 30 s."""
    doublings = min(attempts - 1, 16)
    return min(FIRST_DELAY * (1 << max(0, doublings)), LONGEST_DELAY)

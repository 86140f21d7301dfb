"""How fast passwords may be tried: a delay that rises and ends, never a lock for good.

A lock that strangers can close is a weapon, so attempts from a network address that the
account has logged in from before are counted in a lane of their own: who floods an account
from elsewhere does not shut its owner out there.
"""

import hashlib
import hmac
from datetime import timedelta

FREE_ATTEMPTS = 10
"""Attempts before the first delay: people mistype, and clients log in several times at once."""

LONGEST_DELAY = 900
"""Seconds. A guesser gets about a hundred attempts a day at most (NIST SP 800-63B, 5.2.2)."""

FORGET_AFTER = 86_400
"""Seconds of quiet after which a lane starts anew."""

MOST_FROM_ADDRESS = 200
"""Wrong passwords from one network address within a minute, whosever they are; then none is looked
at until the next minute. A hospital behind one address mistypes a few in that time; who tries one
password on many accounts is slowed, and lengthens no account's delay any more."""

RECORDED_COUNTS = frozenset({1, 10, 100, 1_000, 10_000, 100_000})
"""Of the refusals within one minute these are written into the audit trail, with the count."""


UNDER_WAY = timedelta(seconds=10)
"""An attempt that was counted this long ago has ended: passwords are looked at within seconds."""


def delay_of(failures: int) -> float:
    """Seconds from the attempt that made this many failures to the next that is looked at."""
    beyond = failures - FREE_ATTEMPTS
    return 0.0 if beyond < 0 else float(min(2 ** min(beyond, 16), LONGEST_DELAY))


def lane(key: bytes, email_key: str, known_peer: str) -> bytes:
    """Under what an attempt is counted; `known_peer` is empty for an unknown device.

    A digest, since it is kept for addresses that belong to nobody here, too.
    """
    return hmac.digest(key, f"{email_key}\0{known_peer}".encode(), hashlib.sha256)

"""Why a caller is not proven: nothing proves them, or nobody can say."""

from core.errors import Refusal

# What a caller may do about an outage of auth: try again after this many seconds.
RETRY_SECONDS = 1.0


class Unauthenticated(Refusal):
    """No credential, or one that proves nothing."""

    reason = "UNAUTHENTICATED"


class AuthUnavailable(Refusal):
    """Auth cannot be asked, and what is known is too old. Not a log-out."""

    reason = "AUTH_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_SECONDS)

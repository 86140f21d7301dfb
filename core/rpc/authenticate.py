"""Who calls: exactly one bearer token, proven here and held against the streamed truth."""

from core.contract import Access, Method
from core.errors import InvalidField
from core.identity import ANONYMOUS, Caller
from core.rpc.headers import UNREADABLE_REVISION, Headers
from core.truth import Truth
from core.truth.jwts import MAX_TOKEN_BYTES
from core.truth.refusals import Unauthenticated

_SCHEME = "bearer "


def token_of(headers: Headers) -> str:
    """The one bearer token of the call. Raises Unauthenticated for none, or for several."""
    if len(headers.credentials) != 1:
        raise Unauthenticated
    value = headers.credentials[0]
    if len(value) > MAX_TOKEN_BYTES or value[:7].lower() != _SCHEME:
        raise Unauthenticated
    return value[7:]


async def authenticate(method: Method, headers: Headers, truth: Truth) -> Caller:
    """The proven caller; nobody for a public method, whose credential is in its request.

    Raises Unauthenticated, AuthUnavailable, and InvalidField for a revision that cannot be read.
    """
    if method.access is Access.PUBLIC:
        return ANONYMOUS
    if headers.min_revision == UNREADABLE_REVISION:
        raise InvalidField(field="x-medhub-min-auth-revision", rule="revision")
    caller = await truth.caller_of(
        token_of(headers),
        bound=method.freshness,
        continues=method.continues_reads,
        min_revision=headers.min_revision,
    )
    check_certificate(caller, headers)
    return caller


def check_certificate(caller: Caller, headers: Headers) -> None:
    """Hold the certificate that a token is bound to against the caller's own (RFC 8705).

    The verdict on a token is kept for all who send it; this is asked at each call. A stolen one is
    good for nobody. Raises Unauthenticated.
    """
    if caller.confirmation and caller.confirmation != headers.certificate:
        raise Unauthenticated

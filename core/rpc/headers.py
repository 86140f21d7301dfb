"""What the metadata of a call says, read once."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import grpc

from core.rpc.tls import peer_certificate

# By which an answer tells from which revision of the auth state what was done holds everywhere.
AUTH_REVISION = "x-medhub-auth-revision"
# Language tags that texts exist in; the first is the fallback.
LANGUAGES = ("en", "fr", "de")
# An edge that runs beside the server. Only edges may say for whom they ask.
LOOPBACK = frozenset({"127.0.0.1", "::1", "unix"})
# A browser names itself in about two hundred characters; the rest would say nothing new.
AGENT_CHARACTERS = 400
_UNPRINTABLE = re.compile(r"[^ -~]+")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")
_REVISION = re.compile(r"[0-9]{1,15}\Z")
_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")
# Stands for a revision that cannot be read. Whoever sends one means that something was revoked: to
# go on as if nothing had been said would let the revoked in.
UNREADABLE_REVISION = -1


@dataclass(slots=True)
class Headers:
    """The metadata that the platform heeds. Everything else is ignored."""

    credentials: list[str]
    language: str = LANGUAGES[0]
    trace_id: str = ""
    parent_span: str = ""
    sampled: bool = False
    min_revision: int = 0
    peer: str = ""
    agent: str = ""
    # The thumbprint of the certificate that the caller has shown; empty: none.
    certificate: str = ""
    forwarded_certificate: str = ""
    proxies: frozenset[str] = LOOPBACK

    @classmethod
    def of(
        cls,
        context: grpc.aio.ServicerContext[bytes, bytes],
        proxies: frozenset[str] = LOOPBACK,
        edges: frozenset[str] | None = None,
    ) -> Self:
        """Read the metadata of a call. What is malformed counts as absent, but for the revision.

        `proxies` are the addresses whose x-forwarded-for is believed, `edges` the names in the
        certificates of those whose x-forwarded-client-cert is; None: no caller shows one.
        """
        headers = cls(credentials=[], peer=_address(context.peer()), proxies=proxies)
        for name, value in context.invocation_metadata() or ():
            read = _READERS.get(name)
            if read is not None and isinstance(value, str):
                read(headers, value)
        if edges is not None:
            told = headers.forwarded_certificate
            headers.certificate = peer_certificate(context, told, edges)
        return headers


def _authorization(headers: Headers, value: str) -> None:
    headers.credentials.append(value)


def _traceparent(headers: Headers, value: str) -> None:
    """W3C Trace Context, version 00."""
    found = _TRACEPARENT.match(value)
    # A trace or a span of zeros is no trace (W3C Trace Context, 3.2.2.3).
    if found is not None and int(found[1], 16) and int(found[2], 16):
        headers.trace_id, headers.parent_span = found[1], found[2]
        headers.sampled = bool(int(found[3], 16) & 1)


def _accept_language(headers: Headers, value: str) -> None:
    """The tag of the greatest weight that a text exists in (RFC 9110, 12.5.4), or the first."""
    best = 0.0
    for tag in value[:200].lower().split(","):
        name, _, parameter = tag.partition(";")
        language, weight = name.strip()[:2], _weight(parameter.strip())
        if language in LANGUAGES and weight > best:
            headers.language, best = language, weight


def _weight(parameter: str) -> float:
    """1 where none is said, and 0 for what is none."""
    if not parameter:
        return 1.0
    found = _QUALITY.fullmatch(parameter)
    return float(found[1]) if found else 0.0


def _min_revision(headers: Headers, value: str) -> None:
    headers.min_revision = int(value) if _REVISION.match(value) else UNREADABLE_REVISION


def _forwarded_for(headers: Headers, value: str) -> None:
    """The address that the edge saw: the last of the list, and only when the edge says it."""
    last = value.rpartition(",")[2].strip()
    if headers.peer in headers.proxies:
        headers.peer = _canonical(last) or headers.peer


def _user_agent(headers: Headers, value: str) -> None:
    """What the client calls itself: the start of it, and nothing that is not printable ASCII."""
    headers.agent = _UNPRINTABLE.sub(" ", value[:AGENT_CHARACTERS]).strip()


def _forwarded_certificate(headers: Headers, value: str) -> None:
    """What an edge says of its caller's certificate; two of them say nothing."""
    headers.forwarded_certificate = "" if headers.forwarded_certificate else value


_READERS = {
    "authorization": _authorization,
    "traceparent": _traceparent,
    "accept-language": _accept_language,
    "x-medhub-min-auth-revision": _min_revision,
    "x-forwarded-for": _forwarded_for,
    "user-agent": _user_agent,
    "x-forwarded-client-cert": _forwarded_certificate,
}


def _canonical(text: str) -> str:
    """The one spelling of an address; empty for anything else.

    An IPv6 zone may hold any text at all, so an address with one is no address here.
    """
    if "%" in text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


@lru_cache(maxsize=10_000)
def _address(peer: str) -> str:
    """`ipv4:127.0.0.1:53211`, `ipv6:%5B::1%5D:53211`, `unix:` → the address alone."""
    scheme, _, rest = peer.partition(":")
    if scheme == "ipv4":
        return rest.rpartition(":")[0]
    if scheme == "ipv6":
        return rest.rpartition(":")[0].replace("%5B", "").replace("%5D", "").strip("[]")
    return scheme

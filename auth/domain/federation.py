"""Sign-in with an organization's identity provider: what it may say, and what that gives.

OpenID Connect Core 1.0. A person is known by issuer and subject and by nothing else. An address
finds an invitation of the same organization, if the provider vouches for it; it never finds an
account, or an organization could enter the accounts of others by a provider of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from auth.domain.refusals import FederationRefused

COLLECTION = "identityProviders"

ATTEMPT_LIFE = timedelta(minutes=10)
"""How long somebody may take at the provider: as long as a code by mail is good."""

SKEW = timedelta(seconds=30)
"""A hospital's clocks are not ours; half a minute is what providers are seen to differ by."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When somebody authenticated of whom the provider does not say it: not lately."""

MFA = "mfa"
"""In `amr`: several factors were used (RFC 8176)."""

PROVEN_LEVEL, PROVEN_MFA_LEVEL = 1, 2

MOST_GROUPS = 1000
"""Groups of one person that are looked at; a directory that sends more is set up wrongly."""

_SUBJECT = re.compile(r"[ -~]{1,255}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
_LONGEST_NAME = 200


class Provisioning(StrEnum):
    """Who may enter that is not known yet."""

    INVITED = "INVITED"
    CREATE = "CREATE"


@dataclass(frozen=True, slots=True)
class GroupRole:
    """A group of the provider and the role that it gives."""

    group: str
    role: str


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """A provider that an organization trusts. The secret is sealed; none: a public client."""

    id: UUID
    organization: UUID
    display_name: str
    issuer: str
    client_id: str
    client_secret: bytes | None
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    provisioning: Provisioning
    trusts_email: bool
    trusts_mfa: bool
    groups_claim: str
    group_roles: tuple[GroupRole, ...]
    default_roles: tuple[str, ...]
    disabled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int

    def roles(self) -> tuple[str, ...]:
        """Every role that it can give, sorted."""
        return tuple(sorted({*self.default_roles, *(each.role for each in self.group_roles)}))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was begun; `user` where somebody ties their own account.

    `fresh`: the person has to prove themselves to the provider anew, whatever it knows of them.
    """

    provider: UUID
    user: UUID | None
    redirect_uri: str
    fresh: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for, as its ID token and its user info say."""

    subject: str
    email: str
    email_verified: bool
    display_name: str
    groups: tuple[str, ...]
    methods: tuple[str, ...]
    # When the person proved themselves to it; None: it does not say.
    authenticated_at: datetime | None


def proven_level(provider: IdentityProvider, identity: Identity) -> int:
    """The assurance level that the sign-in has."""
    strong = provider.trusts_mfa and MFA in identity.methods
    return PROVEN_MFA_LEVEL if strong else PROVEN_LEVEL


def proven_methods(provider: IdentityProvider, identity: Identity) -> tuple[str, ...]:
    """What `amr` says of the sign-in, beside who vouched."""
    return (MFA,) if proven_level(provider, identity) == PROVEN_MFA_LEVEL else ()


def address_of(provider: IdentityProvider, identity: Identity) -> str | None:
    """The address by which an invitation is found; None when the provider stands for none."""
    trusted = identity.email_verified or provider.trusts_email
    return identity.email if identity.email and trusted else None


def roles_after(
    provider: IdentityProvider, identity: Identity, held: Sequence[str]
) -> tuple[str, ...]:
    """The roles after a sign-in, sorted: those that groups give follow the groups.

    Without a claim of groups nothing follows.
    """
    if not provider.groups_claim:
        return tuple(sorted(held))
    followed = {each.role for each in provider.group_roles}
    groups = set(identity.groups)
    given = {each.role for each in provider.group_roles if each.group in groups}
    return tuple(sorted((set(held) - followed) | given))


def check_claims(
    claims: Mapping[str, object], *, issuer: str, client: str, nonce: str, at: datetime
) -> None:
    """Hold a verified ID token against the attempt (OpenID Connect Core 3.1.3.7).

    Raises FederationRefused.
    """
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if claims.get("iss") != issuer or claims.get("nonce") != nonce:
        raise FederationRefused
    if not isinstance(audiences, list) or client not in audiences:
        raise FederationRefused
    party = claims.get("azp", client if len(audiences) == 1 else None)
    if party != client:
        raise FederationRefused
    if not _time(claims, "exp") > (at - SKEW).timestamp():
        raise FederationRefused
    if not _time(claims, "iat") <= (at + SKEW).timestamp():
        raise FederationRefused


def authenticated_at(attempt: Attempt, identity: Identity, now: datetime) -> datetime:
    """When the person authenticated: a provider may have known them for hours (single sign-on).

    Raises FederationRefused where it was to be since the attempt began, and is not said to be
    (OpenID Connect Core 3.1.2.1, `max_age`).
    """
    said = identity.authenticated_at
    if not attempt.fresh:
        return LONG_AGO if said is None else min(said, now)
    if said is None or said < attempt.expires_at - ATTEMPT_LIFE - SKEW:
        raise FederationRefused
    return min(said, now)


def identity_from(provider: IdentityProvider, claims: Mapping[str, object]) -> Identity:
    """Whom the claims are about. Raises FederationRefused for a subject that is none."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or _SUBJECT.fullmatch(subject) is None:
        raise FederationRefused
    email = claims.get("email")
    usable = isinstance(email, str) and _EMAIL.fullmatch(email) is not None
    name = claims.get("name")
    return Identity(
        subject=subject,
        email=str(email) if usable else "",
        email_verified=claims.get("email_verified") is True,
        display_name=_printable(name) if isinstance(name, str) else "",
        groups=_texts(claims.get(provider.groups_claim)) if provider.groups_claim else (),
        methods=_texts(claims.get("amr")),
        authenticated_at=_moment(claims, "auth_time") if "auth_time" in claims else None,
    )


def allowed_issuer(issuer: str, hosts: frozenset[str], *, loopback: bool) -> bool:
    """Whether auth may speak to this address: https, a name, and one of the operator's if named.

    Plain http, and addresses of this machine, only where the operator allows the loopback.
    """
    parts = _parts(issuer)
    if parts is None or parts.query or parts.fragment:
        return False
    host = parts.hostname or ""
    if _is_here(host):
        return loopback and parts.scheme in {"http", "https"}
    # In brackets is a number, or what no standard has thought of yet.
    if parts.scheme != "https" or "[" in parts.netloc or _NAME.fullmatch(host) is None:
        return False
    return not hosts or host in hosts


def allowed_peer(address: str, *, loopback: bool) -> bool:
    """Whether auth may speak to the machine that a name has led to.

    Hospitals keep their providers on private networks. On this machine, and on its link, are those
    who trust whoever reaches them: its own services, and the cloud's, which give credentials away.
    """
    found = ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    peer = mapped or found
    if peer.is_loopback:
        return loopback
    return not (peer.is_link_local or peer.is_unspecified or peer.is_multicast)


# Without white space and other alphabets, of which one reader sees less than another.
_VISIBLE = re.compile(r"[!-~]+")
# Whatever a resolver reads as a number ends in a part that begins with a digit (127.1, 0x7f000001,
# 0177.0.0.1), and no name of the world does. A dot at the end would be another spelling of a host.
_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z][a-z0-9_-]{0,62}")


def _parts(url: str) -> SplitResult | None:
    """What every reader sees in a URL; None: it is none, or has a port that is none, or a user."""
    if _VISIBLE.fullmatch(url) is None:
        return None
    try:
        parts = urlsplit(url)
        unknown = parts.port == 0
    except ValueError:
        return None
    return None if unknown or "@" in parts.netloc else parts


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        # RFC 6761: the names below it are this machine, too.
        return host == "localhost" or host.endswith(".localhost")


def _time(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FederationRefused
    return float(value)


def _moment(claims: Mapping[str, object], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(_time(claims, name), UTC)
    except (ValueError, OverflowError, OSError):
        raise FederationRefused from None


def _texts(value: object) -> tuple[str, ...]:
    """A list of texts, or the one; anything else is nothing."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        return ()
    return tuple(each for each in value[:MOST_GROUPS] if isinstance(each, str))


def _printable(name: str) -> str:
    return "".join(each for each in name if each.isprintable()).strip()[:_LONGEST_NAME]

"""Sessions: how long they live, and what a refresh token is worth.

A refresh token is spent once and followed by its successor. A client that lost the answer
repeats its request_id and gets the same successor while that is unused; any other second use
means that two parties hold the token, and the session ends (OWASP ASVS 10.4.5).
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

ACCESS_LIFE = timedelta(minutes=5)
"""Short, for no server asks about a token it has seen; see AuthStateService."""

SKEW = timedelta(seconds=5)
"""Clocks of servers may differ by this much."""

REFRESH_LIFE = timedelta(hours=12)
"""Inactivity after which one logs in again: a shift."""

SESSION_LIFE = timedelta(days=30)
"""The longest a log-in counts at AAL1 (NIST SP 800-63B, 4.1.3)."""

RAISED_LIFE = timedelta(hours=24)
"""The longest a log-in counts at AAL2 (NIST SP 800-63B, 4.2.3)."""

RAISED_IDLE = timedelta(hours=1)
"""Inactivity after which one logs in again at AAL2 (NIST SP 800-63B, 4.2.3)."""

REPLAY_WINDOW = timedelta(seconds=30)
"""How long a client may repeat a refresh whose answer was lost."""

_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody has proven: the assurance level of NIST SP 800-63B, and how (RFC 8176).

    `at` says when, where that was before now: a factor that is proven besides is proven now.
    """

    level: int
    methods: tuple[str, ...]
    at: datetime | None = None


NOTHING = Proof(0, ())

BY_PASSWORD = Proof(1, ("pwd",))
"""A password alone is AAL1."""


class RefreshOutcome(Enum):
    """What becomes of a presented refresh token."""

    SPEND = "spend"
    REPEAT = "repeat"
    REUSE = "reuse"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class RefreshState:
    """A refresh token and its session, as they are known under their row locks."""

    expires_at: datetime
    spent_at: datetime | None
    spent_by: str | None
    successor_spent: bool
    session_expires_at: datetime
    session_revoked: bool


def decide_refresh(held: RefreshState, request_id: str, at: datetime) -> RefreshOutcome:
    """Whether the token is spent now, repeated, refused, or proof of a theft."""
    if held.session_revoked or at >= held.session_expires_at:
        return RefreshOutcome.REFUSE
    if held.spent_at is not None:
        same = bool(request_id) and held.spent_by == request_id
        fresh = at <= held.spent_at + REPLAY_WINDOW and not held.successor_spent
        return RefreshOutcome.REPEAT if same and fresh else RefreshOutcome.REUSE
    return RefreshOutcome.REFUSE if at >= held.expires_at else RefreshOutcome.SPEND


def forget_at(at: datetime) -> datetime:
    """From when on no access token issued before `at` can be valid any more."""
    return at + ACCESS_LIFE + 2 * SKEW


def live_since(at: datetime) -> datetime:
    """Before when no access token that is valid at `at` was issued."""
    return at - ACCESS_LIFE - 2 * SKEW


@dataclass(frozen=True, slots=True)
class Lives:
    """How long a session lasts at most, and how long without being renewed."""

    whole: timedelta
    idle: timedelta


def lives(session_life: timedelta, session_idle: timedelta, level: int) -> Lives:
    """What an organization has decided, or what its assurance level allows: the shorter counts."""
    if level < 2:
        return Lives(min(session_life, SESSION_LIFE), session_idle)
    return Lives(min(session_life, RAISED_LIFE), min(session_idle, RAISED_IDLE))


def refresh_expiry(at: datetime, session_expires_at: datetime, idle: timedelta) -> datetime:
    """When a refresh token issued now is too old: never after its session."""
    return min(at + idle, session_expires_at)


def new_token() -> str:
    """An opaque token of 256 bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def successor_of(key: bytes, token: str, family: UUID, request_id: str) -> str:
    """The token that follows: derived, so that a repeat finds it although only hashes are kept.

    Without a request_id nobody can repeat, and the successor is random.
    """
    if not request_id:
        return new_token()
    message = b"\0".join((b"refresh", token.encode(), family.bytes, request_id.encode()))
    return _text(hmac.digest(key, message, hashlib.sha256))


def activation_token(key: bytes, activation: UUID) -> str:
    """The token of an invitation: derived, so that a repeated request gets the same one."""
    return _text(hmac.digest(key, b"activation\0" + activation.bytes, hashlib.sha256))


def token_hash(token: str) -> bytes:
    """What is kept of a token. It has 256 bits of its own, so a plain digest is enough."""
    return hashlib.sha256(token.encode()).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

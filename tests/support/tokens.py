"""Keys, tokens and streamed truths, made to measure; and a small auth in memory."""

import asyncio
import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import clock
from core.errors import Unavailable
from core.ids import new_id
from core.truth import Claims, Key, NotProven, Resolved, State, Truth
from core.truth.grants import TimedGrant
from core.truth.proof import sign, verify
from medhub.auth.v1 import auth_state_pb2 as wire

LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair of Ed25519 and its name."""

    kid: str = field(default_factory=lambda: f"key-{new_id()}")
    private: bytes = field(
        default_factory=lambda: Ed25519PrivateKey.generate().private_bytes_raw(), repr=False
    )

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()

    @property
    def key(self) -> Key:
        """As a verifier knows it."""
        return Key(self.kid, "EdDSA", self.public)

    def event(self, state: wire.KeyState = wire.KEY_STATE_ACTIVE) -> wire.StateEvent:
        """As the stream publishes it."""
        changed = wire.KeyChanged(
            kid=self.kid, algorithm="EdDSA", public_key=self.public, state=state
        )
        return wire.StateEvent(key_changed=changed)

    def token(self, claims: Claims) -> str:
        """A token of these claims."""
        return sign(claims, self.private, self.kid)


def claims_of(subject: UUID, organization: UUID | None = None, **other: Any) -> Claims:
    """What a token of a user says, issued now at revision 1; `other` overrides fields."""
    now = clock.now().replace(microsecond=0)
    values: dict[str, Any] = {
        "subject": subject,
        "organization": organization,
        "kind": "user",
        "revision": 1,
        "issued_at": now,
        "expires_at": now + LIFE,
        "token_id": str(new_id()),
        "session": new_id(),
        "assurance": 1,
        "authenticated_at": now,
    }
    return Claims(**{**values, **other})


def public_key() -> bytes:
    """A raw public key of Ed25519 that is nobody's."""
    return SigningKey().public


def segment(content: object) -> str:
    """A part of a token: JSON (or the bytes themselves) as base64url without padding."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(key: SigningKey, header: object, payload: object) -> str:
    """A token with any header and payload whatever, signed by the key all the same."""
    signed = f"{segment(header)}.{segment(payload)}"
    signature = Ed25519PrivateKey.from_private_bytes(key.private).sign(signed.encode())
    return f"{signed}.{segment(signature)}"


def membership(
    subject: UUID, organization: UUID | None, roles: Iterable[str] = (), *, ended: bool = False
) -> wire.StateEvent:
    """Somebody holds these roles in the organization."""
    return wire.StateEvent(
        membership_changed=wire.MembershipChanged(
            subject_id=str(subject),
            organization_id=str(organization or ""),
            roles=list(roles),
            ended=ended,
        )
    )


def role(
    name: str, permissions: Iterable[str], organization: UUID | None = None
) -> wire.StateEvent:
    """A role gives these permissions; without an organization it is built in."""
    changed = wire.RoleChanged(
        organization_id=str(organization or ""), role=name, permissions=list(permissions)
    )
    return wire.StateEvent(role_changed=changed)


def access_grant(
    subject: UUID,
    organization: UUID,
    patient: UUID,
    *,
    of: UUID | None = None,
    break_glass: bool = False,
    starts_at: datetime | None = None,
    life: timedelta = timedelta(hours=1),
    revoked: bool = False,
) -> wire.StateEvent:
    """Somebody is given access to a patient, from now on unless said; `of` is the grant's id."""
    told = wire.AccessGrantChanged(
        grant_id=str(of or new_id()),
        subject_id=str(subject),
        organization_id=str(organization),
        patient_id=str(patient),
        break_glass=break_glass,
        revoked=revoked,
    )
    begins = starts_at or clock.now()
    told.start_time.FromDatetime(begins)
    told.end_time.FromDatetime(begins + life)
    return wire.StateEvent(access_grant_changed=told)


def session_revoked(session: UUID, life: timedelta = LIFE) -> wire.StateEvent:
    """A session has ended."""
    event = wire.StateEvent(session_revoked=wire.SessionRevoked(session_id=str(session)))
    event.session_revoked.forget_time.FromDatetime(clock.now() + life)
    return event


def subject_epoch(subject: UUID, epoch: int, life: timedelta = LIFE) -> wire.StateEvent:
    """Tokens of the subject below the revision are dead."""
    event = wire.StateEvent(subject_epoch=wire.SubjectEpoch(subject_id=str(subject), epoch=epoch))
    event.subject_epoch.forget_time.FromDatetime(clock.now() + life)
    return event


def membership_epoch(
    subject: UUID, organization: UUID, epoch: int, life: timedelta = LIFE
) -> wire.StateEvent:
    """Tokens of the subject for the organization below the revision are dead."""
    event = wire.StateEvent(
        membership_epoch=wire.MembershipEpoch(
            subject_id=str(subject), organization_id=str(organization), epoch=epoch
        )
    )
    event.membership_epoch.forget_time.FromDatetime(clock.now() + life)
    return event


def global_epoch(epoch: int) -> wire.StateEvent:
    """Tokens of everybody below the revision are dead."""
    return wire.StateEvent(global_epoch=wire.GlobalEpoch(epoch=epoch))


def organization_epoch(
    organization: UUID, epoch: int, *, suspended: bool = False
) -> wire.StateEvent:
    """Tokens for the organization below the revision are dead; all, while it is suspended."""
    changed = wire.OrganizationEpoch(
        organization_id=str(organization), epoch=epoch, suspended=suspended
    )
    return wire.StateEvent(organization_epoch=changed)


def state_with(*events: wire.StateEvent, revision: int = 1, proven: bool = True) -> State:
    """A state that has applied a snapshot of these events, proven just now."""
    state = State()
    state.apply_snapshot(wire.Snapshot(revision=revision, events=events, last=True))
    if proven:
        prove(state)
    return state


def prove(state: State) -> None:
    """A checkpoint that was asked for a moment ago."""
    state.prove(state.revision, asyncio.get_running_loop().time() - 0.001)


def tell(state: State, *events: wire.StateEvent) -> int:
    """One more commit, as the stream brings it; the revision it led to."""
    revision = state.revision + 1
    delta = wire.Delta(previous_revision=state.revision, revision=revision, events=events)
    if not state.apply_delta(delta):
        raise AssertionError("a delta that joins on was refused")
    prove(state)
    return revision


@dataclass
class MemoryAuth:
    """What the auth service keeps, in memory: the roles of principals, and who is out.

    What a role gives is in `gives`, by its id; `truth` notes there what it tells the stream.

    It counts the hops, and can be away (`reachable`), slow (`delay`, seconds) or stuck.
    """

    key: SigningKey = field(default_factory=SigningKey)
    revision: int = 1
    roles: dict[tuple[UUID, UUID | None], tuple[str, ...]] = field(default_factory=dict)
    gives: dict[str, frozenset[str]] = field(default_factory=dict)
    grants: tuple[TimedGrant, ...] = ()
    dead: set[UUID] = field(default_factory=set)
    reachable: bool = True
    delay: float = 0.0
    hops: int = 0

    def joins(
        self, subject: UUID | None = None, organization: UUID | None = None, *roles: str
    ) -> UUID:
        """Give somebody (new, unless named) roles in an organization."""
        member = subject or new_id()
        self.roles[member, organization] = roles
        return member

    def token(self, subject: UUID, organization: UUID | None = None, **other: Any) -> str:
        """A token as a log-in gives it."""
        return self.key.token(claims_of(subject, organization, **other))

    async def resolve(self, token: str) -> Resolved:
        """Whom the token stands for, as the database has it when the question arrives."""
        self.hops += 1
        if not self.reachable:
            raise Unavailable
        keys: Mapping[str, Key] = {self.key.kid: self.key.key}
        claims = verify(token, keys, clock.now())
        found = self.roles.get((claims.subject, claims.organization))
        actor_roles = self.roles.get((claims.actor, None), ()) if claims.actor else ()
        permissions = self._given(found or ())
        if claims.actor is not None:
            permissions &= self._given(actor_roles)
        revision = self.revision
        await asyncio.sleep(self.delay)
        if found is None or self.dead & {claims.session, claims.subject, claims.actor}:
            raise NotProven("auth says so")
        return Resolved(
            claims.subject,
            claims.organization,
            found,
            revision,
            permissions,
            actor_roles,
            self.grants,
        )

    def _given(self, roles: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*(self.gives.get(role, frozenset()) for role in roles))

    def truth(self, *events: wire.StateEvent, proven: bool = True, service: str = "") -> Truth:
        """A truth that knows the key and these events, and asks here for the rest."""
        for each in events:
            if each.HasField("role_changed"):
                self.gives[each.role_changed.role] = frozenset(each.role_changed.permissions)
        state = state_with(self.key.event(), *events, revision=self.revision, proven=proven)
        return Truth(state, self.resolve, service)

"""Who calls, and which call this is. Set once per call by core.rpc, read everywhere below."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What sort of principal calls."""

    ANONYMOUS = "anonymous"
    USER = "user"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Grant:
    """Access to one patient's record that auth has given to a person, open now.

    `break_glass`: they have taken it themselves, in an emergency.
    """

    id: UUID
    patient: UUID
    break_glass: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """A proven principal. `organization` is the tenant; a token may name none.

    A caller makes many calls, and each tells PostgreSQL, the trail and the log who it is: the
    texts of the ids ("" for none) are made once.
    """

    kind: Kind
    subject: UUID | None = None
    organization: UUID | None = None
    session: UUID | None = None
    assurance: int = 0
    authenticated_at: datetime | None = None
    revision: int = 0
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    actor: UUID | None = None
    # The registered name of a server of the platform that calls for itself; empty for all others.
    service: str = ""
    # The thumbprint of the certificate that the token is bound to; empty: to none.
    confirmation: str = ""
    degraded: bool = False
    # The organization's own identity provider vouched for the person, in the organization alone:
    # their account is opened otherwise too, and may belong to several.
    federated: bool = False
    # Those open at the time of the call, in the organization; a method may take fewer of them.
    grants: tuple[Grant, ...] = ()
    subject_text: str = field(init=False, repr=False, compare=False, default="")
    organization_text: str = field(init=False, repr=False, compare=False, default="")
    session_text: str = field(init=False, repr=False, compare=False, default="")
    actor_text: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        for name in ("subject", "organization", "session", "actor"):
            value = getattr(self, name)
            object.__setattr__(self, f"{name}_text", "" if value is None else str(value))


ANONYMOUS = Caller(kind=Kind.ANONYMOUS)


@dataclass(slots=True)
class Call:
    """One call in progress: what audit, storage and logs need to know of it.

    `deadline` is on the monotonic clock of the event loop, in seconds; None means that the
    call has none (streams).
    """

    method: str
    caller: Caller = ANONYMOUS
    action: str = ""
    purpose: str = ""
    trace_id: str = ""
    peer: str = ""
    # What the client says of itself (user-agent), printable and bounded; it proves nothing.
    agent: str = ""
    # The thumbprint of the certificate that the caller has shown (`x5t#S256`); empty: none.
    certificate: str = ""
    deadline: float | None = None
    request_id: str = ""
    request_hash: bytes = b""
    language: str = "en"
    # Those of the caller's grants that the method takes.
    grants: tuple[Grant, ...] = ()
    # By whom is shown: the grant without which they would not be. The trail tells of it.
    opened: dict[UUID, Grant] = field(default_factory=dict)
    # Rows about persons whose data are restricted are shown to it: it is about their rights.
    sees_restricted: bool = False
    # From which revision of the auth state what the call did holds everywhere; 0: it did nothing to
    # it. The answer tells it.
    auth_revision: int = 0
    # The caller's proven token, to pass the caller on with; empty for nobody known. A secret.
    credential: str = field(default="", repr=False)


_call: ContextVar[Call | None] = ContextVar("medhub_call", default=None)


def call() -> Call:
    """The call in progress. Outside of one this is a programming error, and says so."""
    current = _call.get()
    if current is None:
        raise LookupError("no call is in progress")
    return current


def caller() -> Caller:
    """Who makes the call in progress."""
    return call().caller


def enter(current: Call) -> None:
    """Make `current` the call in progress for the running task and what it starts."""
    _call.set(current)

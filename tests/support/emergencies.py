"""Access to single patients: taken, given, and as a server that follows auth knows it."""

from datetime import timedelta
from uuid import UUID

from auth.servicers.state_events import event_to_proto
from core import clock
from core.identity import Caller
from core.truth import State
from medhub.auth.v1 import access_grant_pb2 as messages
from medhub.auth.v1 import access_grant_service_pb2 as wire
from medhub.auth.v1 import auth_state_pb2
from tests.support.credentials import Auth
from tests.support.postgres import ServiceDatabase

REASON = "Unconscious, no relatives"


async def emergency(auth: Auth, patient: UUID, **more: str) -> messages.AccessGrant:
    """The caller breaks the glass."""
    request = wire.BreakGlassRequest(patient=f"patients/{patient}", reason=REASON, **more)
    return await auth.access_grants.BreakGlass(request)


def gift(grantee: UUID, patient: UUID) -> wire.CreateAccessGrantRequest:
    """A request to give somebody an hour."""
    made = messages.AccessGrant(
        grantee=f"users/{grantee}", patient=f"patients/{patient}", reason="A second opinion"
    )
    made.end_time.FromDatetime(clock.now() + timedelta(hours=1))
    return wire.CreateAccessGrantRequest(access_grant=made)


def let_an_hour_pass(database: ServiceDatabase) -> None:
    """The emergencies that are over leave room for as many again."""
    database.rows(
        "SET session_replication_role = replica; UPDATE access_grant SET"
        " created_at = created_at - interval '1 hour', starts_at = starts_at - interval '1 hour',"
        " ends_at = ends_at - interval '1 hour'"
        " WHERE kind = 'BREAK_GLASS' AND revoked_at IS NOT NULL"
    )


async def told(auth: Auth) -> State:
    """What a server knows that follows from now on."""
    async with auth.store.begin() as tx:
        held = await tx.state.snapshot(clock.now())
    state = State()
    events = [event_to_proto(*row) for row in held.events]
    state.apply_snapshot(auth_state_pb2.Snapshot(revision=held.revision, events=events, last=True))
    return state


async def doctor_of(auth: Auth) -> tuple[Caller, str]:
    """A doctor in a call of theirs, and their token."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "doc@parc.test", "doctor")
    token = (await auth.log_in("doc@parc.test")).access_token
    return await auth.act(token, "BreakGlass"), token

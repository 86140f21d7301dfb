"""SessionService: the caller's own sessions, and those of an administrator's organization."""

from uuid import UUID

from auth.ending import end_all_in, end_all_of, end_all_of_member, end_one
from auth.servicers.memberships import COLLECTION as MEMBERSHIPS
from auth.servicers.times import timestamp
from auth.storage.sessions import LiveSession
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import NotFound
from core.identity import Caller, Kind
from core.ids import id_from, name_of
from medhub.auth.v1 import session_pb2
from medhub.auth.v1 import session_service_pb2 as wire

_LISTING = Listing(method="medhub.auth.v1.SessionService/ListSessions", order="id desc")


class Sessions:
    """The SessionService of the contract."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def ListSessions(self, request: wire.ListSessionsRequest) -> wire.ListSessionsResponse:
        """Show where the caller is logged in."""
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, _LISTING)
        caller = identity.caller()
        if caller.subject is None:
            raise NotFound
        async with self._store.begin(read_only=True) as tx:
            rows = await tx.sessions.page(
                caller.subject, key, size + 1, clock.now(), vouched_within(caller)
            )
        page = page_of(rows, size, _LISTING, self._pages, key=lambda row: (row.id,))
        return wire.ListSessionsResponse(
            sessions=[session_to_proto(each, caller.session) for each in page.items],
            next_page_token=page.next_page_token,
        )

    async def RevokeSession(self, request: wire.RevokeSessionRequest) -> wire.RevokeSessionResponse:
        """End one of them."""
        session = id_from(request.name, "sessions")
        caller = identity.caller()
        async with self._store.begin() as tx:
            within = vouched_within(caller)
            if caller.subject is None or not await tx.sessions.is_owned(
                session, caller.subject, within
            ):
                raise NotFound
            revision = await end_one(tx, caller.subject, session)
        return wire.RevokeSessionResponse(auth_revision=revision)

    async def RevokeAllSessions(
        self, request: wire.RevokeAllSessionsRequest
    ) -> wire.RevokeAllSessionsResponse:
        """End all of them, or all others."""
        caller = identity.caller()
        kept = caller.session if request.keep_current else None
        async with self._store.begin() as tx:
            if caller.kind is not Kind.USER or caller.subject is None:
                # A program has no session; its tokens end when it is disabled.
                ended, revision = 0, await tx.state.settled()
            else:
                await _record(tx, caller.subject)
                ended, revision = await end_all_of(tx, caller.subject, kept)
        return wire.RevokeAllSessionsResponse(auth_revision=revision, ended=ended)

    async def RevokeMemberSessions(
        self, request: wire.RevokeMemberSessionsRequest
    ) -> wire.RevokeMemberSessionsResponse:
        """End what one member has open here."""
        async with self._store.begin() as tx:
            member = await tx.memberships.get(id_from(request.name, MEMBERSHIPS))
            if member is None:
                raise NotFound
            if member.user is None:
                revision = await tx.state.settled()
            else:
                await _record(tx, member.user, request.name)
                revision = await end_all_of_member(tx, member.user, member.organization)
        return wire.RevokeMemberSessionsResponse(auth_revision=revision)

    async def RevokeOrganizationSessions(
        self, request: wire.RevokeOrganizationSessionsRequest
    ) -> wire.RevokeOrganizationSessionsResponse:
        """End what everybody has open here."""
        organization = identity.caller().organization
        if organization is None:
            raise LookupError("the policy asks for an organization")
        async with self._store.begin() as tx:
            # In turns with whoever suspends it: what is suspended must not be told to work.
            await tx.organizations.lock(organization)
            await _record(tx, None, name_of("organizations", organization))
            revision = await end_all_in(tx, organization)
        return wire.RevokeOrganizationSessionsResponse(auth_revision=revision)


async def _record(tx: Tx, user: UUID | None, resource: str = "") -> None:
    """An act, also when nothing was open that could end: its event kills what is under way."""
    await tx.record_act(identity.call().action, subject=user, resource=resource)


def vouched_within(caller: Caller) -> UUID | None:
    """Where alone a caller acts for whom an organization's provider vouches; None: everywhere."""
    return caller.organization if caller.federated else None


def session_to_proto(session: LiveSession, current: UUID | None) -> session_pb2.Session:
    """As its owner sees it."""
    return session_pb2.Session(
        name=name_of("sessions", session.id),
        user=name_of("users", session.user),
        organization=(
            name_of("organizations", session.organization) if session.organization else ""
        ),
        create_time=timestamp(session.created_at),
        last_refresh_time=timestamp(session.refreshed_at),
        expire_time=timestamp(session.expires_at),
        peer=session.peer,
        current=session.id == current,
        device=session.device,
    )

"""SessionService: the caller's own sessions."""

from uuid import UUID

from auth.servicers.auth import end_session
from auth.servicers.times import timestamp
from auth.storage.sessions import LiveSession
from auth.storage.store import Store
from core import clock, identity
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import NotFound
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
            rows = await tx.sessions.page(caller.subject, key, size + 1, clock.now())
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
            if caller.subject is None or not await tx.sessions.is_owned(session, caller.subject):
                raise NotFound
            revision = await end_session(tx, caller, session)
        return wire.RevokeSessionResponse(auth_revision=revision)


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
    )

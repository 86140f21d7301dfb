"""AccessGrantService: access to single patients, given to colleagues or taken in emergencies."""

from uuid import UUID

from auth.domain.access_grants import (
    EMERGENCY_PERIOD,
    AccessGrant,
    Actor,
    Finding,
    GrantKind,
    Review,
    break_glass,
    check_pace,
    check_room,
    give,
    review,
    revoke,
)
from auth.domain.memberships import check_etag
from auth.domain.messages import Channel, Message, Template
from auth.domain.refusals import NotAMember
from auth.domain.roles import ADMINISTRATOR, DATA_PROTECTION_OFFICER
from auth.giving import check_lasting
from auth.granting import grant_changed
from auth.posting import Post
from auth.servicers.times import moment_from, timestamp
from auth.storage.access_grants import Criteria
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database import Earlier
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import InvalidField, NotFound
from core.ids import id_from, name_of, new_id
from medhub.auth.v1 import access_grant_pb2 as messages
from medhub.auth.v1 import access_grant_service_pb2 as wire

COLLECTION = "accessGrants"
_GIVING = "auth.access_grants.create"
_GIVERS = {"user": "users", "service": "serviceAccounts"}
_KIND, _STATE = "ACCESS_GRANT_KIND_", "ACCESS_GRANT_STATE_"
_FINDING = "BREAK_GLASS_FINDING_"


class AccessGrants:
    """The AccessGrantService of the contract."""

    def __init__(self, store: Store, pages: PageTokens, post: Post) -> None:
        self._store = store
        self._pages = pages
        self._post = post

    async def CreateAccessGrant(
        self, request: wire.CreateAccessGrantRequest
    ) -> messages.AccessGrant:
        """Give a colleague access to a patient."""
        asked = request.access_grant
        made = give(
            new_id(),
            grantee=id_from(asked.grantee, "users", field="access_grant.grantee"),
            patient=id_from(asked.patient, "patients", field="access_grant.patient"),
            reason=asked.reason,
            starts_at=moment_from(asked.start_time, field="access_grant.start_time")
            if asked.HasField("start_time")
            else None,
            ends_at=moment_from(asked.end_time, field="access_grant.end_time"),
            by=_caller(),
            now=clock.now(),
        )
        async with self._store.begin() as tx:
            if earlier := await tx.first_try():
                return await _again(tx, earlier)
            await check_lasting(tx, _GIVING, made.starts_at, made.ends_at)
            if not await tx.access_grants.lock_member(made.grantee):
                raise InvalidField(field="access_grant.grantee", rule="access_grant.member")
            held = await tx.access_grants.open_of(made.grantee, made.created_at)
            check_room(made.kind, sum(each.kind is made.kind for each in held))
            revision = await _add(tx, made)
        return grant_to_proto(made, revision)

    async def BreakGlass(self, request: wire.BreakGlassRequest) -> messages.AccessGrant:
        """Take access to a patient in an emergency, and tell who looks after data protection."""
        taker = _caller()
        if taker.kind != "user":
            raise NotAMember
        made = break_glass(
            new_id(),
            person=taker.id,
            patient=id_from(request.patient, "patients", field="patient"),
            reason=request.reason,
            now=clock.now(),
        )
        async with self._store.begin() as tx:
            if earlier := await tx.first_try():
                return await _again(tx, earlier)
            if not await tx.access_grants.lock_member(taker.id):
                raise NotAMember
            ended = await _make_room(tx, made)
            await tx.record_act(
                identity.call().action,
                subject=made.patient,
                subject_kind="patient",
                resource=name_of(COLLECTION, made.id),
                break_glass=True,
            )
            await self._alert(tx, taker.id)
            revision = await _add(tx, made, *ended)
        return grant_to_proto(made, revision)

    async def GetAccessGrant(self, request: wire.GetAccessGrantRequest) -> messages.AccessGrant:
        """Show one."""
        async with self._store.begin(read_only=True) as tx:
            found = await tx.access_grants.get(id_from(request.name, COLLECTION))
        if found is None:
            raise NotFound
        return grant_to_proto(found)

    async def ListAccessGrants(
        self, request: wire.ListAccessGrantsRequest
    ) -> wire.ListAccessGrantsResponse:
        """A page of the organization's."""
        criteria = Criteria(
            kind=messages.AccessGrantKind.Name(request.kind).removeprefix(_KIND)
            if request.kind
            else "",
            grantee=id_from(request.grantee, "users", field="grantee") if request.grantee else None,
            patient=id_from(request.patient, "patients", field="patient")
            if request.patient
            else None,
            open_only=request.open_only,
            unreviewed_only=request.unreviewed_only,
        )
        found, token = await self._page(criteria, request.page_size, request.page_token)
        return wire.ListAccessGrantsResponse(access_grants=found, next_page_token=token)

    async def ListMyAccessGrants(
        self, request: wire.ListMyAccessGrantsRequest
    ) -> wire.ListMyAccessGrantsResponse:
        """A page of the caller's own."""
        criteria = Criteria(grantee=_caller().id, open_only=request.open_only)
        found, token = await self._page(criteria, request.page_size, request.page_token)
        return wire.ListMyAccessGrantsResponse(access_grants=found, next_page_token=token)

    async def RevokeAccessGrant(
        self, request: wire.RevokeAccessGrantRequest
    ) -> messages.AccessGrant:
        """Take one back."""
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name)
            check_etag(held.revision, request.etag)
            return await _revoke(tx, held)

    async def CloseMyBreakGlass(
        self, request: wire.CloseMyBreakGlassRequest
    ) -> messages.AccessGrant:
        """End an emergency of the caller's own."""
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name)
            if held.kind is not GrantKind.BREAK_GLASS or held.grantee != _caller().id:
                raise NotFound
            return await _revoke(tx, held)

    async def ReviewBreakGlass(self, request: wire.ReviewBreakGlassRequest) -> messages.AccessGrant:
        """Note what was found."""
        said = messages.BreakGlassFinding.Name(request.finding).removeprefix(_FINDING)
        found = Review(Finding(said), request.note, _caller().id, clock.now())
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name)
            check_etag(held.revision, request.etag)
            reviewed = review(held, found)
            await tx.access_grants.save(reviewed)
        return grant_to_proto(reviewed)

    async def _alert(self, tx: Tx, taker: UUID) -> None:
        """A message to each data-protection officer of the organization, of no patient; to its
        administrators where there is no officer, so that somebody looks.

        What one of them gets is counted for each who takes emergencies, so none hides another's.
        """
        organization = await tx.organizations.get(_organization())
        if organization is None:
            raise NotFound
        now = clock.now()
        told = await tx.access_grants.holders(DATA_PROTECTION_OFFICER, now)
        for address, language in told or await tx.access_grants.holders(ADMINISTRATOR, now):
            message = Message(
                Channel.EMAIL,
                address,
                Template.BREAK_GLASS,
                language,
                {"organization": organization.display_name},
            )
            await self._post.send(tx, message, because_of=(organization.id, taker))

    async def _page(
        self, criteria: Criteria, asked: int, token: str
    ) -> tuple[list[messages.AccessGrant], str]:
        listing = Listing(identity.call().method, filter=repr(criteria), order="id desc")
        size = page_size(asked)
        key = self._pages.open(token, listing)
        async with self._store.begin(read_only=True) as tx:
            rows = await tx.access_grants.page(criteria, clock.now(), key, size + 1)
        page = page_of(rows, size, listing, self._pages, key=lambda row: (row.id,))
        return [grant_to_proto(each) for each in page.items], page.next_page_token


async def _hold(tx: Tx, name: str) -> AccessGrant:
    held = await tx.access_grants.lock(id_from(name, COLLECTION))
    if held is None:
        raise NotFound
    return held


async def _make_room(tx: Tx, made: AccessGrant) -> list[AccessGrant]:
    """The person's emergencies for the same patient, ended: there is one for each patient.

    Raises TooManyGrants when those for others leave no room, or too many were taken of late.
    """
    since = made.created_at - EMERGENCY_PERIOD
    taken = await tx.access_grants.emergencies_since(made.grantee, since)
    check_pace(taken, made.created_at)
    held = await tx.access_grants.lock_open_of(made.grantee, made.created_at)
    emergencies = [each for each in held if each.kind is made.kind]
    same = [each for each in emergencies if each.patient == made.patient]
    check_room(made.kind, len(emergencies) - len(same))
    ended = [revoke(each, now=made.created_at) for each in same]
    for each in ended:
        await tx.access_grants.save(each)
    return ended


async def _add(tx: Tx, made: AccessGrant, *ended: AccessGrant) -> int:
    """A new grant, told to every server; the revision from which they know."""
    await tx.access_grants.add(made)
    revision = await tx.state.publish(
        [grant_changed(each, _organization()) for each in (*ended, made)]
    )
    await tx.remember(name_of(COLLECTION, made.id), revision)
    return revision


async def _revoke(tx: Tx, held: AccessGrant) -> messages.AccessGrant:
    revoked = revoke(held, now=clock.now())
    if revoked == held:
        return grant_to_proto(held, await tx.state.settled())
    await tx.access_grants.save(revoked)
    revision = await tx.state.publish([grant_changed(revoked, _organization())])
    return grant_to_proto(revoked, revision)


async def _again(tx: Tx, earlier: Earlier) -> messages.AccessGrant:
    """What an earlier call with the same request_id made."""
    found = await tx.access_grants.get(id_from(earlier.name, COLLECTION))
    if found is None:
        raise NotFound
    return grant_to_proto(found, earlier.revision)


def _organization() -> UUID:
    organization = identity.caller().organization
    if organization is None:
        raise LookupError("the policy asks for an organization")
    return organization


def _caller() -> Actor:
    caller = identity.caller()
    if caller.subject is None:
        raise LookupError("a caller of a method that is not public has been proven")
    return Actor(caller.kind.value, caller.subject)


def grant_to_proto(grant: AccessGrant, revision: int = 0) -> messages.AccessGrant:
    """A grant as it is now; with the revision of auth that tells of it, when it was changed."""
    found = grant.review
    return messages.AccessGrant(
        name=name_of(COLLECTION, grant.id),
        grantee=name_of("users", grant.grantee),
        patient=name_of("patients", grant.patient),
        kind=_KIND + grant.kind.value,
        reason=grant.reason,
        start_time=timestamp(grant.starts_at),
        end_time=timestamp(grant.ends_at),
        granted_by=name_of(_GIVERS[grant.given_by.kind], grant.given_by.id),
        state=_STATE + grant.state(clock.now()).value,
        create_time=timestamp(grant.created_at),
        revoke_time=timestamp(grant.revoked_at),
        finding=_FINDING + (found.finding.value if found else "UNSPECIFIED"),
        finding_note=found.note if found else "",
        reviewed_by=name_of("users", found.by) if found else "",
        review_time=timestamp(found.at) if found else None,
        etag=str(grant.revision),
        auth_revision=revision,
    )

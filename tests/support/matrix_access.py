"""Requests to auth about access to single patients."""

from datetime import timedelta

from core import clock
from core.ids import name_of
from medhub.auth.v1 import access_grant_pb2
from medhub.auth.v1 import access_grant_service_pb2 as grants
from tests.support.emergencies import let_an_hour_pass
from tests.support.matrix_requests import asks, fresh
from tests.support.matrix_world import Side

_GRANTS = "medhub.auth.v1.AccessGrantService"


async def _others_grant(side: Side) -> access_grant_pb2.AccessGrant:
    """The nurse's emergency, of which the administrator may say what they find."""
    request = await break_glass(side)
    made: access_grant_pb2.AccessGrant = await side.do(
        f"{_GRANTS}/BreakGlass", request, side.tokens["nurse"]
    )
    return made


async def _make_room(side: Side, word: str, *, revoke: bool = False) -> None:
    """End what somebody holds: requests of the matrix name one patient after the other.

    By a method that is not the one asked for, which a mutation may have weakened.
    """
    asked = grants.ListAccessGrantsRequest(
        grantee=name_of("users", side.user(word)), open_only=True, page_size=200
    )
    for held in (await side.do(f"{_GRANTS}/ListAccessGrants", asked)).access_grants:
        if revoke:
            ending = grants.RevokeAccessGrantRequest(name=held.name, etag=held.etag)
            await side.do(f"{_GRANTS}/RevokeAccessGrant", ending)
        elif held.kind == access_grant_pb2.ACCESS_GRANT_KIND_BREAK_GLASS:
            close = grants.CloseMyBreakGlassRequest(name=held.name)
            await side.do(f"{_GRANTS}/CloseMyBreakGlass", close, side.tokens[word])


@asks(f"{_GRANTS}/CreateAccessGrant")
async def create_access_grant(side: Side) -> grants.CreateAccessGrantRequest:
    await _make_room(side, "biller", revoke=True)
    made = access_grant_pb2.AccessGrant(
        grantee=name_of("users", side.user("biller")),
        patient=side.patient,
        reason="A second opinion",
    )
    made.end_time.FromDatetime(clock.now() + timedelta(hours=1))
    return grants.CreateAccessGrantRequest(access_grant=made, request_id=fresh())


@asks(f"{_GRANTS}/BreakGlass")
async def break_glass(side: Side, *, revoke: bool = False) -> grants.BreakGlassRequest:
    for word in ("administrator", "nurse"):
        await _make_room(side, word, revoke=revoke)
    let_an_hour_pass(side.world.platform.databases["auth"])
    return grants.BreakGlassRequest(
        patient=side.patient, reason=f"Unconscious, no relatives ({fresh()})", request_id=fresh()
    )


@asks(f"{_GRANTS}/CloseMyBreakGlass")
async def close_my_break_glass(side: Side) -> grants.CloseMyBreakGlassRequest:
    made = await side.do(f"{_GRANTS}/BreakGlass", await break_glass(side, revoke=True))
    return grants.CloseMyBreakGlassRequest(name=made.name)


@asks(f"{_GRANTS}/GetAccessGrant")
async def get_access_grant(side: Side) -> grants.GetAccessGrantRequest:
    return grants.GetAccessGrantRequest(name=(await _others_grant(side)).name)


@asks(f"{_GRANTS}/ListAccessGrants")
async def list_access_grants(side: Side) -> grants.ListAccessGrantsRequest:
    return grants.ListAccessGrantsRequest(patient=side.patient)


@asks(f"{_GRANTS}/ListMyAccessGrants")
async def list_my_access_grants(side: Side) -> grants.ListMyAccessGrantsRequest:
    return grants.ListMyAccessGrantsRequest()


@asks(f"{_GRANTS}/ReviewBreakGlass")
async def review_break_glass(side: Side) -> grants.ReviewBreakGlassRequest:
    made = await _others_grant(side)
    return grants.ReviewBreakGlassRequest(
        name=made.name, etag=made.etag, finding=access_grant_pb2.BREAK_GLASS_FINDING_JUSTIFIED
    )


@asks(f"{_GRANTS}/RevokeAccessGrant")
async def revoke_access_grant(side: Side) -> grants.RevokeAccessGrantRequest:
    made = await _others_grant(side)
    return grants.RevokeAccessGrantRequest(name=made.name, etag=made.etag)

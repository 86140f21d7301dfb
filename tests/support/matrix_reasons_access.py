"""How each reason about access to single patients comes about over a real server."""

import grpc

from auth.domain.access_grants import MOST_EMERGENCIES
from core.ids import name_of, new_id
from medhub.auth.v1 import access_grant_service_pb2 as grants
from medhub.auth.v1.access_grant_pb2 import BREAK_GLASS_FINDING_JUSTIFIED
from tests.support.matrix_access import break_glass, create_access_grant
from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_requests import fresh
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import World

_GRANTS = "medhub.auth.v1.AccessGrantService"


@case("GRANT_TO_ONESELF")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await create_access_grant(world.alpha)
    request.access_grant.grantee = name_of("users", world.alpha.user("administrator"))
    return await ask(world, f"{_GRANTS}/CreateAccessGrant", request, meta, world.alpha.whole)


@case("TOO_MANY_GRANTS")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await break_glass(world.alpha)
    method, outcome = f"{_GRANTS}/BreakGlass", Outcome(grpc.StatusCode.OK)
    for _ in range(MOST_EMERGENCIES + 1):
        request.patient, request.request_id = f"patients/{new_id()}", fresh()
        outcome = await ask(world, method, request, meta, world.alpha.whole)
    return outcome


@case("NOT_AN_EMERGENCY")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await world.alpha.do(
        f"{_GRANTS}/CreateAccessGrant", await create_access_grant(world.alpha)
    )
    request = grants.ReviewBreakGlassRequest(
        name=made.name, etag=made.etag, finding=BREAK_GLASS_FINDING_JUSTIFIED
    )
    return await ask(world, f"{_GRANTS}/ReviewBreakGlass", request, meta, world.alpha.whole)


@case("REVIEW_OF_ONES_OWN")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await world.alpha.do(f"{_GRANTS}/BreakGlass", await break_glass(world.alpha))
    request = grants.ReviewBreakGlassRequest(
        name=made.name, etag=made.etag, finding=BREAK_GLASS_FINDING_JUSTIFIED
    )
    return await ask(world, f"{_GRANTS}/ReviewBreakGlass", request, meta, world.alpha.whole)

"""How the reasons of the subject contract come about."""

from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_subject import execute_request, plan_request
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import World

_SUBJECT = "medhub.subject.v1.SubjectService"


@case("ERASURE_PLAN_CHANGED")
async def _(world: World, meta: Metadata) -> Outcome:
    asked = plan_request(world.alpha, (await world.alpha.new_patient()).name)
    method = f"{_SUBJECT}/PlanErasure@clinical"
    planned = await world.alpha.do(method, asked, world.gatherer)
    request = execute_request(asked, planned)
    request.plan_digest = bytes(32)
    return await ask(world, f"{_SUBJECT}/ExecuteErasure@clinical", request, meta, world.gatherer)

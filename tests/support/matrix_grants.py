"""Rows of the matrix: who holds no link, and a grant of access instead."""

from datetime import timedelta

import grpc
from google.protobuf.message import Message

from core import clock
from core.ids import name_of
from medhub.auth.v1 import access_grant_pb2
from medhub.auth.v1 import access_grant_service_pb2 as grants
from tests.support.emergencies import let_an_hour_pass
from tests.support.matrix import Faults, Policy, expect, right, row
from tests.support.matrix_callers import traced
from tests.support.matrix_objects import names_in
from tests.support.matrix_requests import fresh
from tests.support.matrix_trail import Left, left_by
from tests.support.matrix_wire import Outcome, bearer
from tests.support.matrix_world import Side, World, caught_up

_GRANTS = "medhub.auth.v1.AccessGrantService"
_STRANGER = "unlinked"


@row(lambda policy: policy.link == "care")
async def opened_by_grants(world: World, policy: Policy) -> Faults:
    """A grant opens what is read; an emergency's where the file says so; neither opens a change."""
    faults = []
    for emergency in (False, True):
        ask = await right(world, policy)
        patient = _patient_of(policy, ask.request) or world.alpha.patient
        grant = await _grant(world.alpha, patient, emergency=emergency)
        await caught_up(world, grant.auth_revision)
        trace, meta = traced()
        stranger = bearer(world.alpha.tokens[_STRANGER])
        outcome = await world.invoke(policy.method, ask.request, (*stranger, *meta))
        revoke = grants.RevokeAccessGrantRequest(name=grant.name, etag=grant.etag)
        revoked = await world.alpha.do(f"{_GRANTS}/RevokeAccessGrant", revoke)
        await caught_up(world, revoked.auth_revision)
        reads = policy.idempotency == "no_side_effects"
        opens = reads and (policy.break_glass or not emergency)
        rows = left_by(world.platform.databases[policy.service], trace)
        found = _answer_faults(policy, outcome, patient, opens=opens)
        if opens and not found:
            found = _trail_faults(rows, grant, emergency=emergency)
        word = "an emergency" if emergency else "a colleague's grant"
        faults += [f"{word}: {fault}" for fault in found]
    return faults


def _patient_of(policy: Policy, request: Message) -> str:
    """The patient whom the request asks about by name; empty for none."""
    named = {".".join(map(str, place)): name for place, name in names_in(request)}
    name = named.get(policy.resource, "")
    return name if name.startswith("patients/") else ""


async def _grant(side: Side, patient: str, *, emergency: bool) -> access_grant_pb2.AccessGrant:
    """Access of the stranger to the patient."""
    made: access_grant_pb2.AccessGrant
    if emergency:
        let_an_hour_pass(side.world.platform.databases["auth"])
        taken = grants.BreakGlassRequest(
            patient=patient, reason="Unconscious, no relatives", request_id=fresh()
        )
        made = await side.do(f"{_GRANTS}/BreakGlass", taken, side.tokens[_STRANGER])
        return made
    given = access_grant_pb2.AccessGrant(
        grantee=name_of("users", side.user(_STRANGER)), patient=patient, reason="A second opinion"
    )
    given.end_time.FromDatetime(clock.now() + timedelta(hours=1))
    request = grants.CreateAccessGrantRequest(access_grant=given, request_id=fresh())
    made = await side.do(f"{_GRANTS}/CreateAccessGrant", request)
    return made


def _answer_faults(policy: Policy, outcome: Outcome, patient: str, *, opens: bool) -> Faults:
    if policy.resource:
        if opens:
            return expect(outcome, grpc.StatusCode.OK)
        return expect(outcome, grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    if not outcome.ok:
        return [f"got {outcome}"]
    shown = [each.name for each in outcome.response.patients]
    return [] if shown == ([patient] if opens else []) else [f"shown: {shown}"]


def _trail_faults(
    rows: list[Left], grant: access_grant_pb2.AccessGrant, *, emergency: bool
) -> Faults:
    """The record of what was read names the grant, and says whether it was an emergency."""
    told = {"grant": grant.name} | ({"break_glass": True} if emergency else {})
    kept = [left.after for left in rows if left.kind == "access" and left.subject is not None]
    return [] if kept and all(each == told for each in kept) else [f"the trail has {kept}"]

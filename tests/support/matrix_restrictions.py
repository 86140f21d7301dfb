"""Requests to restrict what may be done with a person's data."""

import asyncio

from medhub.compliance.v1 import data_subject_request_service_pb2 as requests
from medhub.compliance.v1 import restriction_pb2 as proto
from tests.support.matrix_requests import asks, fresh
from tests.support.matrix_subject import GATHERED_SECONDS
from tests.support.matrix_world import Side

_REQUESTS = "medhub.compliance.v1.DataSubjectRequestService"


def _wanted(patient: str) -> proto.Restriction:
    return proto.Restriction(patient=patient, ground=proto.RESTRICTION_GROUND_ACCURACY)


@asks(f"{_REQUESTS}/CreateRestriction")
async def create_restriction(side: Side) -> requests.CreateRestrictionRequest:
    # Of somebody else than the side's patient, whom others ask for.
    patient = (await side.new_patient()).name
    return requests.CreateRestrictionRequest(restriction=_wanted(patient), request_id=fresh())


async def restriction_entered(side: Side, patient: str) -> proto.Restriction:
    """A restriction of a patient, which the services are being told."""
    made: proto.Restriction = await side.do(
        f"{_REQUESTS}/CreateRestriction",
        requests.CreateRestrictionRequest(restriction=_wanted(patient)),
    )
    return made


async def restriction_reaching(side: Side, name: str, *states: int) -> proto.Restriction:
    """The restriction once it is in one of these states."""
    request = requests.GetRestrictionRequest(name=name)
    async with asyncio.timeout(GATHERED_SECONDS):
        while True:
            found: proto.Restriction
            found = await side.do(f"{_REQUESTS}/GetRestriction", request)
            if found.state in states:
                return found
            await asyncio.sleep(0.05)


async def restricted(side: Side, patient: str) -> proto.Restriction:
    """A restriction that every service is bound by."""
    made = await restriction_entered(side, patient)
    return await restriction_reaching(side, made.name, proto.RESTRICTION_STATE_ACTIVE)


async def lifted(side: Side, name: str) -> proto.Restriction:
    """The restriction, once nobody is bound by it any more."""
    request = requests.LiftRestrictionRequest(name=name)
    await side.do(f"{_REQUESTS}/LiftRestriction", request)
    return await restriction_reaching(side, name, proto.RESTRICTION_STATE_LIFTED)


async def _some_restriction(side: Side) -> str:
    """A restriction of the side, made once."""
    if not side.restriction:
        made = await restriction_entered(side, (await side.new_patient()).name)
        side.restriction = made.name
    return side.restriction


@asks(f"{_REQUESTS}/GetRestriction")
async def get_restriction(side: Side) -> requests.GetRestrictionRequest:
    return requests.GetRestrictionRequest(name=await _some_restriction(side))


@asks(f"{_REQUESTS}/ListRestrictions")
async def list_restrictions(side: Side) -> requests.ListRestrictionsRequest:
    await _some_restriction(side)
    return requests.ListRestrictionsRequest(page_size=5)


@asks(f"{_REQUESTS}/LiftRestriction")
async def lift_restriction(side: Side) -> requests.LiftRestrictionRequest:
    made = await restricted(side, (await side.new_patient()).name)
    return requests.LiftRestrictionRequest(name=made.name, request_id=fresh())

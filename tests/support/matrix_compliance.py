"""Requests to compliance."""

from core.ids import new_id
from medhub.compliance.v1 import audit_service_pb2 as audit
from medhub.compliance.v1 import key_service_pb2 as keys
from tests.support.audit import SOURCE, events
from tests.support.matrix_requests import asks
from tests.support.matrix_world import Side

_AUDIT = "medhub.compliance.v1.AuditService"


@asks(f"{_AUDIT}/AppendEvents")
async def append_events(side: Side) -> audit.AppendEventsRequest:
    # An organization of its own, so that the trails of the tests stay whole.
    return audit.AppendEventsRequest(source=SOURCE, batch=1, events=events(new_id(), [1]))


@asks(f"{_AUDIT}/CheckCompleteness")
async def check_completeness(side: Side) -> audit.CheckCompletenessRequest:
    return audit.CheckCompletenessRequest()


async def _event(side: Side) -> str:
    request = audit.ListAuditEventsRequest(page_size=1, source="auth")
    listed = await side.do(f"{_AUDIT}/ListAuditEvents", request)
    return str(listed.audit_events[0].name)


@asks(f"{_AUDIT}/GetAuditEvent")
async def get_audit_event(side: Side) -> audit.GetAuditEventRequest:
    return audit.GetAuditEventRequest(name=await _event(side))


@asks(f"{_AUDIT}/GetCheckpoint")
async def get_checkpoint(side: Side) -> audit.GetCheckpointRequest:
    return audit.GetCheckpointRequest()


@asks(f"{_AUDIT}/GetConsistencyProof")
async def get_consistency_proof(side: Side) -> audit.GetConsistencyProofRequest:
    return audit.GetConsistencyProofRequest(from_size=1)


@asks(f"{_AUDIT}/GetInclusionProof")
async def get_inclusion_proof(side: Side) -> audit.GetInclusionProofRequest:
    return audit.GetInclusionProofRequest(name=await _event(side))


@asks(f"{_AUDIT}/ListAuditEvents")
async def list_audit_events(side: Side) -> audit.ListAuditEventsRequest:
    return audit.ListAuditEventsRequest(page_size=5, source="auth")


@asks(f"{_AUDIT}/ReadTile")
async def read_tile(side: Side) -> audit.ReadTileRequest:
    return audit.ReadTileRequest(path="tile/0/000.p/1")


@asks("medhub.compliance.v1.KeyService/ProvisionKeys")
async def provision_keys(side: Side) -> keys.ProvisionKeysRequest:
    wanted = keys.KeyWanted(
        organization_id=str(new_id()),
        subject=f"patients/{new_id()}",
        retention_class="audit",
        month="2026-11",
    )
    return keys.ProvisionKeysRequest(keys=[wanted])

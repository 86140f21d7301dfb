"""How each reason of the contract comes about over a real server: one call for each.

A case takes the metadata to send besides the token (the language that is asked for) and answers
with the outcome. It may be called again: it makes what it uses up.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message

from compliance.domain.keys import AUDIT
from compliance.storage.store import Store
from core import clock, identity
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.errors import Unavailable
from core.ids import new_id
from core.rpc.admission import Overloaded
from core.rpc.limits import MAX_MESSAGE_BYTES
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import auth_state_service_pb2 as state
from medhub.auth.v1 import membership_service_pb2 as memberships
from medhub.auth.v1 import role_pb2
from medhub.auth.v1 import role_service_pb2 as roles
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.compliance.v1 import access_request_pb2
from medhub.compliance.v1 import audit_service_pb2 as audit
from medhub.compliance.v1 import data_subject_request_service_pb2 as requests
from medhub.compliance.v1 import key_service_pb2 as keys
from tests.support.audit import clear_part, events, sealed_event
from tests.support.matrix_auth import (
    add_service_account_key,
    create_membership,
    create_organization,
    create_role,
    delete_role,
    issue_service_token,
    remove_membership,
    remove_service_account_key,
    suspend_membership,
)
from tests.support.matrix_compliance import get_inclusion_proof
from tests.support.matrix_effects import Aged
from tests.support.matrix_wire import Outcome, bearer, refused_by
from tests.support.matrix_world import World
from tests.support.platform import PASSWORD
from tests.support.tokens import public_key

Metadata = tuple[tuple[str, str], ...]
Case = Callable[[World, Metadata], Awaitable[Outcome]]
CASES: dict[str, Case] = {}
GET = "medhub.clinical.v1.PatientService/GetPatient"
_AUTH = "medhub.auth.v1.AuthService"
_ACCOUNTS = "medhub.auth.v1.ServiceAccountService"
_GRANTS = "medhub.auth.v1.AccessGrantService"
_MEMBERSHIPS = "medhub.auth.v1.MembershipService"
_AUDIT = "medhub.compliance.v1.AuditService"

ELSEWHERE = {
    "CANCELLED": "Its caller has gone and reads nothing: tests/wire/core/test_faults.py",
    "NOT_SERVED": "Only the edge says it: tests/e2e/edge/test_routes.py",
    "TOO_MANY_INVITATIONS": "Only where mail leaves: tests/storage/auth/test_invitations_again.py",
}


def case(reason: str) -> Callable[[Case], Case]:
    """Declare how a reason comes about."""

    def declare(made: Case) -> Case:
        CASES[reason] = made
        return made

    return declare


async def ask(world: World, method: str, request: Message, meta: Metadata, token: str) -> Outcome:
    """Call with a token and further metadata."""
    return await world.invoke(method, request, (*bearer(token), *meta) if token else meta)


async def get(world: World, meta: Metadata, token: str = "") -> Outcome:
    """Read alpha's patient."""
    request = patients.GetPatientRequest(name=world.alpha.patient)
    return await ask(world, GET, request, meta, token or world.alpha.whole)


@case("INVALID_FIELD")
async def _(world: World, meta: Metadata) -> Outcome:
    request = patients.GetPatientRequest(name="patients/of my heart")
    return await ask(world, GET, request, meta, world.alpha.whole)


@case("MALFORMED_REQUEST")
async def _(world: World, meta: Metadata) -> Outcome:
    go: Any = world.platform.channel("clinical").unary_unary(f"/{GET}")
    try:
        await go(b"\x0a\xff", metadata=(*bearer(world.alpha.whole), *meta), timeout=60)
    except grpc.aio.AioRpcError as error:
        return refused_by(error)
    return Outcome(grpc.StatusCode.OK)


@case("REQUEST_TOO_LARGE")
async def _(world: World, meta: Metadata) -> Outcome:
    request = hl7.IngestMessageRequest(message=bytes(MAX_MESSAGE_BYTES))
    method = "medhub.clinical.v1.Hl7V2Service/IngestMessage"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("NOT_FOUND")
async def _(world: World, meta: Metadata) -> Outcome:
    return await get(world, meta, world.beta.whole)


@case("ETAG_MISMATCH")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await suspend_membership(world.alpha)
    request.etag = "99"
    method = f"{_MEMBERSHIPS}/SuspendMembership"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("REQUEST_ID_REUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    method = "medhub.auth.v1.RoleService/CreateRole"
    first, other = await create_role(world.alpha), await create_role(world.alpha)
    await world.alpha.do(method, first)
    other.request_id = first.request_id
    return await ask(world, method, other, meta, world.alpha.whole)


@case("UNAUTHENTICATED")
async def _(world: World, meta: Metadata) -> Outcome:
    return await get(world, meta, world.revoked)


@case("PERMISSION_DENIED")
async def _(world: World, meta: Metadata) -> Outcome:
    return await get(world, meta, world.alpha.lacking["clinical.patients.read"])


@case("ORGANIZATION_REQUIRED")
async def _(world: World, meta: Metadata) -> Outcome:
    return await get(world, meta, world.homeless)


@case("STEP_UP_REQUIRED")
async def _(world: World, meta: Metadata) -> Outcome:
    stronger = replace(world.seam.methods[GET], level=3, max_age=60.0)
    with world.seam.serving(GET, stronger):
        return await get(world, meta)


@case("AUTH_UNAVAILABLE")
async def _(world: World, meta: Metadata) -> Outcome:
    method = f"{_AUTH}/ListMyOrganizations"
    truth = Aged(world.seam.truth(method))
    truth.age(3600.0)
    with world.seam.serving(method, truth=truth):
        return await ask(world, method, auth.ListMyOrganizationsRequest(), meta, world.alpha.whole)


async def _faulty(_request: Message) -> NoReturn:
    raise ValueError("what nobody may read")


async def _slow(_request: Message) -> None:
    await asyncio.sleep(60)


async def _without_database(_request: Message) -> NoReturn:
    raise Unavailable(retry_after=0.1)


async def _full(_request: Message) -> NoReturn:
    raise Overloaded(retry_after=0.1)


@case("INTERNAL")
async def _(world: World, meta: Metadata) -> Outcome:
    with world.seam.serving(GET, run=_faulty):
        return await get(world, meta)


@case("DEADLINE_EXCEEDED")
async def _(world: World, meta: Metadata) -> Outcome:
    impatient = replace(world.seam.methods[GET], deadline=0.05)
    with world.seam.serving(GET, impatient, run=_slow):
        return await get(world, meta)


@case("UNAVAILABLE")
async def _(world: World, meta: Metadata) -> Outcome:
    with world.seam.serving(GET, run=_without_database):
        return await get(world, meta)


@case("OVERLOADED")
async def _(world: World, meta: Metadata) -> Outcome:
    with world.seam.serving(GET, run=_full):
        return await get(world, meta)


@case("INVALID_CREDENTIALS")
async def _(world: World, meta: Metadata) -> Outcome:
    request = auth.LoginRequest(email="nobody@alpha.example", password=PASSWORD)
    return await ask(world, f"{_AUTH}/Login", request, meta, "")


@case("NOT_A_MEMBER")
async def _(world: World, meta: Metadata) -> Outcome:
    request = auth.LoginRequest(
        email=world.alpha.email("nurse"), password=PASSWORD, organization=world.beta.name
    )
    return await ask(world, f"{_AUTH}/Login", request, meta, "")


@case("REFRESH_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = auth.RefreshTokenRequest(refresh_token=secrets.token_urlsafe(32))
    return await ask(world, f"{_AUTH}/RefreshToken", request, meta, "")


@case("TOKEN_INVALID")
async def _(world: World, meta: Metadata) -> Outcome:
    request = auth.ValidateTokenRequest(token=world.expired(world.alpha.whole))
    return await ask(world, f"{_AUTH}/ValidateToken", request, meta, "")


@case("ASSERTION_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = auth.IssueServiceTokenRequest(assertion="none.at.all")
    return await ask(world, f"{_AUTH}/IssueServiceToken", request, meta, "")


@case("ALREADY_A_MEMBER")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await create_membership(world.alpha)
    request.membership.email = world.alpha.email("nurse")
    method = f"{_MEMBERSHIPS}/CreateMembership"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("ROLE_EXISTS")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await create_role(world.alpha)
    request.role_id = "doctor"
    method = "medhub.auth.v1.RoleService/CreateRole"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("ROLE_BUILT_IN")
async def _(world: World, meta: Metadata) -> Outcome:
    request = roles.DeleteRoleRequest(name="roles/doctor", etag="1")
    method = "medhub.auth.v1.RoleService/DeleteRole"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("ROLE_HELD")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await delete_role(world.alpha)
    invited = await create_membership(world.alpha)
    invited.membership.roles[:] = [request.name.removeprefix("roles/")]
    await world.alpha.do(f"{_MEMBERSHIPS}/CreateMembership", invited)
    method = "medhub.auth.v1.RoleService/DeleteRole"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("ORGANIZATION_CREATION_CLOSED")
async def _(world: World, meta: Metadata) -> Outcome:
    # To a program it is closed everywhere.
    made = await world.alpha.do(
        "medhub.auth.v1.AuthService/IssueServiceToken", await issue_service_token(world.alpha)
    )
    request = await create_organization(world.alpha)
    method = "medhub.auth.v1.OrganizationService/CreateOrganization"
    return await ask(world, method, request, meta, made.access_token)


@case("NOT_INVITED")
async def _(world: World, meta: Metadata) -> Outcome:
    accepted = await remove_membership(world.alpha)
    request = memberships.ResendInvitationRequest(name=accepted.name, etag=accepted.etag)
    method = f"{_MEMBERSHIPS}/ResendInvitation"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("ESCALATION_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    permission = "clinical.patients.delete"
    role = role_pb2.Role(display_name="More than mine", permissions=[permission])
    request = roles.CreateRoleRequest(role_id=f"r{secrets.token_hex(6)}", role=role)
    method = "medhub.auth.v1.RoleService/CreateRole"
    return await ask(world, method, request, meta, world.alpha.lacking[permission])


@case("LAST_ADMINISTRATOR")
async def _(world: World, meta: Metadata) -> Outcome:
    name = f"gamma{secrets.token_hex(3)}"
    await world.platform.tenant(name, {"alone": ["administrator"]})
    token = await world.platform.login(f"alone@{name}.example")
    listed = await world.invoke(
        f"{_MEMBERSHIPS}/ListMemberships", memberships.ListMembershipsRequest(), bearer(token)
    )
    [alone] = listed.response.memberships
    request = memberships.SuspendMembershipRequest(name=alone.name, etag=alone.etag)
    return await ask(world, f"{_MEMBERSHIPS}/SuspendMembership", request, meta, token)


@case("ACTIVATION_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = auth.ActivateAccountRequest(
        activation_token=secrets.token_urlsafe(32), password=PASSWORD
    )
    return await ask(world, f"{_AUTH}/ActivateAccount", request, meta, "")


@case("PASSWORD_TOO_COMMON")
async def _(world: World, meta: Metadata) -> Outcome:
    request = auth.ActivateAccountRequest(
        activation_token=secrets.token_urlsafe(32), password="password1234567"
    )
    return await ask(world, f"{_AUTH}/ActivateAccount", request, meta, "")


@case("REVISION_OUT_OF_RANGE")
async def _(world: World, meta: Metadata) -> Outcome:
    request = state.WatchRequest(from_revision=10**12)
    return await ask(world, "medhub.auth.v1.AuthStateService/Watch", request, meta, world.server)


@case("TREE_SIZE_BEYOND_LOG")
async def _(world: World, meta: Metadata) -> Outcome:
    request = audit.GetConsistencyProofRequest(from_size=1, to_size=10**9)
    return await ask(world, f"{_AUDIT}/GetConsistencyProof", request, meta, world.alpha.whole)


@case("LEAF_INDEX_BEYOND_TREE")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await get_inclusion_proof(world.alpha)
    request.tree_size = 1
    return await ask(world, f"{_AUDIT}/GetInclusionProof", request, meta, world.alpha.whole)


@case("CONSISTENCY_FROM_EMPTY_TREE")
async def _(world: World, meta: Metadata) -> Outcome:
    request = audit.GetConsistencyProofRequest(from_size=0)
    return await ask(world, f"{_AUDIT}/GetConsistencyProof", request, meta, world.alpha.whole)


@case("EVENT_CONFLICT")
async def _(world: World, meta: Metadata) -> Outcome:
    clear = clear_part(new_id(), 1)
    method = f"{_AUDIT}/AppendEvents"
    known = audit.AppendEventsRequest(source="clinical", events=[sealed_event(clear)])
    await ask(world, method, known, meta, world.server)
    clear.purpose = "research"
    request = audit.AppendEventsRequest(source="clinical", events=[sealed_event(clear)])
    return await ask(world, method, request, meta, world.server)


@case("SOURCE_NOT_YOURS")
async def _(world: World, meta: Metadata) -> Outcome:
    method = f"{_AUDIT}/AppendEvents"
    request = audit.AppendEventsRequest(source="clinical", events=events(new_id(), [1]))
    return await ask(world, method, request, meta, world.other_server)


@case("ACCESS_PACKAGE_NOT_READY")
async def _(world: World, meta: Metadata) -> Outcome:
    service = "medhub.compliance.v1.DataSubjectRequestService"
    nobody = access_request_pb2.AccessRequest(patient=f"patients/{new_id()}")
    create = requests.CreateAccessRequestRequest(access_request=nobody)
    made = await world.alpha.do(f"{service}/CreateAccessRequest", create)
    request = requests.GetAccessPackageRequest(name=made.name)
    return await ask(world, f"{service}/GetAccessPackage", request, meta, world.alpha.whole)


@case("KEY_DESTROYED")
async def _(world: World, meta: Metadata) -> Outcome:
    organization, person = new_id(), f"patients/{new_id()}"
    wanted = keys.KeyWanted(
        organization_id=str(organization), subject=person, retention_class=AUDIT, month="2026-11"
    )
    request, method = keys.ProvisionKeysRequest(keys=[wanted]), "medhub.compliance.v1.KeyService"
    await ask(world, f"{method}/ProvisionKeys", request, meta, world.server)
    caller = identity.Caller(kind=identity.Kind.SERVICE, subject=new_id())
    identity.enter(identity.Call(method="medhub.test/Forget", caller=caller))
    home = world.platform.home
    keyring = Keyring.open(home / "compliance.keyring", KeyFile(home / "compliance.keyring-key"))
    async with (
        world.platform.databases["compliance"].open() as db,
        Store(db, keyring).begin_for(organization) as tx,
    ):
        await tx.keys.destroy_subject_key(person, AUDIT, at=clock.now())
    return await ask(world, f"{method}/ProvisionKeys", request, meta, world.server)


@case("TOO_MANY_KEYS")
async def _(world: World, meta: Metadata) -> Outcome:
    method = f"{_ACCOUNTS}/AddServiceAccountKey"
    request = await add_service_account_key(world.alpha)
    for _ in range(4):
        request.etag = (await world.alpha.do(method, request)).etag
        request.key.public_key = public_key()
    return await ask(world, method, request, meta, world.alpha.whole)


@case("LAST_KEY")
async def _(world: World, meta: Metadata) -> Outcome:
    method = f"{_ACCOUNTS}/RemoveServiceAccountKey"
    request = await remove_service_account_key(world.alpha)
    left = await world.alpha.do(method, request)
    request.key_id, request.etag = left.keys[0].id, left.etag
    return await ask(world, method, request, meta, world.alpha.whole)

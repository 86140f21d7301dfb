"""Requests to auth."""

import base64
import secrets
import time

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.field_mask_pb2 import FieldMask

from core.ids import name_of
from medhub.auth.v1 import (
    auth_pb2,
    membership_pb2,
    organization_pb2,
    role_pb2,
    service_account_pb2,
)
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import auth_state_service_pb2 as state
from medhub.auth.v1 import key_service_pb2 as keys
from medhub.auth.v1 import membership_service_pb2 as memberships
from medhub.auth.v1 import organization_service_pb2 as organizations
from medhub.auth.v1 import role_service_pb2 as roles
from medhub.auth.v1 import service_account_service_pb2 as accounts
from medhub.auth.v1 import session_service_pb2 as sessions
from tests.support.matrix_requests import Ask, asks, fresh
from tests.support.matrix_world import Side
from tests.support.platform import PASSWORD
from tests.support.tokens import public_key

_AUTH = "medhub.auth.v1.AuthService"
_STATE = "medhub.auth.v1.AuthStateService"
_KEYS = "medhub.auth.v1.KeyService"
_MEMBERSHIPS = "medhub.auth.v1.MembershipService"
_ORGANIZATIONS = "medhub.auth.v1.OrganizationService"
_ROLES = "medhub.auth.v1.RoleService"
_ACCOUNTS = "medhub.auth.v1.ServiceAccountService"
_GRANTS = "medhub.auth.v1.AccessGrantService"
_SESSIONS = "medhub.auth.v1.SessionService"
NEW_PASSWORD = "un-heron-cendre-au-bord-9"


def _invitation(*roles: str) -> memberships.CreateMembershipRequest:
    email = f"{secrets.token_hex(6)}@matrix.example"
    member = membership_pb2.Membership(email=email, display_name="Someone", roles=roles)
    return memberships.CreateMembershipRequest(membership=member, request_id=fresh())


async def _member(side: Side, *roles: str) -> membership_pb2.Membership:
    made: membership_pb2.Membership = await side.do(
        f"{_MEMBERSHIPS}/CreateMembership", _invitation(*roles)
    )
    return made


async def _accepted(side: Side, *roles: str) -> membership_pb2.Membership:
    invited = await _member(side, *roles)
    request = auth.ActivateAccountRequest(
        activation_token=invited.activation_token, password=NEW_PASSWORD
    )
    await side.do(f"{_AUTH}/ActivateAccount", request)
    # By the list: GetMembership itself may be the method that a mutation has weakened.
    token = ""
    while True:
        page = await side.do(
            f"{_MEMBERSHIPS}/ListMemberships",
            memberships.ListMembershipsRequest(page_size=200, page_token=token),
        )
        for held in page.memberships:
            if held.name == invited.name:
                found: membership_pb2.Membership = held
                return found
        token = page.next_page_token
        assert token, "the membership is not listed"


@asks(f"{_AUTH}/AcceptMembership")
async def accept_membership(side: Side) -> Ask:
    elsewhere = f"guest{secrets.token_hex(6)}"
    await side.world.platform.tenant(elsewhere, {"guest": ["nurse"]})
    request = _invitation("nurse")
    request.membership.email = f"guest@{elsewhere}.example"
    invited = await side.do(f"{_MEMBERSHIPS}/CreateMembership", request)
    return Ask(
        auth.AcceptMembershipRequest(activation_token=invited.activation_token),
        await side.world.platform.login(request.membership.email),
    )


@asks(f"{_AUTH}/ActivateAccount")
async def activate_account(side: Side) -> auth.ActivateAccountRequest:
    invited = await _member(side)
    return auth.ActivateAccountRequest(
        activation_token=invited.activation_token, password=NEW_PASSWORD
    )


@asks(f"{_AUTH}/Authorize")
async def authorize(side: Side) -> auth.AuthorizeRequest:
    return auth.AuthorizeRequest(resource="clinical.patients", action="read")


@asks(f"{_AUTH}/BatchAuthorize")
async def batch_authorize(side: Side) -> auth.BatchAuthorizeRequest:
    question = auth_pb2.AccessQuestion(resource="clinical.patients", action="read")
    return auth.BatchAuthorizeRequest(questions=[question])


@asks(f"{_AUTH}/ExchangeToken")
async def exchange_token(side: Side) -> auth.ExchangeTokenRequest:
    return auth.ExchangeTokenRequest(subject_token=side.whole, audience="compliance")


@asks(f"{_AUTH}/GetPermissions")
async def get_permissions(side: Side) -> auth.GetPermissionsRequest:
    return auth.GetPermissionsRequest()


@asks(f"{_AUTH}/IssueServiceToken")
async def issue_service_token(side: Side) -> auth.IssueServiceTokenRequest:
    private = Ed25519PrivateKey.generate()
    account = service_account_pb2.ServiceAccount(
        display_name="Program", public_key=private.public_key().public_bytes_raw()
    )
    made = await side.do(
        f"{_ACCOUNTS}/CreateServiceAccount",
        accounts.CreateServiceAccountRequest(service_account=account),
    )
    return auth.IssueServiceTokenRequest(assertion=assertion(made.name, private))


def assertion(account: str, private: Ed25519PrivateKey) -> str:
    """What a service account signs to get a token."""
    claims = {
        "iss": account, "sub": account, "aud": "medhub", "exp": int(time.time()) + 60,
        "jti": secrets.token_hex(8),
    }  # fmt: skip
    return jwt.encode(claims, private, algorithm="EdDSA")


@asks(f"{_AUTH}/ListMyOrganizations")
async def list_my_organizations(side: Side) -> auth.ListMyOrganizationsRequest:
    return auth.ListMyOrganizationsRequest()


@asks(f"{_AUTH}/Login")
async def login(side: Side) -> auth.LoginRequest:
    return auth.LoginRequest(email=side.email("nurse"), password=PASSWORD, organization=side.name)


@asks(f"{_AUTH}/Logout")
async def logout(side: Side) -> Ask:
    session = await side.log_in("administrator")
    return Ask(auth.LogoutRequest(), session.access_token)


@asks(f"{_AUTH}/RefreshToken")
async def refresh_token(side: Side) -> auth.RefreshTokenRequest:
    session = await side.log_in("administrator")
    return auth.RefreshTokenRequest(refresh_token=session.refresh_token, request_id=fresh())


@asks(f"{_AUTH}/SwitchOrganization")
async def switch_organization(side: Side) -> Ask:
    session = await side.log_in("administrator")
    return Ask(auth.SwitchOrganizationRequest(organization=side.name), session.access_token)


@asks(f"{_AUTH}/ValidateToken")
async def validate_token(side: Side) -> auth.ValidateTokenRequest:
    return auth.ValidateTokenRequest(token=side.whole)


@asks(f"{_STATE}/ResolvePrincipal")
async def resolve_principal(side: Side) -> state.ResolvePrincipalRequest:
    return state.ResolvePrincipalRequest(access_token=side.whole)


@asks(f"{_STATE}/Watch")
async def watch(side: Side) -> state.WatchRequest:
    return state.WatchRequest(probe=1)


@asks(f"{_KEYS}/GetKeySet")
async def get_key_set(side: Side) -> keys.GetKeySetRequest:
    return keys.GetKeySetRequest()


@asks(f"{_MEMBERSHIPS}/CreateMembership")
async def create_membership(side: Side) -> memberships.CreateMembershipRequest:
    return _invitation("nurse")


@asks(f"{_MEMBERSHIPS}/GetMembership")
async def get_membership(side: Side) -> memberships.GetMembershipRequest:
    return memberships.GetMembershipRequest(name=(await _accepted(side)).name)


@asks(f"{_MEMBERSHIPS}/ListMemberships")
async def list_memberships(side: Side) -> memberships.ListMembershipsRequest:
    return memberships.ListMembershipsRequest()


@asks(f"{_MEMBERSHIPS}/ReactivateMembership")
async def reactivate_membership(side: Side) -> memberships.ReactivateMembershipRequest:
    request = await suspend_membership(side)
    suspended = await side.do(f"{_MEMBERSHIPS}/SuspendMembership", request)
    return memberships.ReactivateMembershipRequest(name=request.name, etag=suspended.etag)


@asks(f"{_MEMBERSHIPS}/SetMembershipRoles")
async def set_membership_roles(side: Side) -> memberships.SetMembershipRolesRequest:
    member = await _accepted(side)
    return memberships.SetMembershipRolesRequest(
        name=member.name, roles=["nurse"], etag=member.etag
    )


@asks(f"{_MEMBERSHIPS}/SetMembershipBindings")
async def set_membership_bindings(side: Side) -> memberships.SetMembershipBindingsRequest:
    member = await _accepted(side)
    binding = membership_pb2.RoleBinding(role="nurse")
    binding.end_time.FromSeconds(int(time.time()) + 3600)
    return memberships.SetMembershipBindingsRequest(
        name=member.name, bindings=[binding], etag=member.etag
    )


@asks(f"{_MEMBERSHIPS}/SuspendMembership")
async def suspend_membership(side: Side) -> memberships.SuspendMembershipRequest:
    member = await _accepted(side)
    return memberships.SuspendMembershipRequest(name=member.name, etag=member.etag)


@asks(f"{_MEMBERSHIPS}/ResendInvitation")
async def resend_invitation(side: Side) -> memberships.ResendInvitationRequest:
    invited = await _member(side, "nurse")
    return memberships.ResendInvitationRequest(name=invited.name, etag=invited.etag)


@asks(f"{_MEMBERSHIPS}/RevokeInvitation")
async def revoke_invitation(side: Side) -> memberships.RevokeInvitationRequest:
    invited = await _member(side, "nurse")
    return memberships.RevokeInvitationRequest(name=invited.name, etag=invited.etag)


@asks(f"{_MEMBERSHIPS}/RemoveMembership")
async def remove_membership(side: Side) -> memberships.RemoveMembershipRequest:
    member = await _accepted(side)
    return memberships.RemoveMembershipRequest(name=member.name, etag=member.etag)


@asks(f"{_ORGANIZATIONS}/CreateOrganization")
async def create_organization(side: Side) -> organizations.CreateOrganizationRequest:
    made = organization_pb2.Organization(display_name=f"Founded {secrets.token_hex(6)}")
    return organizations.CreateOrganizationRequest(
        organization=made, founder_display_name="Founder", request_id=fresh()
    )


async def _settings(side: Side) -> organization_pb2.OrganizationSettings:
    request = organizations.GetOrganizationSettingsRequest(name=f"{side.name}/settings")
    held: organization_pb2.OrganizationSettings = await side.do(
        f"{_ORGANIZATIONS}/GetOrganizationSettings", request
    )
    return held


@asks(f"{_ORGANIZATIONS}/UpdateOrganization")
async def update_organization(side: Side) -> organizations.UpdateOrganizationRequest:
    # Its settings have the same etag, and GetOrganization may be what a mutation has weakened.
    renamed = organization_pb2.Organization(
        name=side.name, display_name=side.word, etag=(await _settings(side)).etag
    )
    return organizations.UpdateOrganizationRequest(
        organization=renamed, update_mask=FieldMask(paths=["display_name"])
    )


@asks(f"{_ORGANIZATIONS}/GetOrganizationSettings")
async def get_organization_settings(
    side: Side,
) -> organizations.GetOrganizationSettingsRequest:
    return organizations.GetOrganizationSettingsRequest(name=f"{side.name}/settings")


@asks(f"{_ORGANIZATIONS}/UpdateOrganizationSettings")
async def update_organization_settings(
    side: Side,
) -> organizations.UpdateOrganizationSettingsRequest:
    request = organizations.GetOrganizationRequest(name=side.name)
    held = await side.do(f"{_ORGANIZATIONS}/GetOrganization", request)
    wanted = organization_pb2.OrganizationSettings(
        name=f"{side.name}/settings", registration_domains=["matrix.example"], etag=held.etag
    )
    return organizations.UpdateOrganizationSettingsRequest(
        settings=wanted, update_mask=FieldMask(paths=["registration_domains"])
    )


@asks(f"{_ORGANIZATIONS}/GetOrganizationDashboard")
async def get_organization_dashboard(
    side: Side,
) -> organizations.GetOrganizationDashboardRequest:
    return organizations.GetOrganizationDashboardRequest(name=f"{side.name}/dashboard")


@asks(f"{_ORGANIZATIONS}/GetOrganization")
async def get_organization(side: Side) -> organizations.GetOrganizationRequest:
    return organizations.GetOrganizationRequest(name=side.name)


@asks(f"{_ROLES}/CreateRole")
async def create_role(side: Side) -> roles.CreateRoleRequest:
    role = role_pb2.Role(display_name="Reader", permissions=["clinical.patients.read"])
    role_id = f"r{secrets.token_hex(6)}"
    return roles.CreateRoleRequest(role_id=role_id, role=role, request_id=fresh())


async def _role(side: Side) -> role_pb2.Role:
    made: role_pb2.Role = await side.do(f"{_ROLES}/CreateRole", await create_role(side))
    return made


@asks(f"{_ROLES}/GetRole")
async def get_role(side: Side) -> roles.GetRoleRequest:
    return roles.GetRoleRequest(name=(await _role(side)).name)


@asks(f"{_ROLES}/UpdateRole")
async def update_role(side: Side) -> roles.UpdateRoleRequest:
    role = await _role(side)
    role.display_name = "Renamed"
    return roles.UpdateRoleRequest(role=role, update_mask=FieldMask(paths=["display_name"]))


@asks(f"{_ROLES}/DeleteRole")
async def delete_role(side: Side) -> roles.DeleteRoleRequest:
    role = await _role(side)
    return roles.DeleteRoleRequest(name=role.name, etag=role.etag)


@asks(f"{_ROLES}/ListPermissions")
async def list_permissions(side: Side) -> roles.ListPermissionsRequest:
    return roles.ListPermissionsRequest()


@asks(f"{_ROLES}/ListRoles")
async def list_roles(side: Side) -> roles.ListRolesRequest:
    return roles.ListRolesRequest()


@asks(f"{_ACCOUNTS}/CreateServiceAccount")
async def create_service_account(side: Side) -> accounts.CreateServiceAccountRequest:
    account = service_account_pb2.ServiceAccount(
        display_name=base64.b32encode(secrets.token_bytes(5)).decode(),
        public_key=public_key(),
        roles=["integration"],
    )
    return accounts.CreateServiceAccountRequest(service_account=account, request_id=fresh())


@asks(f"{_ACCOUNTS}/DisableServiceAccount")
async def disable_service_account(side: Side) -> accounts.DisableServiceAccountRequest:
    account = await side.new_account()
    return accounts.DisableServiceAccountRequest(name=account.name, etag=account.etag)


@asks(f"{_ACCOUNTS}/GetServiceAccount")
async def get_service_account(side: Side) -> accounts.GetServiceAccountRequest:
    return accounts.GetServiceAccountRequest(name=side.account)


@asks(f"{_ACCOUNTS}/SetServiceAccountRoles")
async def set_service_account_roles(side: Side) -> accounts.SetServiceAccountRolesRequest:
    made = await side.new_account()
    return accounts.SetServiceAccountRolesRequest(
        name=made.name, roles=["integration"], etag=made.etag
    )


@asks(f"{_ACCOUNTS}/AddServiceAccountKey")
async def add_service_account_key(side: Side) -> accounts.AddServiceAccountKeyRequest:
    made = await side.new_account()
    key = service_account_pb2.ServiceAccountKey(public_key=public_key())
    return accounts.AddServiceAccountKeyRequest(name=made.name, key=key, etag=made.etag)


@asks(f"{_ACCOUNTS}/RemoveServiceAccountKey")
async def remove_service_account_key(side: Side) -> accounts.RemoveServiceAccountKeyRequest:
    added = await add_service_account_key(side)
    held = await side.do(f"{_ACCOUNTS}/AddServiceAccountKey", added)
    return accounts.RemoveServiceAccountKeyRequest(
        name=held.name, key_id=held.keys[0].id, etag=held.etag
    )


@asks(f"{_ACCOUNTS}/ListServiceAccounts")
async def list_service_accounts(side: Side) -> accounts.ListServiceAccountsRequest:
    return accounts.ListServiceAccountsRequest()


@asks(f"{_SESSIONS}/RevokeAllSessions")
async def revoke_all_sessions(side: Side) -> Ask:
    name = f"everywhere{secrets.token_hex(6)}"
    await side.world.platform.tenant(name, {"nurse": ["nurse"]})
    token = await side.world.platform.login(f"nurse@{name}.example")
    return Ask(sessions.RevokeAllSessionsRequest(), token)


@asks(f"{_SESSIONS}/RevokeMemberSessions")
async def revoke_member_sessions(side: Side) -> sessions.RevokeMemberSessionsRequest:
    return sessions.RevokeMemberSessionsRequest(name=(await _accepted(side)).name)


@asks(f"{_SESSIONS}/RevokeOrganizationSessions")
async def revoke_organization_sessions(side: Side) -> Ask:
    # Of an organization of its own: the callers of the others are still needed.
    name = f"everybody{secrets.token_hex(6)}"
    await side.world.platform.tenant(name, {"head": ["administrator"]})
    token = await side.world.platform.login(f"head@{name}.example")
    return Ask(sessions.RevokeOrganizationSessionsRequest(), token)


@asks(f"{_SESSIONS}/ListSessions")
async def list_sessions(side: Side) -> sessions.ListSessionsRequest:
    return sessions.ListSessionsRequest()


@asks(f"{_SESSIONS}/RevokeSession")
async def revoke_session(side: Side) -> sessions.RevokeSessionRequest:
    session = side.world.claims((await side.log_in("administrator")).access_token).session
    assert session is not None
    return sessions.RevokeSessionRequest(name=name_of("sessions", session))

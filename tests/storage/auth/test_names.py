"""What callers give names to: each name is one line that reads as it is written."""

from collections.abc import Awaitable, Callable

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from auth.openid_client import Reach
from auth.sealing import Sealing
from auth.servicers.identity_providers import IdentityProviders
from auth.servicers.organizations import Organizations
from core.database.pages import PageTokens
from core.errors import InvalidField
from medhub.auth.v1 import (
    factor_service_pb2,
    identity_provider_pb2,
    identity_provider_service_pb2,
    membership_pb2,
    membership_service_pb2,
    organization_pb2,
    organization_service_pb2,
    role_pb2,
    role_service_pb2,
    service_account_pb2,
    service_account_service_pb2,
)
from tests.support.credentials import Auth, Clinic
from tests.support.postgres import PAGE_KEY
from tests.support.tokens import public_key

BAD = ["Parc\r\nYour code is 1", "Parc\u202edehtorB", "Par\u200bc", "Parc\0", "Parc\u2066"]

Naming = Callable[[Auth, Clinic, str], Awaitable[object]]


async def _founds(auth: Auth, _: Clinic, name: str) -> object:
    made = organization_pb2.Organization(display_name=name)
    request = organization_service_pb2.CreateOrganizationRequest(
        organization=made, founder_display_name="Dr. Ada Blanc"
    )
    return await Organizations(auth.store, auth.signer, founding=True).CreateOrganization(request)


async def _founds_as(auth: Auth, _: Clinic, name: str) -> object:
    made = organization_pb2.Organization(display_name="Cabinet")
    request = organization_service_pb2.CreateOrganizationRequest(
        organization=made, founder_display_name=name
    )
    return await Organizations(auth.store, auth.signer, founding=True).CreateOrganization(request)


async def _renames(auth: Auth, clinic: Clinic, name: str) -> object:
    changed = organization_pb2.Organization(
        name=f"organizations/{clinic.organization}", display_name=name, etag="1"
    )
    return await auth.organizations.UpdateOrganization(
        organization_service_pb2.UpdateOrganizationRequest(
            organization=changed, update_mask=FieldMask(paths=["display_name"])
        )
    )


async def _defines_a_role(auth: Auth, _: Clinic, name: str) -> object:
    return await auth.roles.CreateRole(
        role_service_pb2.CreateRoleRequest(role_id="desk", role=role_pb2.Role(display_name=name))
    )


async def _renames_a_role(auth: Auth, clinic: Clinic, name: str) -> object:
    await _defines_a_role(auth, clinic, "Desk")
    return await auth.roles.UpdateRole(
        role_service_pb2.UpdateRoleRequest(
            role=role_pb2.Role(name="roles/desk", display_name=name, etag="1"),
            update_mask=FieldMask(paths=["display_name"]),
        )
    )


async def _registers_a_program(auth: Auth, _: Clinic, name: str) -> object:
    made = service_account_pb2.ServiceAccount(display_name=name, public_key=public_key())
    return await auth.service_accounts.CreateServiceAccount(
        service_account_service_pb2.CreateServiceAccountRequest(service_account=made)
    )


async def _trusts_a_provider(auth: Auth, _: Clinic, name: str) -> object:
    providers = IdentityProviders(
        auth.store, PageTokens(PAGE_KEY), Sealing(auth.signer, "of tests"), Reach()
    )
    made = identity_provider_pb2.IdentityProvider(
        display_name=name,
        issuer="https://login.parc.test",
        client_id="medhub",
        redirect_uris=["https://parc.test/back"],
        provisioning=identity_provider_pb2.PROVISIONING_INVITED,
    )
    return await providers.CreateIdentityProvider(
        identity_provider_service_pb2.CreateIdentityProviderRequest(identity_provider=made)
    )


async def _invites(auth: Auth, _: Clinic, name: str) -> object:
    made = membership_pb2.Membership(email="zoe@parc.test", display_name=name, roles=["nurse"])
    return await auth.memberships.CreateMembership(
        membership_service_pb2.CreateMembershipRequest(membership=made)
    )


async def _adds_a_factor(auth: Auth, _: Clinic, name: str) -> object:
    return await auth.factors.BeginTotpEnrolment(
        factor_service_pb2.BeginTotpEnrolmentRequest(display_name=name)
    )


@pytest.mark.parametrize(
    "names",
    [
        _founds,
        _founds_as,
        _renames,
        _defines_a_role,
        _renames_a_role,
        _registers_a_program,
        _trusts_a_provider,
        _invites,
        _adds_a_factor,
    ],
)
async def test_a_name_is_one_line_that_reads_as_it_is_written(auth: Auth, names: Naming) -> None:
    """Breaks, turns of direction and unseen spaces are refused; other scripts are not."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)

    for bad in BAD:
        with pytest.raises(InvalidField) as refused:
            await names(auth, clinic, bad)
        assert [each.rule for each in refused.value.violations] == ["no_controls"]
        auth.rewrite("DELETE FROM role")

    await names(auth, clinic, "Clínica d'Été 医院 مستشفى")

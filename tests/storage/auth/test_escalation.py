"""Nobody comes to more than they hold, by whatever else gives a role or a way to act by one."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth.domain.refusals import EscalationRefused
from auth.openid_client import Reach
from auth.sealing import Sealing
from auth.servicers.identity_providers import IdentityProviders
from core.database.pages import PageTokens
from core.ids import name_of
from medhub.auth.v1 import (
    identity_provider_pb2,
    membership_service_pb2,
    organization_pb2,
    organization_service_pb2,
    service_account_pb2,
    service_account_service_pb2,
)
from medhub.auth.v1 import identity_provider_service_pb2 as wire
from tests.support.credentials import Auth, Clinic
from tests.support.postgres import PAGE_KEY


async def _auditor(auth: Auth, clinic: Clinic) -> UUID:
    """Somebody who holds little, and calls from now on."""
    user = await auth.user(clinic.organization, "lead@parc.test", "auditor")
    await auth.act((await auth.log_in("lead@parc.test")).access_token)
    return user


async def test_whoever_adds_a_key_holds_what_the_account_holds(auth: Auth) -> None:
    """With a key of their own they act as it."""
    clinic = await auth.clinic()
    account, _ = await auth.service(clinic.organization, "administrator")
    await _auditor(auth, clinic)
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    key = service_account_pb2.ServiceAccountKey(public_key=public)
    asked = service_account_service_pb2.AddServiceAccountKeyRequest(
        name=name_of("serviceAccounts", account), key=key, etag="1"
    )

    with pytest.raises(EscalationRefused):
        await auth.service_accounts.AddServiceAccountKey(asked)

    await auth.act_as_administrator(clinic)
    assert len((await auth.service_accounts.AddServiceAccountKey(asked)).keys) == 2


async def test_whoever_lets_a_member_in_again_holds_what_the_member_held(auth: Auth) -> None:
    """The roles come back with the membership."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "second@parc.test", "administrator")
    await auth.act_as_administrator(clinic)
    listed = await auth.memberships.ListMemberships(membership_service_pb2.ListMembershipsRequest())
    second = next(one for one in listed.memberships if one.email == "second@parc.test")
    held = await auth.memberships.SuspendMembership(
        membership_service_pb2.SuspendMembershipRequest(name=second.name, etag=second.etag)
    )
    asked = membership_service_pb2.ReactivateMembershipRequest(name=held.name, etag=held.etag)
    await _auditor(auth, clinic)

    with pytest.raises(EscalationRefused):
        await auth.memberships.ReactivateMembership(asked)

    await auth.act_as_administrator(clinic)
    again = await auth.memberships.ReactivateMembership(asked)
    assert list(again.roles) == ["administrator"]


async def test_whoever_lets_more_people_join_holds_what_they_get(auth: Auth) -> None:
    """Another domain is another set of people; to close the door is anybody's who may decide."""
    clinic = await auth.clinic()
    name = f"organizations/{clinic.organization}/settings"

    async def decide(**wanted: object) -> organization_pb2.OrganizationSettings:
        held = await auth.organizations.GetOrganizationSettings(
            organization_service_pb2.GetOrganizationSettingsRequest(name=name)
        )
        settings = organization_pb2.OrganizationSettings(name=name, etag=held.etag, **wanted)  # type: ignore[arg-type]  # by name
        request = organization_service_pb2.UpdateOrganizationSettingsRequest(settings=settings)
        request.update_mask.paths.extend(wanted)
        return await auth.organizations.UpdateOrganizationSettings(request)

    await auth.act_as_administrator(clinic)
    await decide(registration_domains=["parc.test"], registration_roles=["nurse"])
    await _auditor(auth, clinic)
    with pytest.raises(EscalationRefused):
        await decide(self_registration=True)
    await decide(registration_domains=["elsewhere.test"])

    await auth.act_as_administrator(clinic)
    await decide(self_registration=True)
    await auth.act((await auth.log_in("lead@parc.test")).access_token)
    for domains in (["elsewhere.test", "evil.test"], []):
        with pytest.raises(EscalationRefused):
            await decide(registration_domains=domains)
    closed = await decide(self_registration=False)

    assert not closed.self_registration


async def test_only_an_administrator_says_who_vouches(auth: Auth) -> None:
    """A provider says who signs in: everybody who is tied to it, and whoever is invited."""
    clinic = await auth.clinic()
    providers = IdentityProviders(
        auth.store, PageTokens(PAGE_KEY), Sealing(auth.signer, "of tests"), Reach()
    )
    made = identity_provider_pb2.IdentityProvider(
        display_name="Parc",
        issuer="https://login.parc.test",
        client_id="medhub",
        redirect_uris=["https://parc.test/back"],
        provisioning=identity_provider_pb2.PROVISIONING_INVITED,
        trusts_email=True,
    )
    create = wire.CreateIdentityProviderRequest(identity_provider=made)
    await auth.act_as_administrator(clinic)
    held = await providers.CreateIdentityProvider(create)
    disable = wire.DisableIdentityProviderRequest(name=held.name, etag=held.etag)
    held = await providers.DisableIdentityProvider(disable)
    held.redirect_uris[:] = ["https://evil.test/back"]
    enable = wire.EnableIdentityProviderRequest(name=held.name, etag=held.etag)

    await _auditor(auth, clinic)

    with pytest.raises(EscalationRefused):
        await providers.CreateIdentityProvider(create)
    with pytest.raises(EscalationRefused):
        await providers.UpdateIdentityProvider(
            wire.UpdateIdentityProviderRequest(identity_provider=held)
        )
    with pytest.raises(EscalationRefused):
        await providers.EnableIdentityProvider(enable)

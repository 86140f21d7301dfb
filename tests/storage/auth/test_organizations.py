"""Organizations: founded, renamed, decided about and counted, against a real database."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from auth.domain.refusals import EscalationRefused, OrganizationCreationClosed
from auth.servicers.organizations import Organizations
from core import clock
from core.errors import EtagMismatch, InvalidField, InvalidName, NotFound, RequestIdReused
from core.ids import id_from
from medhub.auth.v1 import membership_pb2, organization_pb2
from medhub.auth.v1 import membership_service_pb2 as memberships
from medhub.auth.v1 import organization_service_pb2 as wire
from tests.storage.auth.test_bindings import binding, give
from tests.storage.auth.test_memberships import invitation
from tests.support.credentials import Auth, Clinic, enter

DAY = 24 * 3600


def founding(display_name: str) -> wire.CreateOrganizationRequest:
    """A request to found one."""
    return wire.CreateOrganizationRequest(
        organization=organization_pb2.Organization(display_name=display_name),
        founder_display_name="Dr. Ada Blanc",
    )


async def settings_of(auth: Auth, clinic: Clinic) -> organization_pb2.OrganizationSettings:
    """What the organization of the call has decided."""
    name = f"organizations/{clinic.organization}/settings"
    return await auth.organizations.GetOrganizationSettings(
        wire.GetOrganizationSettingsRequest(name=name)
    )


async def decide(
    auth: Auth, held: organization_pb2.OrganizationSettings, *paths: str, **wanted: object
) -> organization_pb2.OrganizationSettings:
    """Change settings that were read."""
    asked = organization_pb2.OrganizationSettings(name=held.name, etag=held.etag, **wanted)  # type: ignore[arg-type]
    return await auth.organizations.UpdateOrganizationSettings(
        wire.UpdateOrganizationSettingsRequest(
            settings=asked, update_mask=FieldMask(paths=paths or wanted.keys())
        )
    )


async def test_who_founds_an_organization_administers_it(auth: Auth) -> None:
    """They switch to it with the session they have; the trail is the new organization's."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)
    caller = await auth.act(made.access_token, "CreateOrganization")

    founded = await auth.organizations.CreateOrganization(founding("Cabinet Blanc"))

    key = id_from(founded.name, "organizations")
    assert caller.session is not None
    issued = await auth.auth._renewal.switch(caller.session, clinic.administrator, key)
    proven = await auth.proving.prove(issued.access_token)
    assert (proven.claims.organization, proven.roles) == (key, ("administrator",))
    changed = auth.rows(
        "SELECT entity FROM medhub.audit_outbox WHERE kind = 'change' AND organization_id = %s"
        " ORDER BY entity",
        key,
    )
    assert {"membership", "organization"} <= {row["entity"] for row in changed}


async def test_a_repeated_request_founds_one_organization(auth: Auth) -> None:
    """Also two at once, and one that is repeated when the request itself is forgotten."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)
    again, request = str(uuid4()), founding("Cabinet Blanc")
    caller = await auth.act(
        made.access_token, "CreateOrganization", request_id=again, request_hash=b"one"
    )

    first, second = await asyncio.gather(
        auth.organizations.CreateOrganization(request),
        auth.organizations.CreateOrganization(request),
    )
    auth.rows("DELETE FROM medhub.request_key")
    third = await auth.organizations.CreateOrganization(request)

    assert first == second == third
    found = auth.rows("SELECT id FROM organization WHERE display_name = 'Cabinet Blanc'")
    assert len(found) == 1
    members = auth.rows(
        "SELECT count(*) AS n FROM membership WHERE organization_id = %s", found[0]["id"]
    )
    assert members == [{"n": 1}]
    enter(caller, "CreateOrganization", request_id=again, request_hash=b"other")
    with pytest.raises(RequestIdReused):
        await auth.organizations.CreateOrganization(founding("Another"))


async def test_the_same_request_of_somebody_else_is_another(auth: Auth) -> None:
    """Nobody reaches an organization by a request_id that they have seen."""
    clinic, other = await auth.clinic(), await auth.clinic("Clinique du Lac")
    again, made = str(uuid4()), []
    for each in (clinic, other):
        token = (await auth.log_in(each.email)).access_token
        await auth.act(token, "CreateOrganization", request_id=again, request_hash=b"same")
        made.append(await auth.organizations.CreateOrganization(founding("Cabinet Blanc")))

    assert made[0].name != made[1].name


async def test_nobody_founds_where_the_operator_does_not_allow_it(auth: Auth) -> None:
    """That is how a server starts."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    closed = Organizations(auth.store, auth.signer, founding=False)

    with pytest.raises(OrganizationCreationClosed):
        await closed.CreateOrganization(founding("Cabinet Blanc"))

    assert auth.rows("SELECT 1 FROM organization WHERE display_name = 'Cabinet Blanc'") == []


async def test_an_organization_is_renamed_by_who_read_it(auth: Auth) -> None:
    """Another's is not found, a stale etag is refused, and nothing but the name changes."""
    clinic, other = await auth.clinic(), await auth.clinic("Clinique du Lac")
    await auth.act_as_administrator(clinic)
    name = f"organizations/{clinic.organization}"
    held = await auth.organizations.GetOrganization(wire.GetOrganizationRequest(name=name))
    wanted = organization_pb2.Organization(name=name, display_name="Du Parc", etag=held.etag)
    request = wire.UpdateOrganizationRequest(
        organization=wanted, update_mask=FieldMask(paths=["display_name"])
    )

    saved = await auth.organizations.UpdateOrganization(request)

    assert (saved.display_name, saved.test, saved.etag) == ("Du Parc", True, "2")
    assert saved == await auth.organizations.GetOrganization(wire.GetOrganizationRequest(name=name))
    with pytest.raises(EtagMismatch):
        await auth.organizations.UpdateOrganization(request)
    request.organization.name = f"organizations/{other.organization}"
    with pytest.raises(NotFound):
        await auth.organizations.UpdateOrganization(request)
    for paths in ([], ["test"], ["display_name", "state"]):
        request.update_mask.paths[:] = paths
        with pytest.raises(InvalidField):
            await auth.organizations.UpdateOrganization(request)


async def test_what_is_decided_is_kept_and_recorded(auth: Auth) -> None:
    """The fields of the mask change, and no other; who opens a session reads the same."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    held = await settings_of(auth, clinic)

    saved = await decide(
        auth,
        held,
        mfa_required=True,
        allowed_factors=["totp", "backup_code"],
        session_life=Duration(seconds=DAY),
        session_idle=Duration(seconds=3600),
    )
    joined = await decide(
        auth, saved, self_registration=True, registration_roles=["nurse"],
        registration_domains=["parc.test"],
    )  # fmt: skip

    assert joined == await settings_of(auth, clinic)
    assert (joined.mfa_required, joined.self_registration) == (True, True)
    async with auth.store.begin(read_only=True) as tx:
        known = await tx.organizations.settings(clinic.organization)
    assert known.session_life == timedelta(days=1)
    assert known.allowed_factors == {"totp", "backup_code"}
    assert known.registration_roles == ("nurse",)
    changed = auth.rows(
        "SELECT before->>'mfa_required' AS b, after->>'mfa_required' AS a"
        " FROM medhub.audit_outbox WHERE entity = 'organization' AND operation = 'update'"
        " AND organization_id = %s ORDER BY seq LIMIT 1",
        clinic.organization,
    )
    assert changed == [{"b": "false", "a": "true"}]


async def test_what_would_shut_everybody_out_or_last_too_long_is_refused(auth: Auth) -> None:
    """And it is refused whole: nothing of it is kept."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    held = await settings_of(auth, clinic)

    for wanted in (
        {"mfa_required": True},  # the lives of before are too long with it
        {"session_life": Duration(seconds=31 * DAY)},
        {"registration_roles": ["surgeon"]},
    ):
        with pytest.raises(InvalidField):
            await decide(auth, held, **wanted)
    with pytest.raises(EscalationRefused):
        await decide(auth, held, registration_roles=["service"])
    with pytest.raises(InvalidName):
        await auth.organizations.GetOrganizationSettings(
            wire.GetOrganizationSettingsRequest(name=f"organizations/{clinic.organization}")
        )

    assert await settings_of(auth, clinic) == held


async def test_the_dashboard_counts_the_organization_s_own(auth: Auth) -> None:
    """Members by state, holders of roles now, open sessions; nothing of another tenant."""
    clinic, other = await auth.clinic(), await auth.clinic("Clinique du Lac")
    nurse = await auth.user(clinic.organization, "nurse@parc.test", "nurse")
    await auth.user(other.organization, "else@lac.test", "nurse")
    await auth.act_as_administrator(clinic)
    now = clock.now()
    await give(
        auth, nurse, binding("nurse"), binding("doctor", end=now + timedelta(hours=1)),
        binding("biller", now + timedelta(hours=1)),
    )  # fmt: skip
    await auth.memberships.CreateMembership(invitation("zoe@parc.test", "nurse"))
    expired = await auth.memberships.CreateMembership(invitation("yan@parc.test", "nurse"))
    auth.rewrite(
        "UPDATE membership SET invitation_expires_at = now() - interval '1 s'"
        f" WHERE id = '{id_from(expired.name, 'memberships')}'"
    )

    shown = await dashboard(auth, clinic.organization)

    assert (shown.active_members, shown.suspended_members) == (2, 0)
    assert (shown.open_invitations, shown.expired_invitations) == (1, 1)
    assert {each.role: each.members for each in shown.roles} == {
        "administrator": 1, "doctor": 1, "nurse": 1,
    }  # fmt: skip
    assert shown.live_sessions == 1
    assert shown.HasField("last_login_time")
    with pytest.raises(NotFound):
        await dashboard(auth, other.organization)


async def dashboard(auth: Auth, organization: UUID) -> organization_pb2.OrganizationDashboard:
    """The counts of an organization."""
    return await auth.organizations.GetOrganizationDashboard(
        wire.GetOrganizationDashboardRequest(name=f"organizations/{organization}/dashboard")
    )


async def test_memberships_are_listed_by_state_and_by_role(auth: Auth) -> None:
    """Also by a role whose time is to come; a page token is of one filter alone."""
    clinic = await auth.clinic()
    nurse = await auth.user(clinic.organization, "nurse@parc.test", "nurse")
    await auth.act_as_administrator(clinic)
    await give(auth, nurse, binding("doctor", clock.now() + timedelta(hours=1)))
    for word in ("yan", "zoe"):
        await auth.memberships.CreateMembership(invitation(f"{word}@parc.test", "nurse"))

    async def listed(**wanted: object) -> list[str]:
        request = memberships.ListMembershipsRequest(**wanted)  # type: ignore[arg-type]
        found = await auth.memberships.ListMemberships(request)
        return [each.email.partition("@")[0] for each in found.memberships]

    invited = membership_pb2.MEMBERSHIP_STATE_INVITED
    assert await listed(state=invited) == ["yan", "zoe"]
    assert await listed(role="doctor") == ["nurse"]
    assert await listed(role="nurse") == ["yan", "zoe"]
    assert await listed(role="nurse", state=membership_pb2.MEMBERSHIP_STATE_ACTIVE) == []
    first = await auth.memberships.ListMemberships(
        memberships.ListMembershipsRequest(state=invited, page_size=1)
    )
    rest = memberships.ListMembershipsRequest(
        state=invited, page_size=1, page_token=first.next_page_token
    )
    assert [e.email for e in (await auth.memberships.ListMemberships(rest)).memberships] == [
        "zoe@parc.test"
    ]
    rest.state = membership_pb2.MEMBERSHIP_STATE_ACTIVE
    with pytest.raises(InvalidField):
        await auth.memberships.ListMemberships(rest)

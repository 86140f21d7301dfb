"""What the caller may do, and what decided: rule, role, grant and revision."""

from datetime import timedelta
from uuid import UUID

import pytest

from core import clock
from core.errors import InvalidField
from core.identity import Caller, Kind
from core.ids import new_id
from medhub.auth.v1 import access_grant_pb2, access_grant_service_pb2, auth_pb2
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.credentials import Auth, enter

_PATIENTS = "medhub.clinical.v1.PatientService"
GRANTED = auth_pb2.LINK_DECISION_GRANTED
BY_CLINICAL = auth_pb2.LINK_DECISION_BY_CLINICAL
NOT_NEEDED = auth_pb2.LINK_DECISION_NOT_NEEDED


async def ask(auth: Auth, permission: str, patient: UUID | None = None) -> wire.AuthorizeResponse:
    """A question about the caller, explained."""
    resource, _, action = permission.rpartition(".")
    named = f"patients/{patient}" if patient else ""
    return await auth.auth.Authorize(
        wire.AuthorizeRequest(resource=resource, action=action, patient=named, explain=True)
    )


async def doctor_of(auth: Auth) -> tuple[UUID, str]:
    """A doctor who calls; their account and token."""
    clinic = await auth.clinic()
    user = await auth.user(clinic.organization, "doc@parc.test", "doctor", "auditor")
    token = (await auth.log_in("doc@parc.test")).access_token
    await auth.act(token, "Authorize")
    return user, token


async def test_a_right_is_explained_by_rule_role_and_membership(auth: Auth) -> None:
    """Each role that gives it, by the membership; each method that asks for it."""
    user, _ = await doctor_of(auth)

    answer = await ask(auth, "auth.organizations.read")

    [membership] = auth.rows("SELECT id FROM membership WHERE user_id = %s", user)
    binding = f"memberships/{membership['id']}"
    assert [(role.role, role.binding) for role in answer.explanation.roles] == [
        ("auditor", binding),
        ("doctor", binding),
    ]
    assert "medhub.auth.v1.OrganizationService/GetOrganization" in {
        rule.method for rule in answer.explanation.rules
    }
    assert (answer.authorized, answer.HasField("link")) == (True, False)
    assert answer.auth_revision > 0


async def test_of_a_patient_clinical_decides_where_auth_knows_no_grant(auth: Auth) -> None:
    """And nothing decides where no link is asked for, or where there is no such permission."""
    await doctor_of(auth)
    patient = new_id()

    links = {
        permission: (await ask(auth, permission, patient)).link
        for permission in (
            "clinical.patients.read",
            "clinical.patients.update",
            "clinical.identities.read",
            "clinical.patients.bewitch",
        )
    }

    assert list(links.values()) == [BY_CLINICAL, BY_CLINICAL, NOT_NEEDED, NOT_NEEDED]


async def test_an_emergency_is_explained_by_its_grant(auth: Auth) -> None:
    """It opens reading and no change, and no other patient; the rules say which methods."""
    await doctor_of(auth)
    patient = new_id()
    taken = await auth.access_grants.BreakGlass(
        access_grant_service_pb2.BreakGlassRequest(
            patient=f"patients/{patient}", reason="Unconscious"
        )
    )

    reading = await ask(auth, "clinical.patients.read", patient)
    change = await ask(auth, "clinical.patients.update", patient)
    other = await ask(auth, "clinical.patients.read", new_id())
    await auth.access_grants.CloseMyBreakGlass(
        access_grant_service_pb2.CloseMyBreakGlassRequest(name=taken.name)
    )
    closed = await ask(auth, "clinical.patients.read", patient)

    assert (reading.link, reading.explanation.grant) == (GRANTED, taken.name)
    assert reading.explanation.break_glass
    opened = {rule.method: rule.opened_by_break_glass for rule in reading.explanation.rules}
    assert (opened[f"{_PATIENTS}/GetPatient"], opened[f"{_PATIENTS}/ListPatients"]) == (True, False)
    assert [each.link for each in (change, other, closed)] == [BY_CLINICAL] * 3
    assert (change.explanation.grant, closed.explanation.grant) == ("", "")


async def test_what_a_colleague_gives_counts_from_its_start(auth: Auth) -> None:
    """Before it, clinical decides."""
    user, token = await doctor_of(auth)
    patient = new_id()
    [clinic] = auth.clinics
    await auth.act_as_administrator(clinic)
    given = access_grant_pb2.AccessGrant(
        grantee=f"users/{user}", patient=f"patients/{patient}", reason="A second opinion"
    )
    given.start_time.FromDatetime(clock.now() + timedelta(hours=1))
    given.end_time.FromDatetime(clock.now() + timedelta(hours=2))
    await auth.access_grants.CreateAccessGrant(
        access_grant_service_pb2.CreateAccessGrantRequest(access_grant=given)
    )
    await auth.act(token, "Authorize")

    before = await ask(auth, "clinical.patients.read", patient)
    with clock.frozen(clock.now() + timedelta(minutes=90)):
        during = await ask(auth, "clinical.patients.read", patient)

    assert [each.link for each in (before, during)] == [BY_CLINICAL, GRANTED]


async def test_several_are_explained_from_one_revision(auth: Auth) -> None:
    """And none is unless it is asked for."""
    await doctor_of(auth)
    question = auth_pb2.AccessQuestion(resource="clinical.patients", action="read")

    for explain in (False, True):
        answers = await auth.auth.BatchAuthorize(
            wire.BatchAuthorizeRequest(questions=[question, question], explain=explain)
        )
        assert [each.HasField("explanation") for each in answers.answers] == [explain] * 2
        assert len({each.auth_revision for each in answers.answers}) == 1


async def test_what_is_no_patient_is_an_invalid_field(auth: Auth) -> None:
    """It names the field."""
    await doctor_of(auth)

    with pytest.raises(InvalidField) as refused:
        await auth.auth.Authorize(
            wire.AuthorizeRequest(resource="clinical.patients", action="read", patient="users/1")
        )

    assert [each.field for each in refused.value.violations] == ["patient"]


async def test_everything_held_is_shown_role_by_role(auth: Auth) -> None:
    """By id, with what each gives."""
    await doctor_of(auth)

    shown = await auth.auth.GetPermissions(wire.GetPermissionsRequest())

    assert [role.role for role in shown.roles] == ["auditor", "doctor"]
    assert "compliance.audit.read" in shown.roles[0].permissions
    assert "clinical.patients.read" in shown.roles[1].permissions
    assert list(shown.roles[1].permissions) == sorted(shown.roles[1].permissions)
    assert {role.binding.partition("/")[0] for role in shown.roles} == {"memberships"}


async def test_a_program_holds_its_roles_by_its_account(auth: Auth) -> None:
    """It has no membership and no grants."""
    clinic = await auth.clinic()
    account, _ = await auth.service(clinic.organization, "integration")
    enter(Caller(Kind.SERVICE, account, clinic.organization), "GetPermissions")

    shown = await auth.auth.GetPermissions(wire.GetPermissionsRequest())
    answer = await ask(auth, "clinical.hl7.read", new_id())

    assert [(role.role, role.binding) for role in shown.roles] == [
        ("integration", f"serviceAccounts/{account}")
    ]
    assert (answer.authorized, answer.link) == (True, BY_CLINICAL)

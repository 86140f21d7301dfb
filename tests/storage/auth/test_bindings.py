"""Roles that are held for a time, against a real database."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from auth.domain.refusals import EscalationRefused, LastAdministrator
from core import clock
from core.errors import InvalidField
from core.ids import new_id
from medhub.auth.v1 import auth_service_pb2, membership_pb2, role_pb2
from medhub.auth.v1 import membership_service_pb2 as wire
from medhub.auth.v1 import role_service_pb2 as roles_wire
from tests.storage.auth.test_memberships import of_user
from tests.support.credentials import Auth, enter
from tests.support.emergencies import gift

HOUR = timedelta(hours=1)


def binding(
    role: str, start: datetime | None = None, end: datetime | None = None
) -> membership_pb2.RoleBinding:
    """A role and its period."""
    made = membership_pb2.RoleBinding(role=role)
    if start is not None:
        made.start_time.FromDatetime(start)
    if end is not None:
        made.end_time.FromDatetime(end)
    return made


async def give(
    auth: Auth, user: UUID, *bindings: membership_pb2.RoleBinding
) -> membership_pb2.Membership:
    """Give a member of the organization of the call exactly these."""
    held = await of_user(auth, user)
    return await auth.memberships.SetMembershipBindings(
        wire.SetMembershipBindingsRequest(name=held.name, bindings=bindings, etag=held.etag)
    )


async def test_a_role_begins_and_ends_by_itself(auth: Auth) -> None:
    """The token is the same, and nothing is written between."""
    clinic = await auth.clinic()
    doctor = await auth.user(clinic.organization, "doc@parc.test", "nurse")
    token = (await auth.log_in("doc@parc.test")).access_token
    await auth.act_as_administrator(clinic)
    now = clock.now()
    start, end = now + timedelta(seconds=60), now + timedelta(seconds=120)

    saved = await give(auth, doctor, binding("nurse"), binding("doctor", start, end))

    assert list(saved.roles) == ["nurse"]
    assert [each.role for each in saved.bindings] == ["doctor", "nurse"]
    for at, expected in (
        (now, ("nurse",)),
        (start, ("doctor", "nurse")),
        (end - timedelta(microseconds=1), ("doctor", "nurse")),
        (end, ("nurse",)),
    ):
        with clock.frozen(at):
            proven = await auth.proving.prove(token)
            may = await auth.auth.ValidateToken(auth_service_pb2.ValidateTokenRequest(token=token))
            shown = await of_user(auth, doctor)
        assert proven.roles == tuple(may.roles) == tuple(shown.roles) == expected
        assert ("clinical.patients.merge" in proven.permissions) is ("doctor" in expected)
    told = auth.rows("SELECT event FROM auth_event ORDER BY revision DESC LIMIT 1")[0]["event"]
    assert (told["roles"], [each["role"] for each in told["timed"]]) == (["nurse"], ["doctor"])


async def test_roles_without_a_period_replace_those_with_one(auth: Auth) -> None:
    """SetMembershipRoles gives exactly what it names."""
    clinic = await auth.clinic()
    doctor = await auth.user(clinic.organization, "doc@parc.test", "nurse")
    await auth.act_as_administrator(clinic)
    held = await give(auth, doctor, binding("doctor", end=clock.now() + HOUR))

    saved = await auth.memberships.SetMembershipRoles(
        wire.SetMembershipRolesRequest(name=held.name, roles=["biller"], etag=held.etag)
    )

    assert list(saved.bindings) == [binding("biller")]


async def test_what_is_over_is_left_out_and_a_turned_period_refused(auth: Auth) -> None:
    """What was read can be written back, also when a part of it has ended meanwhile."""
    clinic = await auth.clinic()
    doctor = await auth.user(clinic.organization, "doc@parc.test", "nurse")
    await auth.act_as_administrator(clinic)
    now = clock.now()

    saved = await give(
        auth, doctor, binding("doctor", now - 2 * HOUR, now - HOUR), binding("nurse", now - HOUR)
    )

    assert list(saved.bindings) == [binding("nurse")]
    with pytest.raises(InvalidField):
        await give(auth, doctor, binding("doctor", now + HOUR, now))


async def test_an_administrator_for_a_time_is_not_the_last(auth: Auth) -> None:
    """When the time is over nobody would be there."""
    clinic = await auth.clinic()
    other = await auth.user(clinic.organization, "two@parc.test", "nurse")
    await auth.act_as_administrator(clinic)
    await give(auth, other, binding("administrator", end=clock.now() + HOUR))

    with pytest.raises(LastAdministrator):
        await give(auth, clinic.administrator, binding("nurse"))
    with pytest.raises(LastAdministrator):
        await give(auth, clinic.administrator, binding("administrator", end=clock.now() + HOUR))
    await give(auth, other, binding("administrator"))
    await give(auth, clinic.administrator, binding("nurse"))


async def test_nobody_gives_for_longer_than_they_hold(auth: Auth) -> None:
    """Neither a role to somebody or to themselves, nor a role of the organization."""
    clinic = await auth.clinic()
    until = clock.now() + HOUR
    locum = await auth.user(clinic.organization, "locum@parc.test")
    doctor = await auth.user(clinic.organization, "doc@parc.test")
    await auth.act_as_administrator(clinic)
    await give(auth, locum, binding("administrator", end=until))
    await auth.act((await auth.log_in("locum@parc.test")).access_token)

    for lasting in (
        binding("doctor"),
        binding("doctor", end=until + timedelta(microseconds=1)),
        binding("doctor", start=until - timedelta(minutes=1)),
    ):
        with pytest.raises(EscalationRefused):
            await give(auth, doctor, lasting)
    with pytest.raises(EscalationRefused):
        await give(auth, locum, binding("administrator"))
    with pytest.raises(EscalationRefused):
        await auth.roles.CreateRole(
            roles_wire.CreateRoleRequest(
                role_id="reader", role=role_pb2.Role(permissions=["clinical.patients.read"])
            )
        )
    saved = await give(auth, doctor, binding("doctor", end=until))
    assert list(saved.roles) == ["doctor"]


async def test_nobody_gives_access_to_a_patient_for_longer_than_they_may(auth: Auth) -> None:
    """Until the giver's own role ends, and not a moment beyond it."""
    clinic = await auth.clinic()
    until = clock.now() + HOUR
    locum = await auth.user(clinic.organization, "locum@parc.test")
    doctor = await auth.user(clinic.organization, "doc@parc.test", "doctor")
    await auth.act_as_administrator(clinic)
    await give(auth, locum, binding("administrator", end=until))
    await auth.act((await auth.log_in("locum@parc.test")).access_token)
    asked = gift(doctor, new_id())

    asked.access_grant.end_time.FromDatetime(until + timedelta(microseconds=1))
    with pytest.raises(EscalationRefused):
        await auth.access_grants.CreateAccessGrant(asked)
    asked.access_grant.end_time.FromDatetime(until)
    made = await auth.access_grants.CreateAccessGrant(asked)

    assert made.end_time == asked.access_grant.end_time


async def test_who_is_invited_for_a_time_holds_it_for_that_time(auth: Auth) -> None:
    """The period runs from when it was set, whenever the person accepts."""
    clinic = await auth.clinic()
    caller = await auth.act_as_administrator(clinic)
    end = clock.now() + HOUR
    asked = membership_pb2.Membership(
        email="zoe@parc.test", display_name="Zoé", roles=["nurse"],
        bindings=[binding("doctor", end=end)],
    )  # fmt: skip

    made = await auth.memberships.CreateMembership(wire.CreateMembershipRequest(membership=asked))
    await auth.auth.ActivateAccount(
        auth_service_pb2.ActivateAccountRequest(
            activation_token=made.activation_token, password="tilleul-harfang-8-grue"
        )
    )
    token = (await auth.log_in("zoe@parc.test", "tilleul-harfang-8-grue")).access_token

    assert (await auth.proving.prove(token)).roles == ("doctor", "nurse")
    enter(caller, "Test")
    shown = await auth.memberships.GetMembership(wire.GetMembershipRequest(name=made.name))
    assert list(shown.bindings) == [binding("doctor", end=end), binding("nurse")]

"""What ends a membership ends the access to single patients that was held in it."""

from collections.abc import Awaitable, Callable

import pytest

from auth import operation
from core import clock
from core.identity import Caller
from core.ids import new_id
from medhub.auth.v1 import account_service_pb2 as account
from medhub.auth.v1 import membership_pb2
from medhub.auth.v1 import membership_service_pb2 as wire
from tests.support.credentials import PASSWORD, Auth, Clinic
from tests.support.emergencies import doctor_of, emergency, gift, told

EMAIL = "doc@parc.test"


async def held_by_the_doctor(auth: Auth) -> tuple[Clinic, Caller, membership_pb2.Membership]:
    """A doctor with an emergency and a gift, as the administrator sees them."""
    doctor, _ = await doctor_of(auth)
    [clinic] = auth.clinics
    assert doctor.subject is not None
    await emergency(auth, new_id())
    await auth.act_as_administrator(clinic)
    await auth.access_grants.CreateAccessGrant(gift(doctor.subject, new_id()))
    listed = await auth.memberships.ListMemberships(wire.ListMembershipsRequest())
    held = next(each for each in listed.memberships if each.user == f"users/{doctor.subject}")
    return clinic, doctor, held


def still_open(auth: Auth) -> int:
    """How many grants open something."""
    return len(auth.rows("SELECT 1 FROM access_grant WHERE revoked_at IS NULL"))


async def remove(auth: Auth, held: membership_pb2.Membership) -> int:
    """End a membership; the revision."""
    request = wire.RemoveMembershipRequest(name=held.name, etag=held.etag)
    return (await auth.memberships.RemoveMembership(request)).auth_revision


async def suspend(auth: Auth, held: membership_pb2.Membership) -> int:
    """Suspend a membership; the revision."""
    request = wire.SuspendMembershipRequest(name=held.name, etag=held.etag)
    await auth.memberships.SuspendMembership(request)
    async with auth.store.begin() as tx:
        return await tx.state.revision()


Ends = Callable[[Auth, membership_pb2.Membership], Awaitable[int]]


@pytest.mark.parametrize("end", [remove, suspend])
async def test_grants_end_with_the_membership(auth: Auth, end: Ends) -> None:
    """Those given and those taken, in its transaction, told at its revision; others' stay."""
    clinic, doctor, held = await held_by_the_doctor(auth)
    assert doctor.subject is not None
    nurse = await auth.user(clinic.organization, "nurse@parc.test", "nurse")
    await auth.access_grants.CreateAccessGrant(gift(nurse, new_id()))

    revision = await end(auth, held)

    state = await told(auth)
    assert state.grants.of(doctor.subject, doctor.organization) == ()
    assert len(state.grants.of(nurse, clinic.organization)) == 1
    assert still_open(auth) == 1
    kinds = auth.rows("SELECT event->>'kind' AS kind FROM auth_event WHERE revision = %s", revision)
    assert sorted(row["kind"] for row in kinds) == [
        "access_grant_changed",
        "access_grant_changed",
        "membership_changed",
        "membership_epoch",
    ]


async def test_who_is_let_in_again_has_no_grant_of_before(auth: Auth) -> None:
    """Neither for who asks about a token, nor for who follows."""
    _, _, held = await held_by_the_doctor(auth)
    await suspend(auth, held)
    seen = await auth.memberships.GetMembership(wire.GetMembershipRequest(name=held.name))

    await auth.memberships.ReactivateMembership(
        wire.ReactivateMembershipRequest(name=seen.name, etag=seen.etag)
    )

    token = (await auth.log_in(EMAIL)).access_token
    assert (await auth.proving.prove(token)).grants == ()


async def test_a_grant_about_a_restricted_patient_ends_too(auth: Auth) -> None:
    """It is hidden from every ordinary statement, and would be back when the restriction ends."""
    _, _, held = await held_by_the_doctor(auth)
    auth.rewrite(
        "INSERT INTO restricted_person (organization_id, person, restriction_id, restricted_at)"
        " SELECT organization_id, patient_id, gen_random_uuid(), now() FROM access_grant"
    )

    await remove(auth, held)

    assert still_open(auth) == 0


async def test_a_deleted_account_leaves_no_open_grant(auth: Auth) -> None:
    """In whatever organization."""
    doctor, token = await doctor_of(auth)
    assert doctor.subject is not None
    await emergency(auth, new_id())
    await auth.act(token, "DeleteAccount")

    await auth.accounts.DeleteAccount(account.DeleteAccountRequest(current_password=PASSWORD))

    assert (await told(auth)).grants.of(doctor.subject, doctor.organization) == ()
    assert still_open(auth) == 0


async def test_a_released_address_leaves_no_open_grant(auth: Auth) -> None:
    """The membership is nobody's any more."""
    doctor, _ = await doctor_of(auth)
    assert doctor.subject is not None
    await emergency(auth, new_id())

    await operation.release_address(auth.store, EMAIL)

    assert (await told(auth)).grants.of(doctor.subject, doctor.organization) == ()
    assert still_open(auth) == 0


async def test_nobody_ends_the_grants_of_others_elsewhere(auth: Auth) -> None:
    """The function of the database refuses another organization and another person."""
    _, doctor, _ = await held_by_the_doctor(auth)
    assert doctor.subject is not None
    assert doctor.organization is not None
    other = await auth.clinic("Clinique du Lac")
    await auth.act_as_administrator(other)

    with pytest.raises(Exception, match="only about whoever acts"):
        async with auth.store.begin() as tx:
            await tx.access_grants.end_of(doctor.subject, doctor.organization, clock.now())

    assert still_open(auth) == 2

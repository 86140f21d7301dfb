"""A database of an earlier version is taken over: nobody who could get in is shut out by it."""

from auth import operation
from core.database.migrations import migrate
from medhub.auth.v1 import membership_pb2
from medhub.auth.v1 import membership_service_pb2 as wire
from medhub.auth.v1 import role_service_pb2 as roles_wire
from tests.storage.auth.test_invitations_again import activate
from tests.storage.auth.test_memberships import invitation
from tests.storage.auth.test_renewal import refresh
from tests.storage.auth.test_roles import CREATE, READ, changed, define
from tests.storage.auth.test_service_accounts import assertion, exchange
from tests.support.credentials import Auth
from tests.support.postgres import ServiceDatabase

# What versions since have added, taken away again, as the superuser may.
_EARLIER = """
    SET session_replication_role = replica;
    DROP TABLE service_key_use, service_account_key;
    ALTER TABLE session DROP COLUMN device, DROP COLUMN revision;
    ALTER TABLE organization DROP COLUMN session_epoch, DROP COLUMN mfa_required,
        DROP COLUMN allowed_factors, DROP COLUMN session_life, DROP COLUMN session_idle,
        DROP COLUMN self_registration, DROP COLUMN registration_domains,
        DROP COLUMN registration_roles, DROP COLUMN updated_at, DROP COLUMN revision,
        DROP COLUMN bootstrapped_as;
    ALTER TABLE role DROP COLUMN updated_at, DROP COLUMN revision;
    ALTER TABLE membership DROP COLUMN timed_roles, DROP COLUMN invitation_expires_at;
    DROP INDEX ix_session_organization_id_expires_at, ix_session_organization_id_id;
    ALTER TABLE auth_revision DROP COLUMN session_epoch;
    UPDATE medhub.alembic_version SET version_num = '0005';
"""


async def test_sessions_and_keys_of_before_go_on(auth: Auth) -> None:
    """Until they are ended, which works for them as for others."""
    clinic = await auth.clinic()
    account, key = await auth.service(clinic.organization, "integration")
    made = await auth.log_in(clinic.email)
    there: ServiceDatabase = auth.rows.__self__  # type: ignore[attr-defined]
    assert there.urls.owner is not None
    auth.rows(_EARLIER)

    migrate("auth", there.urls.owner)

    assert (await exchange(auth, assertion(account, key))).access_token
    renewed = await refresh(auth, made.refresh_token)
    assert (await auth.proving.prove(renewed.access_token)).roles == ("administrator",)
    await operation.end_everything(auth.store)
    assert auth.rows("SELECT device FROM session") == [{"device": ""}]


async def test_who_was_invited_before_can_accept(auth: Auth) -> None:
    """And roles of the organization can be changed, as those defined since."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    made = await auth.memberships.CreateMembership(invitation("zoe@parc.test", "nurse"))
    await define(auth, READ)
    there: ServiceDatabase = auth.rows.__self__  # type: ignore[attr-defined]
    assert there.urls.owner is not None
    auth.rows(_EARLIER)

    migrate("auth", there.urls.owner)

    held = await auth.memberships.GetMembership(wire.GetMembershipRequest(name=made.name))
    assert held.state == membership_pb2.MEMBERSHIP_STATE_INVITED
    assert held.invitation_expire_time == made.invitation_expire_time
    role = await auth.roles.GetRole(roles_wire.GetRoleRequest(name="roles/reader"))
    assert (await auth.roles.UpdateRole(changed(role, READ, CREATE))).etag == "2"
    await activate(auth, made.activation_token)


# As deleted accounts were left before: suspended, brought back, and accepted by somebody else.
_LEFT_BEHIND = """UPDATE membership SET user_id = NULL, suspended_at = now(),
        invitation_expires_at = NULL, email = id || '@deleted.invalid',
        email_key = id || '@deleted.invalid'
    WHERE email IN ('gone@parc.test', 'back@parc.test', 'taken@parc.test');
    UPDATE medhub.alembic_version SET version_num = '0021'"""


async def test_memberships_of_accounts_deleted_before_end(auth: Auth) -> None:
    """Also one that was brought back; what somebody else has accepted is left to who let them."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    left = [
        await auth.memberships.CreateMembership(invitation(email, "nurse"))
        for email in ("gone@parc.test", "back@parc.test", "taken@parc.test")
    ]
    there: ServiceDatabase = auth.rows.__self__  # type: ignore[attr-defined]
    assert there.urls.owner is not None
    auth.rewrite(_LEFT_BEHIND)
    _, taken = [
        await auth.memberships.ReactivateMembership(
            wire.ReactivateMembershipRequest(name=each.name, etag=each.etag)
        )
        for each in left[1:]
    ]
    await activate(auth, taken.activation_token)

    migrate("auth", there.urls.owner)

    await auth.act_as_administrator(clinic)
    listed = await auth.memberships.ListMemberships(wire.ListMembershipsRequest())
    assert [each.email for each in listed.memberships][1:] == [taken.email]

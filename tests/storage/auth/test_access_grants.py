"""Access grants against a real database: what is kept, told, counted and left in the trail."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from auth.domain.access_grants import (
    EMERGENCY_LIFE,
    EMERGENCY_PERIOD,
    MOST_EMERGENCIES,
    MOST_IN_A_PERIOD,
)
from auth.domain.messages import TERMS, Template
from auth.domain.refusals import GrantToOneself, NotAMember, TooManyGrants
from auth.operation import disable_account
from auth.posting import Post
from core import clock, identity
from core.errors import EtagMismatch, InvalidField, NotFound
from core.identity import Caller, Kind
from core.ids import new_id
from medhub.auth.v1 import access_grant_pb2 as messages
from medhub.auth.v1 import access_grant_service_pb2 as wire
from tests.storage.auth.test_bindings import binding, give
from tests.support.credentials import Auth, enter
from tests.support.emergencies import doctor_of, emergency, gift, told
from tests.support.mails import kept_messages

OPEN = messages.ACCESS_GRANT_STATE_OPEN
REVOKED = messages.ACCESS_GRANT_STATE_REVOKED


async def test_an_emergency_is_told_and_proven_at_once(auth: Auth) -> None:
    """By the stream, with its end, and to who asks about the token."""
    doctor, token = await doctor_of(auth)
    patient = new_id()
    assert doctor.subject is not None

    made = await emergency(auth, patient)

    state = await told(auth)
    [known] = state.grants.of(doctor.subject, doctor.organization)
    assert (known.grant.patient, known.grant.break_glass) == (patient, True)
    assert known.ends_at - known.starts_at == EMERGENCY_LIFE
    assert state.revision == made.auth_revision
    assert (await auth.proving.prove(token)).grants == (known,)


async def test_an_emergency_stands_in_the_trail_of_the_patient(auth: Auth) -> None:
    """As an act that says so, beside the row that is written."""
    _, patient = await doctor_of(auth), new_id()

    made = await emergency(auth, patient)

    kept = auth.rows(
        "SELECT kind, subject_kind, resource, after FROM medhub.audit_outbox"
        " WHERE subject = %s ORDER BY kind",
        patient,
    )
    assert [(row["kind"], row["subject_kind"], row["resource"]) for row in kept] == [
        ("act", "patient", made.name),
        ("change", "patient", made.name),
    ]
    assert kept[0]["after"] == {"break_glass": True}


async def test_the_data_protection_officers_are_told(auth: Auth) -> None:
    """Each active one of the organization, and nobody else; the message names no patient."""
    await doctor_of(auth)
    [clinic] = auth.clinics
    elsewhere = await auth.clinic("Clinique du Lac")
    for organization, email in (
        (clinic.organization, "dpo@parc.test"),
        (elsewhere.organization, "dpo@lac.test"),
    ):
        await auth.user(organization, email, "data_protection_officer")

    await emergency(auth, new_id())

    [queued] = auth.rows("SELECT id, content FROM message WHERE template = 'BREAK_GLASS'")
    async with auth.store.begin() as tx:
        message = await Post(auth.keyring).open(tx, queued["id"].bytes, bytes(queued["content"]))
    assert (message.to, message.values) == ("dpo@parc.test", {"organization": "Clinique du Parc"})


async def test_without_an_active_officer_the_administrators_are_told(auth: Auth) -> None:
    """One who is suspended, shut out, or an officer from tomorrow on looks at nothing today."""
    caller, _ = await doctor_of(auth)
    [clinic] = auth.clinics
    for email in ("gone@parc.test", "locked@parc.test"):
        await auth.user(clinic.organization, email, "data_protection_officer")
    soon = await auth.user(clinic.organization, "soon@parc.test")
    auth.rewrite("UPDATE membership SET suspended_at = now() WHERE email = 'gone@parc.test'")
    await disable_account(auth.store, "locked@parc.test")
    await auth.act_as_administrator(clinic)
    tomorrow = clock.now() + timedelta(days=1)
    await give(auth, soon, binding("data_protection_officer", tomorrow))
    enter(caller, "BreakGlass")

    await emergency(auth, new_id())

    told = await kept_messages(auth.store, auth.keyring)
    assert [(each.to, each.template) for each in told] == [(clinic.email, Template.BREAK_GLASS)]


async def test_an_officer_is_told_in_their_own_language(auth: Auth) -> None:
    """Whoever breaks the glass may speak another; who has said none is told in that one."""
    doctor, _ = await doctor_of(auth)
    [clinic] = auth.clinics
    for email in ("dpo@parc.test", "deputy@parc.test"):
        await auth.user(clinic.organization, email, "data_protection_officer")
    auth.rewrite("UPDATE app_user SET language = 'de' WHERE email = 'dpo@parc.test'")
    enter(doctor, "BreakGlass", language="fr")

    await emergency(auth, new_id())

    told = await kept_messages(auth.store, auth.keyring)
    assert {each.to: each.language for each in told} == {
        "dpo@parc.test": "de",
        "deputy@parc.test": "fr",
    }


async def test_the_glass_is_broken_for_so_many_patients_at_once(auth: Auth) -> None:
    """For one of them again as often as is needed; and for another once one is closed."""
    await doctor_of(auth)
    first = await emergency(auth, new_id())
    for _ in range(MOST_EMERGENCIES - 1):
        await emergency(auth, new_id())

    with pytest.raises(TooManyGrants):
        await emergency(auth, new_id())
    again = await emergency(auth, UUID(first.patient.removeprefix("patients/")))
    await auth.access_grants.CloseMyBreakGlass(wire.CloseMyBreakGlassRequest(name=again.name))
    await emergency(auth, new_id())

    listed = await auth.access_grants.ListMyAccessGrants(wire.ListMyAccessGrantsRequest())
    states = {each.name: each.state for each in listed.access_grants}
    assert states[first.name] == states[again.name] == REVOKED
    assert sum(state == OPEN for state in states.values()) == MOST_EMERGENCIES


async def test_emergencies_that_race_take_no_more_room_than_there_is(auth: Auth) -> None:
    """Whoever counts holds the member's row."""
    await doctor_of(auth)

    outcomes = await asyncio.gather(
        *(emergency(auth, new_id()) for _ in range(MOST_EMERGENCIES + 3)), return_exceptions=True
    )

    assert sum(isinstance(each, TooManyGrants) for each in outcomes) == 3


async def take_and_close(auth: Auth) -> None:
    """An emergency about anybody, over as soon as it is taken."""
    made = await emergency(auth, new_id())
    await auth.access_grants.CloseMyBreakGlass(wire.CloseMyBreakGlassRequest(name=made.name))


async def test_closed_emergencies_count_within_an_hour(auth: Auth) -> None:
    """Who closes each after reading still takes no more; and is let in once the hour is over."""
    await doctor_of(auth)
    for _ in range(MOST_IN_A_PERIOD):
        await take_and_close(auth)

    with pytest.raises(TooManyGrants) as refused:
        await emergency(auth, new_id())
    auth.rewrite(
        "UPDATE access_grant SET starts_at = starts_at - interval '1 hour',"
        " ends_at = ends_at - interval '1 hour', created_at = created_at - interval '1 hour'"
    )
    await emergency(auth, new_id())

    assert refused.value.metadata == {"most": str(MOST_IN_A_PERIOD)}
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= EMERGENCY_PERIOD.total_seconds()


async def test_nobody_keeps_back_the_message_about_anothers_emergency(auth: Auth) -> None:
    """What an officer has got about one person is no bound for another."""
    doctor, _ = await doctor_of(auth)
    [clinic] = auth.clinics
    await auth.user(clinic.organization, "dpo@parc.test", "data_protection_officer")
    await auth.user(clinic.organization, "nurse@parc.test", "nurse")
    nurse = await auth.act((await auth.log_in("nurse@parc.test")).access_token, "BreakGlass")
    enter(doctor, "BreakGlass")
    await emergency(auth, new_id())
    auth.rewrite(
        "INSERT INTO message SELECT gen_random_uuid(), m.template, m.channel, m.recipient,"
        " m.content, m.state, m.attempts, m.due_at, m.leased_until, m.created_at, m.expires_at,"
        " m.ended_at, m.fault FROM message m, generate_series(1, 500)"
    )

    enter(nurse, "BreakGlass")
    await emergency(auth, new_id())

    assert [row["count"] for row in auth.rows("SELECT count(*) FROM message")] == [502]
    assert TERMS[Template.BREAK_GLASS].most_an_hour > MOST_IN_A_PERIOD


async def test_a_colleague_gives_and_takes_back(auth: Auth) -> None:
    """It is told, and a server that follows later hears nothing of what was taken back."""
    clinic = await auth.clinic()
    doctor = await auth.user(clinic.organization, "doc@parc.test", "doctor")
    await auth.act_as_administrator(clinic)

    made = await auth.access_grants.CreateAccessGrant(gift(doctor, new_id()))
    known = (await told(auth)).grants.of(doctor, clinic.organization)
    with pytest.raises(EtagMismatch):
        await auth.access_grants.RevokeAccessGrant(
            wire.RevokeAccessGrantRequest(name=made.name, etag="7")
        )
    revoked = await auth.access_grants.RevokeAccessGrant(
        wire.RevokeAccessGrantRequest(name=made.name, etag=made.etag)
    )

    assert [each.grant.break_glass for each in known] == [False]
    assert (made.state, revoked.state) == (OPEN, REVOKED)
    assert revoked.auth_revision == made.auth_revision + 1
    assert (await told(auth)).grants.of(doctor, clinic.organization) == ()


async def test_who_gives_names_a_member_who_is_not_themselves(auth: Auth) -> None:
    """Another organization's person is nobody here."""
    clinic, other = await auth.clinic(), await auth.clinic("Clinique du Lac")
    caller = await auth.act_as_administrator(clinic)
    assert caller.subject is not None

    with pytest.raises(GrantToOneself):
        await auth.access_grants.CreateAccessGrant(gift(caller.subject, new_id()))
    for stranger in (other.administrator, new_id()):
        with pytest.raises(InvalidField) as refused:
            await auth.access_grants.CreateAccessGrant(gift(stranger, new_id()))
        assert [each.field for each in refused.value.violations] == ["access_grant.grantee"]


async def test_a_program_has_no_emergencies(auth: Auth) -> None:
    """Whatever roles it was given."""
    clinic = await auth.clinic()
    account, _ = await auth.service(clinic.organization, "doctor")
    enter(Caller(Kind.SERVICE, account, clinic.organization), "BreakGlass")

    with pytest.raises(NotAMember):
        await emergency(auth, new_id())


async def test_another_organization_sees_and_takes_back_nothing(auth: Auth) -> None:
    """As if there were no such grant."""
    other = await auth.clinic("Clinique du Lac")
    await doctor_of(auth)
    made = await emergency(auth, new_id())
    await auth.act_as_administrator(other)

    with pytest.raises(NotFound):
        await auth.access_grants.GetAccessGrant(wire.GetAccessGrantRequest(name=made.name))
    with pytest.raises(NotFound):
        await auth.access_grants.RevokeAccessGrant(
            wire.RevokeAccessGrantRequest(name=made.name, etag=made.etag)
        )
    listed = await auth.access_grants.ListAccessGrants(wire.ListAccessGrantsRequest())
    assert list(listed.access_grants) == []


async def test_nobody_closes_what_is_not_theirs(auth: Auth) -> None:
    """Neither another's emergency nor what they were given."""
    await doctor_of(auth)
    theirs = await emergency(auth, new_id())
    [clinic] = auth.clinics
    nurse = await auth.user(clinic.organization, "nurse@parc.test", "nurse")
    await auth.act_as_administrator(clinic)
    given = await auth.access_grants.CreateAccessGrant(gift(nurse, new_id()))
    await auth.act((await auth.log_in("nurse@parc.test")).access_token, "CloseMyBreakGlass")

    for name in (theirs.name, given.name):
        with pytest.raises(NotFound):
            await auth.access_grants.CloseMyBreakGlass(wire.CloseMyBreakGlassRequest(name=name))


async def test_what_is_listed_is_what_is_asked_for(auth: Auth) -> None:
    """By kind, person, patient, time, and whether anybody has looked into it; in pages."""
    doctor, _ = await doctor_of(auth)
    [clinic] = auth.clinics
    patient = new_id()
    closed = await emergency(auth, patient)
    await auth.access_grants.CloseMyBreakGlass(wire.CloseMyBreakGlassRequest(name=closed.name))
    running = await emergency(auth, new_id())
    await auth.act_as_administrator(clinic)
    assert doctor.subject is not None
    given = await auth.access_grants.CreateAccessGrant(gift(doctor.subject, patient))
    await auth.access_grants.ReviewBreakGlass(
        wire.ReviewBreakGlassRequest(
            name=running.name, etag=running.etag, finding=messages.BREAK_GLASS_FINDING_JUSTIFIED
        )
    )

    async def names(**asked: object) -> list[str]:
        listed = await auth.access_grants.ListAccessGrants(wire.ListAccessGrantsRequest(**asked))  # type: ignore[arg-type]  # any fields
        return [each.name for each in listed.access_grants]

    assert await names() == [given.name, running.name, closed.name]
    assert await names(kind=messages.ACCESS_GRANT_KIND_EXPLICIT) == [given.name]
    assert await names(patient=f"patients/{patient}") == [given.name, closed.name]
    assert await names(grantee=f"users/{clinic.administrator}") == []
    assert await names(open_only=True) == [given.name, running.name]
    assert await names(unreviewed_only=True) == [closed.name]
    first = await auth.access_grants.ListAccessGrants(wire.ListAccessGrantsRequest(page_size=2))
    assert await names(page_size=2, page_token=first.next_page_token) == [closed.name]


async def test_a_grant_is_forgotten_after_its_end(auth: Auth) -> None:
    """Neither a new follower nor who asks hears of it; the row stays for who looks into it."""
    doctor, token = await doctor_of(auth)
    assert doctor.subject is not None
    await emergency(auth, new_id())

    with clock.frozen(clock.now() + timedelta(minutes=2)):
        assert len((await auth.proving.prove(token)).grants) == 1
    async with auth.store.begin_as(identity.call()) as tx:
        held = await tx.access_grants.open_of(doctor.subject, clock.now() + EMERGENCY_LIFE)
        rows = (await tx.state.snapshot(clock.now() + EMERGENCY_LIFE)).events

    assert held == []
    assert [row for row in rows if row[1]["kind"] == "access_grant_changed"] == []
    listed = await auth.access_grants.ListMyAccessGrants(wire.ListMyAccessGrantsRequest())
    assert len(listed.access_grants) == 1

"""Addresses, roles, choices and the last administrator."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from auth.domain.bindings import Binding, Held
from auth.domain.emails import email_key
from auth.domain.lockout import lane
from auth.domain.memberships import Choice, Membership, check_etag, choose, keep_an_administrator
from auth.domain.refusals import EscalationRefused, LastAdministrator, NotAMember
from auth.domain.roles import BUILT_IN, OF_THE_PLATFORM, giving, permissions_of, refuse_escalation
from core.errors import EtagMismatch

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADMINISTRATOR = Membership(
    id=UUID(int=1),
    organization=UUID(int=2),
    user=UUID(int=3),
    email="a@b.test",
    display_name="A",
    held=Held(("administrator",)),
    suspended_at=None,
    invitation_expires_at=None,
    created_at=NOW,
    updated_at=NOW,
    revision=1,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoe@Parc.test", "zoe@parc.test"),
        (" zoe@parc.test ", "zoe@parc.test"),
        ("ZOÉ@parc.test", "zoe\N{COMBINING ACUTE ACCENT}@parc.test"),
        ("STRASSE@parc.test", "straße@parc.test"),
    ],
)
def test_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    """Case and Unicode's spellings do not count."""
    assert email_key(one) == email_key(other)


def test_lanes_tell_devices_apart() -> None:
    """A known address is counted by itself, and the digest hides who it is."""
    unknown, known = lane(bytes(32), "a@b.test", ""), lane(bytes(32), "a@b.test", "192.0.2.7")

    assert unknown != known
    assert len(known) == 32


def test_the_organization_of_a_session_is_asked_for_or_the_only_one() -> None:
    """None of several, and never one that is not among them."""
    first, second = Choice(UUID(int=1), "A"), Choice(UUID(int=2), "B")

    assert choose([first], None) == first.organization
    assert choose([first, second], None) is None
    assert choose([], None) is None
    assert choose([first, second], second.organization) == second.organization
    with pytest.raises(NotAMember):
        choose([first], second.organization)


def test_the_last_administrator_stays() -> None:
    """Any change that leaves nobody is refused, and no other."""
    suspended = replace(ADMINISTRATOR, suspended_at=NOW)

    with pytest.raises(LastAdministrator):
        keep_an_administrator(ADMINISTRATOR, Held(("doctor",)), 0, active=True)
    with pytest.raises(LastAdministrator):
        keep_an_administrator(ADMINISTRATOR, Held(("administrator",)), 0, active=False)
    for_a_time = Held((), (Binding("administrator", ends_at=NOW),))
    with pytest.raises(LastAdministrator):
        keep_an_administrator(ADMINISTRATOR, for_a_time, 0, active=True)
    keep_an_administrator(ADMINISTRATOR, Held(("administrator", "doctor")), 0, active=True)
    keep_an_administrator(ADMINISTRATOR, Held(("doctor",)), 1, active=True)
    keep_an_administrator(suspended, Held(("doctor",)), 0, active=False)


def test_nobody_gives_what_they_do_not_hold() -> None:
    """The refusal names the first permission that is beyond them."""
    refuse_escalation({"a.b.c"}, {"a.b.c", "d.e.f"})
    with pytest.raises(EscalationRefused) as refused:
        refuse_escalation({"z.z.z", "g.h.i", "a.b.c"}, {"a.b.c"})

    assert refused.value.metadata == {"permission": "g.h.i"}


def test_an_administrator_can_give_every_role_but_that_of_servers() -> None:
    """So an organization can be staffed without anybody from outside."""
    held = BUILT_IN["administrator"]

    beyond = [role for role, given in BUILT_IN.items() if not given <= held]

    assert set(beyond) == OF_THE_PLATFORM


def test_the_role_that_gives_a_permission_is_named() -> None:
    """The first by id; an unknown role gives nothing."""
    own = {"reader": frozenset({"clinical.patients.read"})}

    assert giving("clinical.patients.read", ["reader", "nurse"], own) == "nurse"
    assert giving("clinical.patients.read", ["reader"], own) == "reader"
    assert giving("clinical.patients.read", ["gone"], own) == ""
    assert permissions_of(["reader", "gone"], own) == {"clinical.patients.read"}


def test_a_stale_etag_is_refused() -> None:
    """Exactly the revision, as text."""
    check_etag(3, "3")
    for stale in ("2", "03", ""):
        with pytest.raises(EtagMismatch):
            check_etag(3, stale)

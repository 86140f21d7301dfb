"""The INS: its key, its authorities, and which organization may hold which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.ins import (
    NIA,
    NIR,
    NIR_DEMONSTRATION,
    NIR_TEST,
    Ins,
    InsFault,
    TenantKind,
    faults_of,
    key_of,
    normalized,
)


@pytest.mark.parametrize(
    ("body", "key"),
    [("2620875032039", "77"), ("1631278477042", "94"), ("2800575056042", "73")],
)
def test_the_key_is_97_minus_the_number_modulo_97(body: str, key: str) -> None:
    """Known bodies have their published keys."""
    assert key_of(body) == key


@pytest.mark.parametrize(("department", "digits"), [("2A", "19"), ("2B", "18")])
def test_corsica_is_counted_as_digits(department: str, digits: str) -> None:
    """2A counts as 19 and 2B as 18, and the letters stay in the matricule."""
    assert key_of(f"19305{department}012345") == key_of(f"19305{digits}012345")


def test_a_key_of_one_digit_keeps_its_zero() -> None:
    """A key below 10 is written with two digits."""
    body = next(f"{n}" for n in range(2800575056000, 2800575056097) if 97 - n % 97 == 5)

    assert key_of(body) == "05"


@pytest.mark.parametrize(
    "body", ["", "280057505604", "28005750560420", "2800C75056042", "\uff12" * 13]
)
def test_what_is_no_body_has_no_key(body: str) -> None:
    """A key is asked only of 13 characters of the right form."""
    with pytest.raises(ValueError, match="13 characters"):
        key_of(body)


@pytest.mark.parametrize(
    ("oid", "tenant", "faults"),
    [
        (NIR, TenantKind.PRODUCTION, ()),
        (NIA, TenantKind.PRODUCTION, ()),
        (NIR_TEST, TenantKind.PRODUCTION, (InsFault.TENANT_KIND,)),
        (NIR_DEMONSTRATION, TenantKind.PRODUCTION, (InsFault.TENANT_KIND,)),
        (NIR_TEST, TenantKind.TEST, ()),
        (NIR_DEMONSTRATION, TenantKind.TEST, ()),
        (NIR, TenantKind.TEST, (InsFault.TENANT_KIND,)),
        (NIA, TenantKind.TEST, (InsFault.TENANT_KIND,)),
        ("1.2.3", TenantKind.PRODUCTION, (InsFault.AUTHORITY,)),
    ],
)
def test_real_and_rehearsed_identities_never_mix(
    oid: str, tenant: TenantKind, faults: tuple[InsFault, ...]
) -> None:
    """A production tenant takes no test INS, and a test tenant takes no real one."""
    assert faults_of(Ins("280057505604273", oid), tenant) == faults


@pytest.mark.parametrize(
    ("matricule", "fault"),
    [
        ("280057505604274", InsFault.KEY),
        ("2800575056042", InsFault.KEY_MISSING),
        ("28005750560427", InsFault.SHAPE),
        ("ABC", InsFault.SHAPE),
        ("", InsFault.SHAPE),
    ],
)
def test_a_wrong_matricule_is_a_finding(matricule: str, fault: InsFault) -> None:
    """What is wrong is told, and nothing is raised."""
    assert faults_of(Ins(matricule, NIR_TEST), TenantKind.TEST) == (fault,)


def test_spaces_and_small_letters_are_forgiven() -> None:
    """People type a matricule in groups."""
    assert normalized(" 1 93 05 2a 012 345 ") == "193052A012345"


def test_a_matricule_does_not_appear_in_a_repr() -> None:
    """A repr ends in a log, and the number must not."""
    assert "2800575056042" not in repr(Ins("280057505604273", NIR_TEST))


@given(st.text(max_size=20), st.text(max_size=12), st.sampled_from(TenantKind))
def test_nothing_raises(matricule: str, oid: str, tenant: TenantKind) -> None:
    """Any two texts give findings."""
    assert faults_of(Ins(normalized(matricule), oid), tenant)


@given(st.integers(min_value=10**12, max_value=10**13 - 1), st.integers(1, 96))
def test_every_other_key_is_wrong(number: int, shift: int) -> None:
    """Exactly one key fits a body."""
    body = str(number)
    right = key_of(body)
    wrong = f"{(int(right) - 1 + shift) % 97 + 1:02d}"

    assert faults_of(Ins(body + right, NIR), TenantKind.PRODUCTION) == ()
    assert faults_of(Ins(body + wrong, NIR), TenantKind.PRODUCTION) == (InsFault.KEY,)

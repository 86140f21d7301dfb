"""What may be done to a patient."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clinical.domain.identifiers import IdentifierType, PatientIdentifier
from clinical.domain.merges import (
    MergeInverted,
    MergeWithItself,
    check_distinct,
    decide_merge,
)
from clinical.domain.patients import (
    IdentityStatus,
    Patient,
    PatientMerged,
    PatientNotDeleted,
    Sex,
    Traits,
    change,
    check_etag,
    delete,
    impossible_dates,
    register,
    undelete,
)
from core.errors import EtagMismatch, InvalidField
from core.ids import new_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ANNE = Traits(birth_name="Martin", birth_date="1980-05-17", sex=Sex.FEMALE)
NUMBER = PatientIdentifier("CHU-X", IdentifierType.PI, "1")


def anne(**more: object) -> Patient:
    """A proven patient."""
    made = register(new_id(), ANNE, (NUMBER,), at=NOON, status=IdentityStatus.QUALIFIED)
    return replace(made, **more)  # type: ignore[arg-type]


def test_nobody_is_registered_without_a_name() -> None:
    """A patient whom nobody can call is lost."""
    with pytest.raises(InvalidField):
        register(new_id(), Traits(), (), at=NOON)


def test_a_change_of_strict_traits_is_another_identity() -> None:
    """What was proven is no longer what is written; a name in use proves nothing."""
    patient = anne()

    married = change(patient, replace(ANNE, used_name="Durand"), (NUMBER,), at=LATER)
    other = change(patient, replace(ANNE, birth_date="1981"), (NUMBER,), at=LATER)

    assert married.identity_status is IdentityStatus.QUALIFIED
    assert other.identity_status is IdentityStatus.PROVISIONAL
    assert (other.revision, other.updated_at, other.etag) == (2, LATER, "2")


def test_a_change_that_changes_nothing_is_none() -> None:
    """The revision stays, so a sender that repeats itself leaves no trace."""
    patient = anne()

    assert change(patient, ANNE, (NUMBER,), at=LATER) is patient


def test_a_name_cannot_be_taken_away() -> None:
    """An update may erase anything but the birth name."""
    with pytest.raises(InvalidField):
        change(anne(), replace(ANNE, birth_name=""), (NUMBER,), at=LATER)


def test_a_duplicate_is_not_touched() -> None:
    """Whoever was merged is changed through the survivor."""
    duplicate = anne(survivor_id=new_id())

    with pytest.raises(PatientMerged):
        change(duplicate, ANNE, (NUMBER,), at=LATER)
    with pytest.raises(PatientMerged):
        delete(duplicate, at=LATER)


def test_deleting_is_done_once_and_undone_once() -> None:
    """A second delete changes nothing; a second undelete is refused."""
    gone = delete(anne(), at=LATER)

    assert delete(gone, at=LATER) is gone
    back = undelete(gone, at=LATER)
    assert (back.deleted_at, back.revision) == (None, 3)
    with pytest.raises(PatientNotDeleted):
        undelete(back, at=LATER)


def test_an_etag_is_checked_where_one_is_sent() -> None:
    """An empty one asks for no check."""
    patient = anne()

    check_etag(patient, "")
    check_etag(patient, patient.etag)
    with pytest.raises(EtagMismatch):
        check_etag(patient, "7")


def test_a_merge_lands_on_whoever_lives() -> None:
    """A chain ends in one patient; what stands is not done again; nothing turns round."""
    a, b, c = anne(), anne(), anne()
    b_in_c = replace(b, survivor_id=c.id)
    a_in_c = replace(a, survivor_id=c.id)

    assert decide_merge(b, a) == b.id
    assert decide_merge(b_in_c, a) == c.id
    assert decide_merge(b_in_c, a_in_c) is None
    with pytest.raises(MergeInverted):
        decide_merge(a_in_c, c)
    with pytest.raises(PatientMerged):
        decide_merge(b, a_in_c)
    with pytest.raises(MergeWithItself):
        check_distinct(a.id, a.id)


@pytest.mark.parametrize(
    ("born", "died", "wrong"),
    [
        ("1980-05-17", "2020", ()),
        ("1980", "1980-01-02", ()),
        ("2026-03-02", "", ()),
        ("2026-03-03", "", ("birth_date",)),
        ("2099", "", ("birth_date",)),
        ("1849", "", ("birth_date",)),
        ("1980-05", "1980-04-30", ("death_date",)),
        ("", "2027", ("death_date",)),
    ],
)
def test_nobody_is_born_tomorrow_or_dies_before(
    born: str, died: str, wrong: tuple[str, ...]
) -> None:
    """Dates are compared at the precision that both have, with a day of tolerance."""
    assert impossible_dates(Traits(birth_date=born, death_date=died), at=NOON) == wrong

"""Care links."""

from datetime import UTC, datetime, timedelta

import pytest

from clinical.domain.links import CareLink, CareLinkKind, check_entitled, end
from core.errors import InvalidField
from core.ids import new_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def link(**more: object) -> CareLink:
    """A link to some patient."""
    return CareLink(new_id(), new_id(), CareLinkKind.CARE_TEAM, NOON, **more)  # type: ignore[arg-type]


def test_a_link_entitles_exactly_one() -> None:
    """Neither nobody nor two at once, and not backwards in time."""
    check_entitled(link(unit_id=new_id(), ended_at=LATER))

    for wrong in (
        link(),
        link(unit_id=new_id(), practitioner_id=new_id()),
        link(unit_id=new_id(), ended_at=NOON),
    ):
        with pytest.raises(InvalidField):
            check_entitled(wrong)


def test_a_link_ends_once() -> None:
    """An end that is past stays; one that is to come is brought forward."""
    ended = end(link(), at=LATER)

    assert ended.ended_at == LATER
    assert end(ended, at=LATER + timedelta(hours=1)) is ended
    assert end(link(ended_at=LATER), at=NOON).ended_at == NOON

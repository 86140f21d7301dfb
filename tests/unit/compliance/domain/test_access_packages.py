"""The document of a package, written in parts as its rows come."""

import hashlib
import json

import pytest

from compliance.domain.access_packages import (
    LAST_PART,
    PART_BYTES,
    NotWhole,
    Section,
    categories_of,
    manifest_parts,
    positions_of,
)


def _written(section: Section, *records: tuple[str, str, bool]) -> list[bytes]:
    parts: list[bytes] = []
    for table, values, continues in records:
        parts += section.add(table, values, continues=continues)
    return parts


def test_the_parts_in_their_order_are_one_document() -> None:
    """Manifest, sections and end are JSON together, and the digest is of the section's array."""
    section = Section("clinical")
    parts = _written(
        section,
        ("clinical.patient", '{"name":"ANNE"}', False),
        ("clinical.document", '{"text":"a long', True),
        ("clinical.document", ' story"}', False),
    )
    rest, digest = section.end({"clinical.patient": 1, "clinical.document": 1})

    whole = b"".join([*manifest_parts({"request": "r"}), *parts, *rest, LAST_PART])

    assert json.loads(whole) == {
        "manifest": {"request": "r"},
        "clinical": [
            {"table": "clinical.patient", "values": {"name": "ANNE"}},
            {"table": "clinical.document", "values": {"text": "a long story"}},
        ],
    }
    array = whole[whole.index(b'"clinical":') + len(b'"clinical":') : -len(LAST_PART)]
    assert digest == hashlib.sha256(array).digest()


def test_a_service_that_holds_nothing_has_an_empty_section() -> None:
    """Nothing held is told, not left out."""
    section = Section("auth")

    rest, _ = section.end({})

    assert json.loads(b"".join([*manifest_parts({}), *rest, LAST_PART]))["auth"] == []


def test_no_part_is_larger_than_an_answer_may_be() -> None:
    """A record larger than a part is cut like everything else."""
    section = Section("clinical")
    text = json.dumps({"text": "x" * (3 * PART_BYTES)})

    parts = _written(section, ("clinical.document", text, False))
    rest, _ = section.end({"clinical.document": 1})

    sizes = [len(part) for part in (*parts, *rest)]
    assert len(sizes) == 4
    assert max(sizes) == PART_BYTES


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ((("clinical.patient", "{}", False),), {}),
        ((("clinical.patient", "{}", False),), {"clinical.patient": 2}),
        ((), {"clinical.patient": 1}),
        ((("clinical.patient", "{", True),), {"clinical.patient": 1}),
    ],
)
def test_an_answer_that_is_not_whole_is_refused(
    records: tuple[tuple[str, str, bool], ...], told: dict[str, int]
) -> None:
    """Rows more or fewer than the service tells of, or one without its end, are no answer."""
    section = Section("clinical")
    _written(section, *records)

    with pytest.raises(NotWhole):
        section.end(told)


def test_a_record_is_not_ended_by_one_of_another_table() -> None:
    """A piece is followed by the rest of it, and by nothing else."""
    section = Section("clinical")
    _written(section, ("clinical.document", "{", True))

    with pytest.raises(NotWhole):
        _written(section, ("clinical.patient", "{}", False))


def test_categories_count_rows_that_hold_them() -> None:
    """A table counts once for each category in it, and not at all where it holds no row."""
    fields = [{"category": "identity"}, {"category": "identity"}, {"category": ""}]
    tables = [
        {"count": 2, "fields": fields},
        {"count": 0, "fields": [{"category": "contact"}]},
    ]

    assert categories_of(tables) == {"identity": 2}


def test_sections_do_not_overlap() -> None:
    """Each service has places of its own in the order of the document."""
    assert positions_of(0)[1] == positions_of(1)[0]

"""What a person is shown of a row."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import LargeBinary, Text, Uuid

from core.contract import everything
from core.database import Reach, column, new_metadata, tenant_table
from core.subject.record import ANOTHER, DIGEST, OPENS_SOMETHING, shown_of, text_of
from core.subject.servicer import PIECE_CHARACTERS, _pieces
from medhub.options.v1 import data_pb2 as options

everything()
TABLE = tenant_table(
    "link",
    new_metadata("ward"),
    column("id", Uuid, field="medhub.clinical.v1.CareLink.name", primary_key=True),
    column("patient_id", Uuid, field="medhub.clinical.v1.CareLink.patient"),
    column("user_id", Uuid, internal="Who is entitled."),
    column("name", Text, field="medhub.clinical.v1.Patient.birth_name"),
    column("password", Text, field="medhub.auth.v1.LoginRequest.password", secret=True),
    column("digest", LargeBinary, internal="Blind index.", secret=True),
    column("note", Text, internal="What no field holds."),
    column("copy", Text, internal="A copy."),
    subject="patient_id",
    reach=Reach(also={"user_id": "user"}, withheld={"copy": "It is a copy."}),
)


def test_everything_is_shown_but_secrets_and_other_persons() -> None:
    """Each column that is not shown says why, and the tenant is no column of a person's."""
    shown = shown_of(TABLE, "patient", "ward")

    assert shown.told == {"id", "patient_id", "name", "note"}
    assert {field.column: field.withheld for field in shown.fields if field.withheld} == {
        "user_id": ANOTHER,
        "password": OPENS_SOMETHING,
        "digest": DIGEST,
        "copy": "It is a copy.",
    }
    assert "organization_id" not in shown.columns


def test_another_kind_of_person_is_shown_the_other_column() -> None:
    """Who is entitled to a record is not shown by this whose record it is."""
    shown = shown_of(TABLE, "user", "ward")

    assert "user_id" in shown.told
    assert "patient_id" not in shown.told


def test_a_column_says_what_the_contract_says_of_its_field() -> None:
    """Class, category and retention come from the annotation, and from nowhere else."""
    [name] = [f for f in shown_of(TABLE, "patient", "ward").fields if f.column == "name"]

    assert name.field == "medhub.clinical.v1.Patient.birth_name"
    assert getattr(name, "class") == options.DATA_CLASS_PERSONAL
    assert name.category == options.CATEGORY_IDENTITY
    assert name.retention == "fr.csp.r1112-7"


def test_values_are_json_of_their_kind() -> None:
    """What JSON does not know is text; bytes that are no text are marked."""
    values = {
        "id": UUID(int=7),
        "at": datetime(2026, 11, 25, 8, 30, tzinfo=UTC),
        "day": date(2026, 11, 25),
        "text": "Éléonore".encode(),
        "bytes": b"\xff\x00",
        "list": [1, "two", None],
    }

    assert json.loads(text_of(values)) == {
        "id": "00000000-0000-0000-0000-000000000007",
        "at": "2026-11-25T08:30:00+00:00",
        "day": "2026-11-25",
        "text": "Éléonore",
        "bytes": {"base64": "/wA="},
        "list": [1, "two", None],
    }


def test_a_large_record_goes_in_pieces() -> None:
    """The pieces are the record, and only the last one ends it."""
    text = "é" * (2 * PIECE_CHARACTERS + 1)

    pieces = _pieces("ward.document", text)

    assert "".join(piece.values for piece in pieces) == text
    assert [piece.continues for piece in pieces] == [True, True, False]

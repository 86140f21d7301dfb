"""Declared tables: the tenant stands first in every key, and each column says what it is."""

import pytest
from sqlalchemy import (
    ForeignKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.sql.schema import ColumnCollectionConstraint

from core.database import (
    DatabaseSettings,
    column,
    index,
    new_metadata,
    platform_table,
    queue_table,
    reference,
    tenant_table,
    unique,
)
from core.database.secure import ddl_of

metadata = new_metadata("ward")
bed = tenant_table(
    "bed",
    metadata,
    column("id", Uuid, field="medhub.test.v1.Bed.name", primary_key=True),
    column("label", Text, field="medhub.test.v1.Bed.label"),
    unique("label"),
    index("label", "id"),
    subject=None,
)
sheet = tenant_table(
    "sheet",
    metadata,
    column("id", Uuid, field="medhub.test.v1.Sheet.name", primary_key=True),
    column("bed_id", Uuid, field="medhub.test.v1.Sheet.bed"),
    reference("bed_id", to="bed"),
    subject=None,
    capture=False,
    reason="Linen is counted elsewhere.",
)


def constraints(
    table: Table, kind: type[ColumnCollectionConstraint]
) -> list[tuple[str, list[str]]]:
    return [
        (str(c.name), [column.name for column in c.columns])
        for c in table.constraints
        if isinstance(c, kind)
    ]


def test_the_tenant_stands_first_in_every_key() -> None:
    """Primary key, unique constraint, index and foreign key begin with the organization."""
    assert [c.name for c in bed.primary_key] == ["organization_id", "id"]
    assert constraints(bed, UniqueConstraint) == [("uq_bed_label", ["organization_id", "label"])]
    assert [(i.name, [c.name for c in i.columns]) for i in bed.indexes] == [
        ("ix_bed_label_id", ["organization_id", "label", "id"])
    ]
    assert constraints(sheet, ForeignKeyConstraint) == [
        ("fk_sheet_bed_id_bed", ["organization_id", "bed_id"])
    ]


def test_a_column_names_its_field_or_a_reason() -> None:
    """Neither, or both, is a fault."""
    with pytest.raises(ValueError, match="label"):
        column("label", Text)
    with pytest.raises(ValueError, match="label"):
        column("label", Text, field="a.B.c", internal="why")


def test_a_table_that_is_not_captured_says_why() -> None:
    """Silence about changes needs a reason."""
    with pytest.raises(ValueError, match="recorded"):
        tenant_table("x", metadata, subject=None, capture=False)


def test_a_subject_is_a_column() -> None:
    """A misspelt subject is found at import."""
    with pytest.raises(ValueError, match="patient_id"):
        tenant_table(
            "x",
            metadata,
            column("id", Uuid, internal="Key.", primary_key=True),
            subject="patient_id",
        )


def test_a_table_has_a_key() -> None:
    """Without one its rows could not be named in an audit event."""
    with pytest.raises(ValueError, match="primary key"):
        queue_table("x", metadata, column("body", Text, internal="Work."), reason="Work.")


def test_walls_follow_the_scope() -> None:
    """A tenant's table is walled and captured, a platform's captured when it holds fields."""
    key = column("id", Uuid, internal="Key.", primary_key=True)
    counter = platform_table("counter", new_metadata("ward"), key, reason="One per database.")

    assert "FORCE ROW LEVEL SECURITY" in " ".join(ddl_of(bed))
    assert "CREATE OR REPLACE TRIGGER capture_update" in " ".join(ddl_of(bed))
    assert "TRIGGER" not in " ".join(ddl_of(sheet))
    assert "TRIGGER" not in " ".join(ddl_of(counter))
    assert "ROW LEVEL" not in " ".join(ddl_of(counter))


@pytest.mark.parametrize("key", [b"short", "short", "not base64!"])
def test_a_wrong_page_key_is_refused(key: object) -> None:
    """A service does not start with a key that is too short."""
    with pytest.raises(ValueError, match="page key"):
        DatabaseSettings.model_validate({"app_url": "dbname=x", "page_key": key})


def test_settings_show_no_password() -> None:
    """Printing settings shows neither addresses nor keys."""
    settings = DatabaseSettings.model_validate(
        {"app_url": "password=hunter2", "page_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
    )

    assert "hunter2" not in repr(settings)
    assert settings.page_key.get_secret_value() == bytes(32)

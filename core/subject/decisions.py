"""What erasure does to a table, from what the contract says of the fields in its columns."""

from google.protobuf.descriptor_pool import Default
from sqlalchemy import Table

from core.contract.fields import data_of
from core.subject.grounds import GROUNDS
from core.subject.reach import is_tenant, referred
from medhub.options.v1 import data_pb2 as options

_SHRED, _KEEP = options.ERASURE_SHRED, options.ERASURE_KEEP_LEGAL


class Undecided(Exception):
    """A table is about persons, and its fields do not say what erasure does to its rows."""


def retention_of(table: Table) -> str:
    """The class of retention that may keep the rows of a table; empty: none, the rows go.

    A table whose fields say nothing holds copies, which go with the row they refer to. Raises
    Undecided, so that the server does not start and the build fails.
    """
    said = [data for column in table.columns if (data := _said(column)) and data.erasure]
    if not said:
        return _retention_led_to(table)
    erasures = {data.erasure for data in said}
    classes = {data.retention for data in said} - {""}
    if not erasures <= {_SHRED, _KEEP}:
        raise Undecided(f"{table.name}: values are neither removed nor made coarser yet")
    if len(classes) > 1 or (_KEEP in erasures and not classes):
        raise Undecided(f"{table.name} names {len(classes)} classes of retention")
    if classes - GROUNDS.keys():
        raise Undecided(f"{table.name} rests on {classes}, which no article is known of")
    return next(iter(classes), "")


def _said(column: object) -> options.FieldData | None:
    named = column.info.get("field")  # type: ignore[attr-defined]  # a Column of any type
    if not named or is_tenant(column):  # type: ignore[arg-type]
        return None
    message, _, name = named.rpartition(".")
    return data_of(Default().FindMessageTypeByName(message).fields_by_name[name])


def _retention_led_to(table: Table) -> str:
    """That of the row which the table's own reach leads to."""
    by = table.info["reach"].through or table.info["subject"]
    led = referred(table, by) if by else None
    if led is None:
        raise Undecided(f"no field of {table.name} says what erasure does to it")
    return retention_of(led)

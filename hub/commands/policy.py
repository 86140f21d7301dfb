"""`medhub policy`: who may call what, as the contracts say it."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from core.contract import everything
from core.contract.lock import rows_of, text_of

# Wide enough for the longest method name beside its columns; terminals narrower than it wrap.
_TABLE_WIDTH = 160


class Format(StrEnum):
    """How the policies are printed."""

    TABLE = "table"
    JSON = "json"


def policy(
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TABLE,
    lock: Annotated[
        Path | None,
        typer.Option(help="Write the lock file instead, to be reviewed and committed."),
    ] = None,
) -> None:
    """Print the policy of every method: access, tenancy, link, exposure, freshness, audit, …"""
    contract = everything()
    if lock is not None:
        lock.write_text(text_of(contract))
    elif form is Format.JSON:
        print(json.dumps(rows_of(contract), indent=2, ensure_ascii=False))
    else:
        Console(width=_TABLE_WIDTH).print(_table(rows_of(contract)))


def _table(rows: list[dict[str, object]]) -> Table:
    table = Table(box=None, pad_edge=False)
    columns = ("method", "access", "tenancy", "link", "freshness", "audit", "exposure")
    for name in columns:
        table.add_column(name, no_wrap=name == "method")
    for row in rows:
        access = row.get("permission") or row["access"]
        audit = row["audit"]
        kind = audit["kind"] if isinstance(audit, dict) else ""
        table.add_row(
            str(row["method"]).removeprefix("medhub."), str(access), str(row["tenancy"]),
            str(row["link"]), str(row["freshness"]), str(kind), str(row["exposure"]),
        )  # fmt: skip
    return table

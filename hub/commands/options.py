"""Options that several commands take, spelled once."""

from pathlib import Path
from typing import Annotated

import typer

from hub import data_dir

DataDirOption = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="MEDHUB_DATA_DIR", help="Where the platform keeps its files."
    ),
]
DEFAULT_DATA_DIR = data_dir.DEFAULT

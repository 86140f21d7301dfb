"""What the command answers where nothing runs."""

from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.__main__ import app


def test_it_says_which_version_it_is() -> None:
    """As whoever reports a fault is asked for."""
    told = CliRunner().invoke(app, ["--version"])

    assert (told.exit_code, told.stdout) == (0, f"medhub {version('medhub')}\n")


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["audit", "verify"], "no platform runs here; give --edge or --grpc, and --token"),
        (
            ["audit", "verify", "--edge", "http://127.0.0.1:1"],
            "nobody can be asked here; give --email and --password-file, or --token",
        ),
    ],
)
def test_nobody_is_asked_in_vain(argv: list[str], line: str, tmp_path: Path) -> None:
    """Not without a terminal, nor before it is known where to log in."""
    told = CliRunner().invoke(app, [*argv, "--data-dir", str(tmp_path)])

    assert (told.exit_code, told.stderr) == (2, f"medhub: the log cannot be read: {line}\n")


def test_a_backup_goes_into_a_folder_that_is_there(tmp_path: Path) -> None:
    """One line says which is not."""
    folder = tmp_path / "nowhere"
    own = ["--key", str(tmp_path / "key"), "--data-dir", str(tmp_path)]

    told = CliRunner().invoke(app, ["backup", str(folder / "site.age"), *own])

    assert told.exit_code == 1
    assert told.stderr == f"medhub: there is no folder {folder}\n"

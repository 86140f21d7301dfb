"""`python -m edge write` says in words what it cannot make an edge of."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.__main__ import app
from tests.support.edges import SERVICES

WHOLE = [f"--service={each}=127.0.0.1:1" for each in sorted(SERVICES)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen=127.0.0.1:1", "--service=auth=127.0.0.1:2"], "billing"),
        (["--listen=foo", *WHOLE], "foo"),
        (["--listen=127.0.0.1:99999", *WHOLE], "99999"),
        (["--listen=127.0.0.1:1", "--admin=foo", *WHOLE], "foo"),
        (["--listen=127.0.0.1:1", *WHOLE, "--service=auth=foo"], "foo"),
    ],
)
def test_what_no_edge_can_be_made_of_is_refused(
    tmp_path: Path, words: list[str], said: str
) -> None:
    """No folder is left behind."""
    out = tmp_path / "edge"

    done = CliRunner().invoke(app, ["write", "--out", str(out), *words])

    assert done.exit_code == 2
    assert said in done.stderr
    assert not out.exists()


def test_a_file_where_the_folder_belongs_is_told_in_a_line(tmp_path: Path) -> None:
    """It is left as it is."""
    out = tmp_path / "edge"
    out.write_text("canary")

    done = CliRunner().invoke(app, ["write", "--out", str(out), "--listen=127.0.0.1:1", *WHOLE])

    assert done.exit_code == 1
    assert done.stderr.startswith("medhub: ")
    assert out.read_text() == "canary"

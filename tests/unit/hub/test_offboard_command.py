"""What `medhub offboard` refuses before it touches anything."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.__main__ import app
from hub.offboarding.places import Unplaced, of_environment

ORGANIZATION = "organizations/01980000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "x", "o.age", "--recipient", "age1"), "organizations/{uuid}"),
        (("export", ORGANIZATION, "o.age", "--recipient", "age1"), "no platform has run"),
        (("destroy", ORGANIZATION, "--digest", "00", "--receipts", "r"), "no platform has run"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MEDHUB_AUTH_DATABASE_APP_URL", raising=False)

    ran = CliRunner().invoke(app, ["offboard", *words, "--data-dir", str(tmp_path / "none")])

    assert ran.exit_code == 1
    assert said in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_the_environment_lacks_is_named() -> None:
    """Of the first service that lacks something, all of it."""
    with pytest.raises(Unplaced) as refused:
        of_environment({"MEDHUB_CLINICAL_DATABASE_APP_URL": "postgresql://x"})

    assert str(refused.value) == (
        "set MEDHUB_CLINICAL_DATABASE_OWNER_URL, MEDHUB_CLINICAL_KEYRING_PATH,"
        " MEDHUB_CLINICAL_KEYRING_KEY_PATH"
    )

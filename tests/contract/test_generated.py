"""gen/ and the lint of the contracts are what the sources say."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUF = str(Path(sys.executable).with_name("buf"))


def test_generated_code_is_fresh() -> None:
    """Generating anew changes nothing."""
    made = subprocess.run(
        [sys.executable, "protos/generate.py", "--check"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert made.returncode == 0, made.stdout


def test_the_contracts_pass_the_linter() -> None:
    """buf's STANDARD rules hold, but for the exceptions that buf.yaml gives reasons for."""
    lint = [BUF, "lint", "gen/medhub/contract.binpb", "--config", "buf.yaml", "--path", "medhub"]
    found = subprocess.run(lint, cwd=ROOT, check=False, capture_output=True, text=True)

    assert (found.returncode, found.stdout) == (0, "")


def test_the_contracts_are_formatted() -> None:
    """buf format has nothing to say."""
    found = subprocess.run(
        [BUF, "format", "--diff", "--exit-code", "protos"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (found.returncode, found.stdout) == (0, "")

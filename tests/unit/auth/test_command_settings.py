"""A command of auth that cannot find its database says why, and shows no password."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("url", ["postgresql://u:can ary@h/x", None])
def test_what_is_no_connection_string_is_named_and_not_shown(url: str | None) -> None:
    """In a line, with a code of its own."""
    variable = "MEDHUB_AUTH_DATABASE_APP_URL"
    told = {name: text for name, text in os.environ.items() if name != variable}
    if url is not None:
        told[variable] = url

    done = subprocess.run(
        [sys.executable, "-m", "auth", "operate", "lock-account", "a@b.test"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=told,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"medhub: {variable}: ")
    assert done.stderr.count("\n") == 1
    assert "ary" not in done.stderr
